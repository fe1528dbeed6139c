//! The modules of a crate: which files they are in, and what they hold. Modules of tests are left out.

use std::collections::BTreeMap;

use syn::{Attribute, Expr, Item, Lit, Meta};

use super::cfg::is_for_tests;
use super::paths::Contents;
use crate::tidy::tree::Tree;
use crate::tidy::violation::Violation;

/// A module, in a file of its own or within one.
#[derive(Debug)]
pub(super) struct Module {
    name: String,
    pub(super) parent: Option<usize>,
    /// The number of its file.
    pub(super) file: usize,
    pub(super) children: BTreeMap<String, usize>,
    pub(super) contents: Contents,
}

/// A file, and the module that it is.
#[derive(Debug)]
struct File {
    path: String,
    module: usize,
}

/// All modules that a root file leads to.
#[derive(Debug)]
pub(super) struct Modules {
    files: Vec<File>,
    pub(super) all: Vec<Module>,
}

/// Where the files of a module's own modules are looked for.
struct Place {
    module: usize,
    /// The folder of the file that the module is in.
    file_folder: String,
    /// The folder of its own modules' files.
    folder: String,
}

impl Modules {
    /// Reads the file and all that it leads to.
    ///
    /// # Errors
    /// A file that is no Rust.
    pub(super) fn of(tree: &Tree, root: &str) -> Result<Self, Violation> {
        let mut modules = Self { files: Vec::new(), all: Vec::new() };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        modules.read(tree, root, None, folder)?;
        Ok(modules)
    }

    pub(super) fn path(&self, file: usize) -> &str {
        &self.files[file].path
    }

    /// The name of a file's module.
    pub(super) fn name(&self, file: usize) -> &str {
        &self.all[self.files[file].module].name
    }

    /// Reads one file; `parent` is the module that names it, with the name that it gives.
    fn read(
        &mut self,
        tree: &Tree,
        path: &str,
        parent: Option<(usize, String)>,
        folder: String,
    ) -> Result<(), Violation> {
        let text = tree.text(path).unwrap_or_default();
        let syntax = syn::parse_file(text).map_err(|error| {
            let what = format!("its modules cannot be read: {error}; mend it");
            Violation::new(path, error.span().start().line, what)
        })?;
        let module = self.add(parent, self.files.len());
        self.files.push(File { path: path.to_owned(), module });
        let file_folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        self.fill(tree, &syntax.items, &Place { module, file_folder, folder })
    }

    /// Adds a module without contents; `parent` is as above.
    fn add(&mut self, parent: Option<(usize, String)>, file: usize) -> usize {
        let module = self.all.len();
        let (parent, own) = parent.unzip();
        let name = match (parent, &own) {
            (Some(parent), Some(own)) => format!("{}::{own}", self.all[parent].name),
            _ => String::from("crate"),
        };
        if let (Some(parent), Some(own)) = (parent, own) {
            self.all[parent].children.insert(own, module);
        }
        let (children, contents) = (BTreeMap::new(), Contents::default());
        self.all.push(Module { name, parent, file, children, contents });
        module
    }

    /// Reads the items of a module, and the modules that it has.
    fn fill(&mut self, tree: &Tree, items: &[Item], place: &Place) -> Result<(), Violation> {
        self.all[place.module].contents = Contents::of(items);
        for item in items {
            let Item::Mod(inner) = item else { continue };
            if is_for_tests(&inner.attrs) {
                continue;
            }
            let name = inner.ident.to_string();
            let parent = Some((place.module, name.clone()));
            let folder = format!("{}/{name}", place.folder);
            if let Some((_, items)) = &inner.content {
                let module = self.add(parent, self.all[place.module].file);
                self.fill(tree, items, &Place { module, file_folder: folder.clone(), folder })?;
            } else if let Some((path, folder)) = file_of(tree, &inner.attrs, place, &name) {
                self.read(tree, &path, parent, folder)?;
            }
        }
        Ok(())
    }
}

/// The file of a module, and the folder of its own modules; `None` where no file of the checkout is it.
fn file_of(tree: &Tree, attrs: &[Attribute], place: &Place, name: &str) -> Option<(String, String)> {
    let folder = format!("{}/{name}", place.folder);
    if let Some(named) = path_attribute(attrs) {
        let path = joined(&place.file_folder, &named);
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        return tree.has(&path).then_some((path, own));
    }
    let paths = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    paths.into_iter().find(|path| tree.has(path)).map(|path| (path, folder))
}

/// What `#[path = "…"]` says.
fn path_attribute(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| {
        let Meta::NameValue(meta) = &attr.meta else { return None };
        let Expr::Lit(literal) = &meta.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        meta.path.is_ident("path").then(|| text.value())
    })
}

/// A path seen from a folder, without `..`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
