//! Calls of macros, methods, functions, filters and tests.

use std::rc::Rc;
use std::sync::Arc;

use crate::template::args::Args;
use crate::template::fault::{Outcome, failed};
use crate::template::host::Host;
use crate::template::objects::{Cycler, Joiner, Namespace};
use crate::template::run::Run;
use crate::template::run::loops::{LoopState, call_loop_method};
use crate::template::run::macros::MacroValue;
use crate::template::scope::Scope;
use crate::template::syntax::{Expr, ExprKind};
use crate::template::value::{Dict, Value};
use crate::template::{checks, filters, globals, methods};

impl Run {
    pub(super) fn call(&mut self, callee: &Value, args: Args) -> Outcome<Value> {
        let value = match callee {
            Value::Undefined(message) => return failed(message.to_string()),
            Value::Method(method) => self.call_method(&method.0, &method.1, args)?,
            Value::Function("namespace") => {
                let fields = Dict::from_pairs(globals::dict_pairs(args)?)?;
                let namespace = Rc::new(Namespace::new(fields)?);
                self.namespaces.push(Rc::clone(&namespace));
                Value::Object(namespace)
            }
            Value::Function(name) => globals::call(name, args, self.setting.now)?,
            Value::Object(object) => {
                let any = object.as_any();
                if let Some(called) = any.downcast_ref::<MacroValue>() {
                    self.call_macro(called, args)?
                } else if let Some(state) = any.downcast_ref::<LoopState>() {
                    self.call_loop(state, args)?
                } else if let Some(joiner) = any.downcast_ref::<Joiner>() {
                    let [] = args.bind_positional("__call__", 0)?;
                    joiner.call()
                } else {
                    return failed(format!("'{}' object is not callable", object.class()));
                }
            }
            _ => return failed(format!("'{}' object is not callable", callee.type_name())),
        };
        self.pay(&value)?;
        Ok(value)
    }

    fn call_method(&mut self, owner: &Value, name: &str, args: Args) -> Outcome<Value> {
        let Value::Object(object) = owner else { return methods::call(owner, name, args) };
        let any = object.as_any();
        if let Some(cycler) = any.downcast_ref::<Cycler>() {
            let [] = args.bind_positional("next", 0)?;
            if name == "next" {
                return Ok(cycler.next());
            }
            cycler.reset();
            return Ok(Value::None);
        }
        match any.downcast_ref::<LoopState>() {
            Some(state) => call_loop_method(state, name, args),
            None => failed(format!("'{}' object has no method '{name}'", object.class())),
        }
    }

    /// `{% call callee(…) %}`: the callee gets the block as `caller`.
    pub(super) fn call_with_caller(
        &mut self,
        call: &Expr,
        caller: Value,
        scope: &Rc<Scope>,
    ) -> Outcome<Value> {
        let ExprKind::Call(callee, args) = &*call.kind else { return failed("expected call") };
        let callee = self.expression(callee, scope)?;
        let mut args = self.args(args, scope)?;
        if args.keyword.iter().any(|(name, _)| &**name == "caller") {
            return failed("got multiple values for keyword argument 'caller'");
        }
        args.keyword.push((Arc::from("caller"), caller));
        self.call(&callee, args)
    }
}

impl Host for Run {
    fn filter(&mut self, name: &str, value: &Value, args: Args) -> Outcome<Value> {
        self.spend(1)?;
        if let ("length" | "count", Some(length)) = (name, self.loop_attribute(value, "length")?) {
            return Ok(length);
        }
        let Some(filter) = filters::find(name) else {
            return failed(format!("No filter named '{name}' found."));
        };
        let made = filter(self, value, args)?;
        self.pay(&made)?;
        Ok(made)
    }

    fn test(&mut self, name: &str, value: &Value, args: Args) -> Outcome<bool> {
        self.spend(1)?;
        match checks::find(name) {
            Some(check) => check(value, args),
            None => failed(format!("No test named '{name}' found.")),
        }
    }
}
