//! What templates can change: namespaces, cyclers and joiners.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::template::fault::{Outcome, failed};
use crate::template::show::{push_dict, push_repr};
use crate::template::value::{Dict, Object, Value};

/// A method of an object that is held by others too.
fn method(owner: Rc<dyn Object>, name: &str) -> Value {
    Value::Method(Rc::new((Value::Object(owner), Arc::from(name))))
}

/// `namespace(…)`: attributes that can be assigned.
#[derive(Default)]
pub(crate) struct Namespace {
    fields: RefCell<Dict>,
}

impl Namespace {
    /// A namespace of a dict's items.
    pub(crate) fn new(fields: Dict) -> Outcome<Self> {
        fields.iter().try_for_each(|(name, _)| check_field(name))?;
        Ok(Self { fields: RefCell::new(fields) })
    }

    pub(crate) fn set(&self, name: &str, value: Value) -> Outcome<()> {
        check_field(&Value::str(name))?;
        let mut pairs: Vec<(Value, Value)> =
            self.fields.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        match pairs.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
            Some(entry) => entry.1 = value,
            None => pairs.push((Value::str(name), value)),
        }
        let fields = Dict::from_pairs(pairs)?;
        *self.fields.borrow_mut() = fields;
        Ok(())
    }

    /// Forgets all fields: namespaces can hold themselves.
    pub(crate) fn clear(&self) {
        let fields = std::mem::take(&mut *self.fields.borrow_mut());
        drop(fields);
    }
}

/// As in transformers: no name of a field begins with an underscore.
fn check_field(name: &Value) -> Outcome<()> {
    match name.as_str() {
        Some(name) if name.starts_with('_') => failed(format!(
            "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute."
        )),
        _ => Ok(()),
    }
}

impl Object for Namespace {
    fn class(&self) -> &'static str {
        "Namespace"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.fields.borrow().get_str(name).cloned()
    }

    fn printed(&self, depth: usize) -> Option<Outcome<String>> {
        let mut out = String::from("<Namespace ");
        Some(push_dict(&self.fields.borrow(), depth + 1, &mut out).map(|()| out + ">"))
    }

    fn callable(&self) -> bool {
        false
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `cycler(…)`: one value after the other, and from the start again.
pub(crate) struct Cycler {
    items: Vec<Value>,
    at: Cell<usize>,
    me: std::rc::Weak<Cycler>,
}

impl Cycler {
    pub(crate) fn new(items: Vec<Value>) -> Outcome<Rc<Self>> {
        if items.is_empty() {
            return failed("at least one item has to be provided");
        }
        // The size of what it holds is checked as a list's.
        Value::seq(items.clone())?;
        Ok(Rc::new_cyclic(|me| Self { items, at: Cell::new(0), me: me.clone() }))
    }

    pub(crate) fn next(&self) -> Value {
        let value = self.items[self.at.get()].clone();
        self.at.set((self.at.get() + 1) % self.items.len());
        value
    }

    pub(crate) fn reset(&self) {
        self.at.set(0);
    }
}

impl Object for Cycler {
    fn class(&self) -> &'static str {
        "Cycler"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "current" => self.items.get(self.at.get()).cloned(),
            "pos" => Some(Value::count(self.at.get())),
            "items" => Value::tuple(self.items.clone()).ok(),
            "next" | "reset" => self.me.upgrade().map(|me| method(me, name)),
            _ => None,
        }
    }

    fn printed(&self, _: usize) -> Option<Outcome<String>> {
        None
    }

    fn callable(&self) -> bool {
        false
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `joiner(separator)`: nothing the first time it is called, and the separator after that.
pub(crate) struct Joiner {
    separator: Value,
    used: Cell<bool>,
}

impl Joiner {
    pub(crate) fn new(separator: Value) -> Self {
        Self { separator, used: Cell::new(false) }
    }

    pub(crate) fn call(&self) -> Value {
        if self.used.replace(true) { self.separator.clone() } else { Value::str("") }
    }
}

impl Object for Joiner {
    fn class(&self) -> &'static str {
        "Joiner"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "sep" => Some(self.separator.clone()),
            "used" => Some(Value::Bool(self.used.get())),
            _ => None,
        }
    }

    fn printed(&self, _: usize) -> Option<Outcome<String>> {
        None
    }

    fn callable(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// How a name prints in a class's own text: `'name'`.
pub(crate) fn quoted(name: &str) -> Outcome<String> {
    let mut out = String::new();
    push_repr(&Value::str(name), 0, &mut out)?;
    Ok(out)
}
