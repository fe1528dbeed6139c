//! Which file a path leads to: along modules, as far as it goes.

use super::modules::Modules;
use super::paths::{Form, Written};

/// How many imports of imports are followed.
const MAX_IMPORTS: usize = 8;

impl Modules {
    /// The files that a path in a module leads to: that of the last module on its way, and that of the one before where the last name is a function's
    /// or macro's too. Names that a module passes on lead to it and no further.
    pub(super) fn targets(&self, module: usize, path: &Written) -> Vec<usize> {
        let Some((last, n_left)) = self.last_module(module, &path.segments, MAX_IMPORTS) else {
            return Vec::new();
        };
        let mut targets = vec![self.all[last].file];
        if n_left == 0
            && path.form == Form::Name
            && let (Some(parent), Some(name)) = (self.all[last].parent, path.segments.last())
            && self.all[parent].contents.names.contains(name)
        {
            targets.push(self.all[parent].file);
        }
        targets
    }

    /// The last module on the way, and how many names are left; `None` for what leads out of the crate.
    fn last_module(&self, from: usize, segments: &[String], n_imports: usize) -> Option<(usize, usize)> {
        let mut names = segments.iter().peekable();
        let mut at = match names.peek()?.as_str() {
            "crate" => 0,
            "self" => from,
            "super" => self.all[from].parent?,
            name => self.named(from, name, n_imports)?,
        };
        names.next();
        while names.next_if(|name| *name == "super").is_some() {
            at = self.all[at].parent?;
        }
        while let Some(child) = names.peek().and_then(|name| self.all[at].children.get(*name)) {
            at = *child;
            names.next();
        }
        Some((at, names.count()))
    }

    /// The module of this name within another: its own, one that it imports, or one of those of which it imports all.
    fn named(&self, within: usize, name: &str, n_imports: usize) -> Option<usize> {
        let module = &self.all[within];
        if let Some(child) = module.children.get(name) {
            return Some(*child);
        }
        let n_imports = n_imports.checked_sub(1)?;
        if let Some(segments) = module.contents.imports.get(name) {
            return self
                .last_module(within, segments, n_imports)
                .filter(|(_, n_left)| *n_left == 0)
                .map(|(at, _)| at);
        }
        let all = module.contents.paths.iter().filter(|path| path.form == Form::All);
        all.filter_map(|path| self.last_module(within, &path.segments, n_imports))
            .filter(|(_, n_left)| *n_left == 0)
            .find_map(|(at, _)| self.all[at].children.get(name).copied())
    }
}
