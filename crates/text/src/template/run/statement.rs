//! Statements.

use std::rc::Rc;
use std::sync::Arc;

use crate::template::args::string;
use crate::template::fault::{Outcome, failed};
use crate::template::objects::Namespace;
use crate::template::run::Run;
use crate::template::run::macros::MacroValue;
use crate::template::scope::{Lookup, Scope};
use crate::template::show;
use crate::template::syntax::{Block, Expr, Statement, StatementKind, Target};
use crate::template::value::Value;

/// How a run of statements ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Break,
    Continue,
}

impl Run {
    pub(super) fn body(&mut self, body: &[Statement], scope: &Rc<Scope>, out: &mut String) -> Outcome<Flow> {
        self.deeper(|run| {
            for statement in body {
                run.spend(1)?;
                run.line = statement.line;
                let flow = run.statement(&statement.kind, scope, out)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
            }
            Ok(Flow::On)
        })
    }

    fn statement(&mut self, kind: &StatementKind, scope: &Rc<Scope>, out: &mut String) -> Outcome<Flow> {
        match kind {
            StatementKind::Text(text) => self.write(text, out)?,
            StatementKind::Print(value) => {
                let text = show::text(&self.expression(value, scope)?)?;
                self.write(&text, out)?;
            }
            StatementKind::Set(target, value) => {
                self.check_fields(target, scope)?;
                let value = self.expression(value, scope)?;
                self.assign(target, value, scope)?;
            }
            StatementKind::If { branches, otherwise } => {
                for (test, body) in branches {
                    if self.expression(test, scope)?.is_true() {
                        return self.body(body, scope, out);
                    }
                }
                return self.body(otherwise, scope, out);
            }
            StatementKind::For(node) => return self.for_loop(node, scope, out),
            StatementKind::SetBlock { target, filter, block } => {
                let inner = Scope::inner(scope, &block.unset);
                let (text, flow) = self.captured(block, &inner)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
                let value = match filter {
                    Some(filter) => self.filter_text(filter, text, &inner)?,
                    None => Value::str(text),
                };
                self.assign(target, value, scope)?;
            }
            StatementKind::FilterBlock { filter, block } => {
                let inner = Scope::inner(scope, &block.unset);
                let (text, flow) = self.captured(block, &inner)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
                let value = self.filter_text(filter, text, &inner)?;
                self.write(string(&value)?, out)?;
            }
            StatementKind::With { targets, values, block } => {
                let inner = Scope::inner(scope, &block.unset);
                for (target, value) in targets.iter().zip(values) {
                    let value = self.expression(value, scope)?;
                    self.assign(target, value, &inner)?;
                }
                return self.body(&block.body, &inner, out);
            }
            StatementKind::Macro(node) => {
                let value = self.macro_value(node, scope);
                node.name.iter().for_each(|name| scope.set(name, value.clone()));
            }
            StatementKind::CallBlock { call, caller } => {
                let caller = self.macro_value(caller, scope);
                let value = self.call_with_caller(call, caller, scope)?;
                self.write(string(&value)?, out)?;
            }
            StatementKind::Generation(node) => {
                let words = MacroValue::new(Arc::clone(node), Rc::clone(scope));
                let text = show::text(&self.call_macro(&words, Default::default())?)?;
                self.write(&text, out)?;
            }
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn write(&mut self, text: &str, out: &mut String) -> Outcome<()> {
        self.spend(text.len() as u64 / 64)?;
        out.push_str(text);
        Ok(())
    }

    fn captured(&mut self, block: &Block, scope: &Rc<Scope>) -> Outcome<(String, Flow)> {
        let mut text = String::new();
        let flow = self.body(&block.body, scope, &mut text)?;
        Ok((text, flow))
    }

    fn filter_text(&mut self, filter: &Expr, text: String, scope: &Rc<Scope>) -> Outcome<Value> {
        self.filter(filter, Some(&Value::str(text)), scope)
    }

    /// Attributes can be assigned to namespaces alone, which Jinja2 checks before it computes the value.
    fn check_fields(&mut self, target: &Target, scope: &Rc<Scope>) -> Outcome<()> {
        match target {
            Target::Name(_) => Ok(()),
            Target::Field(name, _) => self.namespace(name, scope).map(|_| ()),
            Target::Tuple(targets) => targets.iter().try_for_each(|t| self.check_fields(t, scope)),
        }
    }

    fn namespace(&self, name: &str, scope: &Rc<Scope>) -> Outcome<Rc<Namespace>> {
        let value = match scope.get(name) {
            Lookup::Value(value) => Some(value),
            _ => None,
        };
        let known = value.and_then(|value| match value {
            Value::Object(object) => self
                .namespaces
                .iter()
                .find(|n| std::ptr::addr_eq(Rc::as_ptr(n), Rc::as_ptr(&object)))
                .cloned(),
            _ => None,
        });
        known.map_or_else(|| failed("cannot assign attribute on non-namespace object"), Ok)
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value, scope: &Rc<Scope>) -> Outcome<()> {
        match target {
            Target::Name(name) => scope.set(name, value),
            Target::Field(name, field) => self.namespace(name, scope)?.set(field, value)?,
            Target::Tuple(targets) => {
                let items = value.items().or_else(|_| {
                    failed(format!("cannot unpack non-iterable {} object", value.type_name()))
                })?;
                if items.len() != targets.len() {
                    let (n, m) = (items.len(), targets.len());
                    let much = if n > m { "too many" } else { "not enough" };
                    return failed(format!("{much} values to unpack (expected {m}, got {n})"));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, scope)?;
                }
            }
        }
        Ok(())
    }
}
