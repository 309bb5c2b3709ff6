//! Which functions of the `impl` block are endpoints, and what their shape must be.

use syn::ext::IdentExt;
use syn::{FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ReturnType, Type, Visibility};

/// Most characters of an endpoint's name, as in `skill.toml`.
const MAX_NAME: usize = 64;

/// A public function of the block.
pub(crate) struct Endpoint {
    /// The function.
    pub(crate) function: Ident,
    /// Its name, which is also the endpoint's.
    pub(crate) name: String,
    /// Whether it takes the call's context, as its second argument.
    pub(crate) takes_context: bool,
}

/// Every public function of the block, or every mistake in them.
pub(crate) fn of(block: &ItemImpl) -> syn::Result<Vec<Endpoint>> {
    let mut endpoints = Vec::new();
    let mut mistakes: Option<syn::Error> = None;
    for item in &block.items {
        let ImplItem::Fn(function) = item else { continue };
        if !matches!(function.vis, Visibility::Public(_)) {
            continue;
        }
        match mistake(function) {
            None => endpoints.push(endpoint(function)),
            Some(error) => match &mut mistakes {
                None => mistakes = Some(error),
                Some(all) => all.combine(error),
            },
        }
    }
    match mistakes {
        None => Ok(endpoints),
        Some(error) => Err(error),
    }
}

fn endpoint(function: &ImplItemFn) -> Endpoint {
    let ident = function.sig.ident.clone();
    Endpoint { name: ident.unraw().to_string(), function: ident, takes_context: function.sig.inputs.len() == 2 }
}

fn mistake(function: &ImplItemFn) -> Option<syn::Error> {
    let signature = &function.sig;
    let problem = if !is_name(&signature.ident.unraw().to_string()) {
        "a function that is an endpoint gives it its name: 1 to 64 lower-case ASCII letters, digits and underscores, \
         beginning with a letter"
    } else if signature.asyncness.is_some() {
        "an endpoint is not async: a skill answers one call at a time"
    } else if !signature.generics.params.is_empty() {
        "an endpoint has no type parameters: its input and output have one JSON Schema each"
    } else if !takes_input(function) {
        "an endpoint takes one argument, its input, or two, its input and a &Context, and no self: each call gets a \
         fresh skill. A function that is not an endpoint is private"
    } else if matches!(signature.output, ReturnType::Default) {
        "an endpoint returns Result<Output, SkillError>"
    } else {
        return None;
    };
    Some(syn::Error::new_spanned(&signature.ident, problem))
}

/// Whether `skill.toml` takes the name too: its pattern, without the hyphen, which no function's name has.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= MAX_NAME && name.bytes().all(allowed)
}

/// Whether the function takes an input, and besides at most a reference: the compiler checks that it is to a context.
fn takes_input(function: &ImplItemFn) -> bool {
    let inputs: Vec<_> = function.sig.inputs.iter().collect();
    match inputs[..] {
        [FnArg::Typed(_)] => true,
        [FnArg::Typed(_), FnArg::Typed(context)] => matches!(*context.ty, Type::Reference(_)),
        _ => false,
    }
}
