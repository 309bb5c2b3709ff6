//! What `#[skill]` refuses, and what it says then.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::skill;

fn refusal(item: TokenStream) -> String {
    let errors = skill(TokenStream::new(), item).expect_err("this block is refused");
    let messages: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
    messages.join("\n")
}

#[test]
fn a_good_block_expands_to_dispatch_schemas_and_export() {
    let text = skill(
        TokenStream::new(),
        quote! { impl Good { pub fn sort_rows(input: In) -> Result<Out, SkillError> { helper(input) } fn helper() {} } },
    )
    .unwrap()
    .to_string();
    let endpoint = "| input , _ | Self :: sort_rows (input)";
    let call = format!("\"sort_rows\" => :: clawos_skill :: __private :: call (payload , context , {endpoint})");
    assert!(text.contains(&call), "{text}");
    assert!(text.contains(&format!("EndpointSchemas :: of (\"sort_rows\" , {endpoint})")), "{text}");
    assert!(text.contains("export ! (Export"), "{text}");
    assert!(!text.contains("\"helper\""), "{text}");
}

#[test]
fn an_endpoint_may_take_the_context() {
    let text = skill(
        TokenStream::new(),
        quote! { impl Good { pub fn r#type(input: In, context: &Context) -> Result<Out, SkillError> { } } },
    )
    .unwrap()
    .to_string();
    assert!(
        text.contains("\"type\" => :: clawos_skill :: __private :: call (payload , context , Self :: r#type)"),
        "{text}"
    );
}

#[test]
fn names_that_no_manifest_takes_are_refused() {
    let too_long = format!("a{}", "b".repeat(64));
    for name in ["Sort", "sortRows", "_sort", "größe", &too_long] {
        let name = syn::Ident::new(name, proc_macro2::Span::call_site());
        assert!(refusal(quote! { impl Name { pub fn #name(input: In) -> R { } } }).contains("lower-case"), "{name}");
    }
}

#[test]
fn wrong_places_are_refused() {
    assert!(refusal(quote! { fn main() {} }).contains("impl block of a unit struct"));
    assert!(refusal(quote! { impl Display for Name { } }).contains("without a trait"));
    assert!(refusal(quote! { impl<T> Name<T> { pub fn a(i: T) -> R { } } }).contains("unit struct"));
    assert!(refusal(quote! { impl Name { fn helper() {} } }).contains("at least one endpoint"));
    let arguments = skill(quote! { name = "x" }, quote! { impl Name { } }).expect_err("no arguments");
    assert!(arguments.to_string().contains("takes no arguments"));
}

#[test]
fn every_wrong_endpoint_is_reported_at_once() {
    let errors = refusal(quote! {
        impl Name {
            pub async fn a(input: In) -> R { }
            pub fn b<T>(input: T) -> R { }
            pub fn c(&self, input: In) -> R { }
            pub fn d(one: In, two: In) -> R { }
            pub fn e(input: In) { }
            pub fn f() -> R { }
            pub fn g(input: In, context: Context) -> R { }
            pub fn h(input: In, context: &Context, more: In) -> R { }
        }
    });
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 8, "{errors}");
    let parts = [
        "async",
        "type parameters",
        "no self",
        "one argument",
        "returns",
        "one argument",
        "a &Context",
        "one argument, its input, or two",
    ];
    for (line, part) in lines.iter().zip(parts) {
        assert!(line.contains(part), "{line} should say {part}");
    }
}
