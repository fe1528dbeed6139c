//! The variables of a template while it runs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::syntax::Word;
use crate::template::value::Value;

/// Names with their values, in a scope around which there may be others.
#[derive(Default)]
pub(crate) struct Scope {
    /// `None` is a name that will be assigned here and is not yet.
    names: RefCell<Vec<(Word, Option<Value>)>>,
    outer: Option<Rc<Scope>>,
}

/// What a scope and those around it say of a name.
pub(crate) enum Lookup {
    Value(Value),
    /// It is assigned later.
    Unset,
    /// It is not theirs.
    Unknown,
}

impl Scope {
    /// A scope within another, where some names are not assigned yet.
    pub(crate) fn inner(outer: &Rc<Self>, unset: &[Word]) -> Rc<Self> {
        Rc::new(Self { names: RefCell::new(unset_names(unset)), outer: Some(Rc::clone(outer)) })
    }

    /// The scope of a whole template.
    pub(crate) fn root(unset: &[Word]) -> Rc<Self> {
        Rc::new(Self { names: RefCell::new(unset_names(unset)), outer: None })
    }

    pub(crate) fn get(&self, name: &str) -> Lookup {
        let mut scope = self;
        loop {
            if let Some((_, value)) = scope.names.borrow().iter().find(|(n, _)| **n == *name) {
                return value.clone().map_or(Lookup::Unset, Lookup::Value);
            }
            match &scope.outer {
                Some(outer) => scope = outer,
                None => return Lookup::Unknown,
            }
        }
    }

    pub(crate) fn set(&self, name: &Word, value: Value) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(n, _)| n == name) {
            Some(entry) => entry.1 = Some(value),
            None => names.push((Arc::clone(name), Some(value))),
        }
    }

    /// A name of this scope that is not assigned yet.
    pub(crate) fn declare(&self, name: &Word) {
        self.names.borrow_mut().push((Arc::clone(name), None));
    }

    /// Forgets all values: macros and their scopes hold each other.
    pub(crate) fn clear(&self) {
        let names = std::mem::take(&mut *self.names.borrow_mut());
        drop(names);
    }
}

fn unset_names(unset: &[Word]) -> Vec<(Word, Option<Value>)> {
    unset.iter().map(|name| (Arc::clone(name), None)).collect()
}
