//! What one Rust file says: the paths it names, its functions and its string literals, each with its line.

use std::collections::HashMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, Meta, Signature, Token};

use crate::scope::{Scope, imports};

/// A path that the code names, with what its first segment stands for: `crate` and imported names are replaced.
pub(crate) struct Name {
    /// Segments joined by `::`; a macro ends in `!`, a glob in `*`.
    pub(crate) path: String,
    pub(crate) line: usize,
    /// Whether it stands under `#[cfg(test)]` or `#[test]`.
    pub(crate) test: bool,
}

/// A string literal outside of docs.
pub(crate) struct Literal {
    pub(crate) value: String,
    pub(crate) line: usize,
    pub(crate) test: bool,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// What one file says.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) names: Vec<Name>,
    pub(crate) literals: Vec<Literal>,
    pub(crate) functions: Vec<Function>,
    /// What the file's root module binds, with the absolute path behind it.
    pub(crate) exports: HashMap<String, Vec<String>>,
    /// Files of test code that this file declares, without `.rs`, relative to where its child modules lie; those
    /// with `#[path]`: with `.rs`, relative to the file's folder.
    pub(crate) test_files: Vec<String>,
}

/// Reads a file; `module` is its absolute path: the crate's name, then modules.
pub(crate) fn parse(source: &str, module: &[String]) -> syn::Result<Facts> {
    let file = syn::parse_file(source)?;
    let root = Scope::new(module.to_vec(), &file.items);
    let exports = root.exports();
    let mut reader =
        Reader { facts: Facts { exports, ..Facts::default() }, scopes: vec![root], test: is_test(&file.attrs) };
    reader.visit_file(&file);
    Ok(reader.facts)
}

struct Reader {
    facts: Facts,
    /// The module that is read and those around it, in this file.
    scopes: Vec<Scope>,
    /// Whether what is read is test code.
    test: bool,
}

impl Reader {
    fn scope(&self) -> &Scope {
        self.scopes.last().expect("the root stays")
    }

    fn name(&mut self, path: &[String], end: &str, line: usize) {
        // A single name is a local one or stands in a `use`; only macros are looked up.
        let known = path.len() > 1 || !end.is_empty();
        let path = if known { self.scope().resolve(path) } else { path.to_vec() };
        self.facts.names.push(Name { path: path.join("::") + end, line, test: self.test });
    }

    fn literal(&mut self, value: String, line: usize) {
        self.facts.literals.push(Literal { value, line, test: self.test });
    }

    fn function(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        self.facts.functions.push(Function { name: signature.ident.to_string(), lines: last + 1 - first });
    }

    /// Paths, macros, functions and literals in tokens that no parser knows: a macro's input, an attribute's list.
    fn tokens(&mut self, tokens: TokenStream, attribute: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream(), attribute),
                TokenTree::Ident(ident) if ident == "fn" => self.function_in(&tokens[at..], ident.span().start().line),
                TokenTree::Ident(ident) => {
                    let (path, is_macro) = path_at(&tokens, at - 1);
                    if path.len() > 1 || is_macro {
                        self.name(&path, if is_macro { "!" } else { "" }, ident.span().start().line);
                    }
                    at += (path.len() - 1) * 3;
                }
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        let line = literal.span().start().line;
                        match text.parse::<syn::Path>() {
                            Ok(path) if attribute && path.segments.len() > 1 => self.name(&segments(&path), "", line),
                            _ => self.literal(text.value(), line),
                        }
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// A function in tokens, `rest` being what follows `fn`.
    fn function_in(&mut self, rest: &[TokenTree], first: usize) {
        let Some(TokenTree::Ident(name)) = rest.first() else { return };
        let head = rest.iter().take_while(|token| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';'));
        let is_body = |token: &&TokenTree| matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
        if let Some(body) = head.into_iter().find(is_body) {
            let lines = body.span().end().line + 1 - first;
            self.facts.functions.push(Function { name: name.to_string(), lines });
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let before = self.test;
        self.test |= is_test(attributes(item));
        visit::visit_item(self, item);
        self.test = before;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let before = self.test;
        self.test |= is_test(&item.attrs);
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
        self.test = before;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if let Some((_, items)) = &item.content {
            let module = [self.scope().module.as_slice(), &[name]].concat();
            self.scopes.push(Scope::new(module, items));
            visit::visit_item_mod(self, item);
            self.scopes.pop();
        } else if self.test {
            let inside = &self.scope().module[self.scopes[0].module.len()..];
            let file = path_attribute(&item.attrs).unwrap_or_else(|| [inside, &[name]].concat().join("/"));
            self.facts.test_files.push(file);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for import in imports(item) {
            // Resolved even if it is one name: `use env;` after `use std::env` says the latter.
            let path = self.scope().resolve(&import.path);
            self.name(&path, "", import.line);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(&segments(path), "", path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.name(&segments(&mac.path), "!", mac.path.span().start().line);
        self.tokens(mac.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        visit::visit_attribute(self, attribute);
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.literal(text.value(), text.span().start().line);
    }

    /// `pub(in …)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The path that starts at `tokens[at]`, an identifier, and whether a `!` that is not `!=` follows.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, bool) {
    let mark = |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == wanted);
    let mut path = vec![tokens[at].to_string()];
    while let (true, true, Some(TokenTree::Ident(next))) = (mark(at + 1, ':'), mark(at + 2, ':'), tokens.get(at + 3)) {
        path.push(next.to_string());
        at += 3;
    }
    (path, mark(at + 1, '!') && !mark(at + 2, '='))
}

/// Whether these attributes keep an item out of what is shipped.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last().is_some_and(|segment| segment.ident == "test");
        last || (attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(|meta| needs_test(&meta)))
    })
}

/// Whether a `cfg` condition holds in tests only.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { return false };
    match list.path.get_ident().map(ToString::to_string).as_deref() {
        Some("all") => parts.iter().any(needs_test),
        Some("any") => !parts.is_empty() && parts.iter().all(needs_test),
        _ => false,
    }
}

/// The file of `#[path = "file.rs"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        let syn::Expr::Lit(value) = &attribute.meta.require_name_value().ok()?.value else { return None };
        let syn::Lit::Str(file) = &value.lit else { return None };
        Some(file.value())
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
