//! What the attribute adds to the `impl` block: the dispatch by endpoint name, the schemas, and the export of a component.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, ItemImpl, Type};

use crate::endpoint::{self, Endpoint};

/// Expands `#[skill] impl Name { … }`.
pub(crate) fn skill(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(syn::Error::new_spanned(arguments, "#[skill] takes no arguments"));
    }
    let block: ItemImpl = syn::parse2(item)
        .map_err(|error| syn::Error::new(error.span(), "#[skill] goes on an impl block of a unit struct"))?;
    let name = skill_name(&block)?;
    let endpoints = endpoint::of(&block)?;
    if endpoints.is_empty() {
        return Err(syn::Error::new_spanned(
            name,
            "a skill has at least one endpoint: a pub fn(Input) -> Result<Output, SkillError>",
        ));
    }
    let implementation = implementation(name, &endpoints);
    let export = export(name);
    Ok(quote! { #block #implementation #export })
}

fn skill_name(block: &ItemImpl) -> syn::Result<&Ident> {
    if let Some((_, of_trait, _)) = &block.trait_ {
        return Err(syn::Error::new_spanned(of_trait, "#[skill] goes on an impl block without a trait"));
    }
    match &*block.self_ty {
        Type::Path(path) if block.generics.params.is_empty() => path.path.get_ident(),
        _ => None,
    }
    .ok_or_else(|| syn::Error::new_spanned(&block.self_ty, "#[skill] goes on an impl block of a unit struct"))
}

fn implementation(name: &Ident, endpoints: &[Endpoint]) -> TokenStream {
    let names: Vec<_> = endpoints.iter().map(|endpoint| &endpoint.name).collect();
    let calls = endpoints.iter().map(|endpoint| {
        let (name, function) = (&endpoint.name, with_context(endpoint));
        quote_spanned! { endpoint.function.span() =>
            #name => ::clawos_skill::__private::call(payload, context, #function)
        }
    });
    let schemas = endpoints.iter().map(|endpoint| {
        let (name, function) = (&endpoint.name, with_context(endpoint));
        quote_spanned! { endpoint.function.span() => ::clawos_skill::schema::EndpointSchemas::of(#name, #function) }
    });
    quote! {
        impl ::clawos_skill::Skill for #name {
            fn run(
                endpoint: &str,
                payload: &str,
                context: &::clawos_skill::Context,
            ) -> ::core::result::Result<::std::string::String, ::clawos_skill::SkillError> {
                match endpoint {
                    #(#calls,)*
                    _ => ::core::result::Result::Err(::clawos_skill::__private::no_endpoint(endpoint, &[#(#names),*])),
                }
            }

            #[cfg(not(target_family = "wasm"))]
            fn schemas() -> ::std::vec::Vec<::clawos_skill::schema::EndpointSchemas> {
                ::std::vec![#(#schemas),*]
            }
        }
    }
}

/// The endpoint as a function of input and context.
fn with_context(Endpoint { function, takes_context, .. }: &Endpoint) -> TokenStream {
    if *takes_context {
        quote_spanned! { function.span() => Self::#function }
    } else {
        quote_spanned! { function.span() => |input, _| Self::#function(input) }
    }
}

fn export(name: &Ident) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Export;

            impl ::clawos_skill::__private::bindings::Guest for Export {
                fn run(
                    endpoint: ::std::string::String,
                    payload: ::std::string::String,
                    context: ::clawos_skill::__private::bindings::Context,
                ) -> ::core::result::Result<::std::string::String, ::clawos_skill::__private::bindings::SkillError> {
                    ::clawos_skill::__private::answer::<#name>(&endpoint, &payload, context)
                }
            }

            ::clawos_skill::__private::bindings::export!(Export with_types_in ::clawos_skill::__private::bindings);
        };
    }
}
