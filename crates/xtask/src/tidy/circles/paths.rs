//! The paths that a module's own code writes: in `use` trees, expressions, types, patterns, and the tokens of macros. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Local, Macro, Meta, Path, TraitItem, UseTree, Visibility};

use super::cfg::is_for_tests;
use super::tokens;

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) segments: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Whatever has this name: a module, and a function or macro of the same name.
    Name,
    /// `a::{self}`: the module alone.
    Module,
    /// `a::*`
    All,
}

/// What a module's own code holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// What it defines and imports, but for its modules.
    pub(super) names: BTreeSet<String>,
    /// By the names that it has here, what is imported.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    pub(super) paths: Vec<Written>,
}

impl Contents {
    /// Reads the items of a module; those of modules within it are theirs.
    pub(super) fn of(items: &[Item]) -> Self {
        let mut contents = Self::default();
        contents.names.extend(items.iter().filter_map(name));
        items.iter().for_each(|item| contents.visit_item(item));
        contents
    }

    fn write(&mut self, segments: Vec<String>, line: usize, form: Form) {
        if segments.len() > 1 || form != Form::Name {
            self.paths.push(Written { segments, line, form });
        }
    }

    fn import(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before.clone())),
            UseTree::Glob(glob) => self.write(before, glob.star_token.spans[0].start().line, Form::All),
            UseTree::Name(name) => self.import_as(&name.ident, None, before),
            UseTree::Rename(rename) => self.import_as(&rename.ident, Some(&rename.rename), before),
        }
    }

    fn import_as(&mut self, name: &syn::Ident, rename: Option<&syn::Ident>, mut segments: Vec<String>) {
        let form = if name == "self" && !segments.is_empty() { Form::Module } else { Form::Name };
        if form == Form::Name {
            segments.push(name.to_string());
        }
        let own = rename.map(syn::Ident::to_string).or_else(|| segments.last().cloned()).unwrap_or_default();
        self.names.insert(own.clone());
        self.imports.insert(own, segments.clone());
        self.write(segments, name.span().start().line, form);
    }

    fn scan(&mut self, tokens: &TokenStream) {
        for (segments, line) in tokens::paths(tokens) {
            self.write(segments, line, Form::Name);
        }
    }
}

impl<'ast> Visit<'ast> for Contents {
    fn visit_item(&mut self, item: &'ast Item) {
        if !matches!(item, Item::Mod(_)) && !is_for_tests(attrs(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attrs: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attrs) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attrs: &[Attribute] = if let TraitItem::Fn(item) = item { &item.attrs } else { &[] };
        if !is_for_tests(attrs) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if !is_for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // A leading `::` leads to another crate.
        if item.leading_colon.is_none() {
            self.import(&item.tree, Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
            self.write(segments, line, Form::Name);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.scan(&item.tokens);
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attr: &'ast Attribute) {
        if let Meta::List(list) = &attr.meta {
            self.scan(&list.tokens);
        }
    }

    /// `pub(super)` says who may look, not what is looked at.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// The attributes of an item.
fn attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// What an item defines by name, but for modules and what is imported.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
