//! Runs a template's tree.

mod call;
mod expression;
mod loops;
mod macros;
mod statement;

use std::collections::HashMap;
use std::rc::Rc;

use crate::clock::LocalTime;
use crate::template::fault::{Fault, Outcome, refused};
use crate::template::objects::Namespace;
use crate::template::scope::Scope;
use crate::template::syntax::Block;
use crate::template::value::Value;

/// What a template is run with.
pub(crate) struct Setting {
    /// The variables that it is given.
    pub(crate) variables: HashMap<String, Value>,
    /// The time that `strftime_now` writes.
    pub(crate) now: Option<LocalTime>,
    /// How much it may spend: a step costs 1, and so do 64 bytes.
    pub(crate) fuel: u64,
}

/// The text of a template.
///
/// # Errors
/// The fault and the line where it happened.
pub(crate) fn render(root: &Block, setting: Setting) -> Result<String, (Fault, u32)> {
    let mut run = Run { setting, depth: 0, line: 1, scopes: Vec::new(), namespaces: Vec::new() };
    let scope = Scope::root(&root.unset);
    let mut out = String::new();
    let done = run.body(&root.body, &scope, &mut out);
    scope.clear();
    match done {
        Ok(_) => Ok(out),
        Err(fault) => Err((fault, run.line)),
    }
}

/// How deep macros, loops and expressions may be in each other; each level takes some of the stack.
const MAX_DEPTH: u32 = 300;

struct Run {
    setting: Setting,
    depth: u32,
    /// The line of what runs.
    line: u32,
    /// Scopes that macros hold, to be emptied at the end.
    scopes: Vec<Rc<Scope>>,
    namespaces: Vec<Rc<Namespace>>,
}

impl Run {
    fn spend(&mut self, n: u64) -> Outcome<()> {
        match self.setting.fuel.checked_sub(n) {
            Some(left) => {
                self.setting.fuel = left;
                Ok(())
            }
            None => refused("a template that takes this long; it seems to be without an end"),
        }
    }

    /// Pays for a value that was made.
    fn pay(&mut self, value: &Value) -> Outcome<()> {
        let n_bytes = match value {
            Value::Str(text) | Value::Markup(text) => text.len(),
            Value::List(seq) | Value::Tuple(seq) => 16 * seq.items.len(),
            Value::Dict(dict) => 32 * dict.len(),
            Value::Stream(items) => 16 * items.borrow().items().len(),
            _ => 0,
        };
        self.spend(n_bytes as u64 / 64)
    }

    fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= MAX_DEPTH {
            return refused(format!("macros, loops and expressions of more than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let done = step(self);
        self.depth -= 1;
        done
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for scope in &self.scopes {
            scope.clear();
        }
        for namespace in &self.namespaces {
            namespace.clear();
        }
    }
}
