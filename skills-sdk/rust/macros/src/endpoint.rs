//! Which functions of the `impl` block are endpoints, and what their shape must be.

use syn::{FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ReturnType, Visibility};

/// A public function of the block.
pub(crate) struct Endpoint {
    /// The function.
    pub(crate) function: Ident,
    /// Its name in `skill.toml`: `sort_rows` is `sort-rows`.
    pub(crate) name: String,
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
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name).replace('_', "-");
    Endpoint { function: ident, name }
}

fn mistake(function: &ImplItemFn) -> Option<syn::Error> {
    let signature = &function.sig;
    let typed_inputs = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    let problem = if signature.asyncness.is_some() {
        "an endpoint is not async: a skill answers one call at a time"
    } else if !signature.generics.params.is_empty() {
        "an endpoint has no type parameters: its input and output have one JSON Schema each"
    } else if typed_inputs != 1 || signature.inputs.len() != 1 {
        "an endpoint takes exactly one argument, its input, and no self: each call gets a fresh skill. \
         A function that is not an endpoint is private"
    } else if matches!(signature.output, ReturnType::Default) {
        "an endpoint returns Result<Output, SkillError>"
    } else {
        return None;
    };
    Some(syn::Error::new_spanned(&signature.ident, problem))
}
