//! Macros and the bodies of `{% call %}`.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::args::Args;
use crate::template::fault::{Outcome, failed};
use crate::template::objects::quoted;
use crate::template::run::Run;
use crate::template::scope::Scope;
use crate::template::syntax::{Macro, Word};
use crate::template::value::{Object, Value};

/// A macro with the scope where it was made.
pub(super) struct MacroValue {
    node: Arc<Macro>,
    scope: Rc<Scope>,
}

impl MacroValue {
    pub(super) fn new(node: Arc<Macro>, scope: Rc<Scope>) -> Self {
        Self { node, scope }
    }
}

impl Object for MacroValue {
    fn class(&self) -> &'static str {
        "Macro"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let node = &self.node;
        match name {
            "name" => Some(node.name.as_ref().map_or(Value::None, |name| Value::Str(Arc::clone(name)))),
            "arguments" => {
                Value::tuple(node.parameters.iter().map(|p| Value::Str(Arc::clone(p))).collect()).ok()
            }
            "catch_kwargs" => Some(Value::Bool(node.uses.kwargs)),
            "catch_varargs" => Some(Value::Bool(node.uses.varargs)),
            "caller" => Some(Value::Bool(node.uses.caller)),
            "explicit_caller" => Some(Value::Bool(node.parameters.iter().any(|p| **p == *"caller"))),
            _ => None,
        }
    }

    fn printed(&self, _: usize) -> Option<Outcome<String>> {
        Some(match &self.node.name {
            Some(name) => quoted(name).map(|name| format!("<Macro {name}>")),
            None => Ok("<Macro anonymous>".to_owned()),
        })
    }

    fn callable(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Run {
    /// Makes a macro a value. Its scope is emptied at the end, because the two hold each other.
    pub(super) fn macro_value(&mut self, node: &Arc<Macro>, scope: &Rc<Scope>) -> Value {
        if !self.scopes.last().is_some_and(|last| Rc::ptr_eq(last, scope)) {
            self.scopes.push(Rc::clone(scope));
        }
        Value::Object(Rc::new(MacroValue::new(Arc::clone(node), Rc::clone(scope))))
    }

    /// Calls a macro as Jinja2's `Macro.__call__` does.
    pub(super) fn call_macro(&mut self, called: &MacroValue, args: Args) -> Outcome<Value> {
        let node = &called.node;
        let scope = Scope::inner(&called.scope, &node.body.unset);
        self.bind(node, args, &scope)?;
        let mut out = String::new();
        let line = self.line;
        self.body(&node.body.body, &scope, &mut out)?;
        self.line = line;
        Ok(Value::str(out))
    }

    fn bind(&mut self, node: &Macro, args: Args, scope: &Rc<Scope>) -> Outcome<()> {
        let name = || node.name.as_deref().map_or("None".to_owned(), |n| format!("'{n}'"));
        let Args { positional, mut keyword } = args;
        let n_given = positional.len().min(node.parameters.len());
        let mut take = |name: &str| {
            let i = keyword.iter().position(|(n, _)| **n == *name)?;
            Some(keyword.remove(i).1)
        };
        let mut given: Vec<Option<Value>> = positional.iter().take(n_given).cloned().map(Some).collect();
        let mut found_caller = false;
        for parameter in &node.parameters[n_given..] {
            found_caller |= **parameter == *"caller";
            given.push(take(parameter));
        }
        if n_given == node.parameters.len() {
            found_caller = node.parameters.iter().any(|p| **p == *"caller");
        }
        if node.uses.caller && !found_caller {
            let caller = take("caller").filter(|v| !matches!(v, Value::None));
            scope.set(&Word::from("caller"), caller.unwrap_or_else(|| Value::undefined("No caller defined")));
        }
        let extra: Vec<Value> = positional.into_iter().skip(n_given).collect();
        if node.uses.kwargs {
            let pairs = keyword.into_iter().map(|(name, value)| (Value::Str(name), value));
            scope.set(&Word::from("kwargs"), Value::dict(pairs)?);
        } else if let Some((unknown, _)) = keyword.first() {
            return failed(format!("macro {} takes no keyword argument '{unknown}'", name()));
        }
        if node.uses.varargs {
            scope.set(&Word::from("varargs"), Value::tuple(extra)?);
        } else if !extra.is_empty() {
            let n = node.parameters.len();
            return failed(format!("macro {} takes not more than {n} argument(s)", name()));
        }
        self.set_parameters(node, given, scope)
    }

    /// Defaults may use the parameters before them.
    fn set_parameters(&mut self, node: &Macro, given: Vec<Option<Value>>, scope: &Rc<Scope>) -> Outcome<()> {
        let n_plain = node.parameters.len() - node.defaults.len();
        for (parameter, value) in node.parameters.iter().zip(&given) {
            match value {
                Some(value) => scope.set(parameter, value.clone()),
                // `m(n=n)` reads its own parameter, not what is around it.
                None => scope.declare(parameter),
            }
        }
        for (i, (parameter, value)) in node.parameters.iter().zip(given).enumerate() {
            if value.is_some() {
                continue;
            }
            let value = match i.checked_sub(n_plain).and_then(|i| node.defaults.get(i)) {
                Some(default) => self.expression(default, scope)?,
                None => Value::undefined(format!("parameter '{parameter}' was not provided")),
            };
            scope.set(parameter, value);
        }
        Ok(())
    }
}
