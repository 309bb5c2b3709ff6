//! The `#[skill]` attribute of `clawos-skill`, which documents it.

mod endpoint;
mod expand;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes an `impl` block a skill; see the documentation of `clawos_skill::skill`.
#[proc_macro_attribute]
pub fn skill(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::skill(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
