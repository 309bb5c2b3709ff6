//! What the names of one module stand for: its `use` items, its child modules, and `crate`, `self`, `super`.

use std::collections::HashMap;

use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, UseTree};

/// A chain of `use`s longer than this ends where it is.
const MAX_HOPS: usize = 8;

/// One name that a `use` item brings: `use a::{b as c}` brings `a::b`, bound to `c`.
pub(crate) struct Import {
    /// As written, flattened; a glob ends in `*`.
    pub(crate) path: Vec<String>,
    /// The name it has in this module; globs and `as _` have none.
    bound: Option<String>,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// The flat list of what `item` imports.
pub(crate) fn imports(item: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    flatten(&item.tree, &[], &mut found);
    found
}

fn flatten(tree: &UseTree, prefix: &[String], found: &mut Vec<Import>) {
    let with = |name: String| prefix.iter().cloned().chain([name]).collect::<Vec<_>>();
    let mut leaf = |ident: &proc_macro2::Ident, bound: Option<String>| {
        let itself = ident == "self" && !prefix.is_empty();
        let path = if itself { prefix.to_vec() } else { with(ident.to_string()) };
        let bound = bound.or_else(|| path.last().cloned()).filter(|name| name != "_");
        found.push(Import { path, bound, line: ident.span().start().line });
    };
    match tree {
        UseTree::Path(path) => flatten(&path.tree, &with(path.ident.to_string()), found),
        UseTree::Name(name) => leaf(&name.ident, None),
        UseTree::Rename(rename) => leaf(&rename.ident, Some(rename.rename.to_string())),
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            found.push(Import { path: with("*".to_owned()), bound: None, line });
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, found)),
    }
}

/// One module, from the file's root or inline.
#[derive(Default)]
pub(crate) struct Scope {
    /// The crate's name, then the modules down to this one.
    pub(crate) module: Vec<String>,
    /// Bound names with what they stand for, as written.
    bindings: HashMap<String, Vec<String>>,
}

impl Scope {
    /// The scope of a module with these items. What a function imports counts for its whole module.
    pub(crate) fn new(module: Vec<String>, items: &[Item]) -> Self {
        let mut scope = Self { module, bindings: HashMap::new() };
        items.iter().for_each(|item| scope.visit_item(item));
        scope
    }

    /// The absolute path behind `path`; as written if this module does not bind its first name.
    pub(crate) fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut path = path.to_vec();
        for _ in 0..MAX_HOPS {
            let first = path.first().map_or("", String::as_str);
            let Some(target) = self.bindings.get(first).filter(|target| target[0] != first) else { break };
            path = [target, &path[1..]].concat();
        }
        self.absolute(path)
    }

    /// Replaces leading `crate`, `self` and `super`s.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let depth = self.module.len();
        let ups = path.iter().skip_while(|name| *name == "self").take_while(|name| *name == "super").count();
        let selfs = path.iter().take_while(|name| *name == "self").count();
        let (kept, cut) = match path.first().map_or("", String::as_str) {
            "crate" => (depth.min(1), 1),
            "self" | "super" => (depth.saturating_sub(ups).max(depth.min(1)), selfs + ups),
            _ => return path,
        };
        [&self.module[..kept], &path[cut..]].concat()
    }

    /// What this module binds, absolute.
    pub(crate) fn exports(&self) -> HashMap<String, Vec<String>> {
        self.bindings.keys().map(|name| (name.clone(), self.resolve(std::slice::from_ref(name)))).collect()
    }
}

impl<'ast> Visit<'ast> for Scope {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        self.bindings.insert(name.clone(), vec!["self".to_owned(), name]);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in imports(item) {
            if let Some(name) = import.bound {
                // A module keeps its name: only it can stand before `::`.
                self.bindings.entry(name).or_insert(import.path);
            }
        }
        visit::visit_item_use(self, item);
    }
}
