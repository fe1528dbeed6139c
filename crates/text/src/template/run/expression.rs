//! Expressions.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::access::{self, Slice};
use crate::template::args::Args;
use crate::template::fault::{Outcome, failed, refused};
use crate::template::host::Host;
use crate::template::run::Run;
use crate::template::scope::{Lookup, Scope};
use crate::template::syntax::{CallArgs, Comparison, Expr, ExprKind};
use crate::template::value::Value;
use crate::template::{arithmetic, compare, globals, show};

impl Run {
    pub(super) fn expression(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        self.spend(1)?;
        self.line = expr.line;
        self.deeper(|run| run.evaluate(&expr.kind, scope))
    }

    fn evaluate(&mut self, kind: &ExprKind, scope: &Rc<Scope>) -> Outcome<Value> {
        match kind {
            ExprKind::None => Ok(Value::None),
            ExprKind::Bool(b) => Ok(Value::Bool(*b)),
            ExprKind::Int(n) => Ok(Value::Int(*n)),
            ExprKind::Float(x) => Ok(Value::Float(*x)),
            ExprKind::Text(text) => Ok(Value::Str(Arc::clone(text))),
            ExprKind::Name(name) => self.name(name, scope),
            ExprKind::List(items) => Value::list(self.all(items, scope)?),
            ExprKind::Tuple(items) => Value::tuple(self.all(items, scope)?),
            ExprKind::Dict(pairs) => self.dict(pairs, scope),
            ExprKind::Attribute(owner, name) => {
                let owner = self.expression(owner, scope)?;
                match self.loop_attribute(&owner, name)? {
                    Some(found) => Ok(found),
                    None => access::attribute(&owner, name),
                }
            }
            ExprKind::Item(owner, key) => self.item(owner, key, scope),
            ExprKind::Slice(owner, bounds) => self.slice(owner, bounds, scope),
            ExprKind::Call(callee, args) => {
                let callee = self.expression(callee, scope)?;
                let args = self.args(args, scope)?;
                self.call(&callee, args)
            }
            ExprKind::Filter(..) => self.filter_kind(kind, None, scope),
            ExprKind::Test(value, name, args) => {
                let value = self.expression(value, scope)?;
                let args = self.args(args, scope)?;
                self.test(name, &value, args).map(Value::Bool)
            }
            ExprKind::Signed { value, negative } => {
                arithmetic::signed(&self.expression(value, scope)?, *negative)
            }
            ExprKind::Not(value) => Ok(Value::Bool(!self.expression(value, scope)?.is_true())),
            ExprKind::And(left, right) => {
                let left = self.expression(left, scope)?;
                if left.is_true() { self.expression(right, scope) } else { Ok(left) }
            }
            ExprKind::Or(left, right) => {
                let left = self.expression(left, scope)?;
                if left.is_true() { Ok(left) } else { self.expression(right, scope) }
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.expression(left, scope)?;
                let right = self.expression(right, scope)?;
                let value = arithmetic::binary(*operator, &left, &right)?;
                self.pay(&value)?;
                Ok(value)
            }
            ExprKind::Concat(parts) => self.concat(parts, scope),
            ExprKind::Compare(first, rest) => self.compare(first, rest, scope),
            ExprKind::Choice { test, yes, no } => match (self.expression(test, scope)?.is_true(), no) {
                (true, _) => self.expression(yes, scope),
                (false, Some(no)) => self.expression(no, scope),
                (false, None) => Ok(Value::undefined(
                    "the inline if-expression evaluated to false and no else section was defined.",
                )),
            },
        }
    }

    fn name(&self, name: &Arc<str>, scope: &Rc<Scope>) -> Outcome<Value> {
        let undefined = || Value::undefined(format!("'{name}' is undefined"));
        match scope.get(name) {
            Lookup::Value(value) => Ok(value),
            Lookup::Unset => Ok(undefined()),
            Lookup::Unknown => match (self.setting.variables.get(&**name), globals::find(name)) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(function)) => Ok(function),
                (None, None) if &**name == "self" => refused("the variable `self`"),
                (None, None) => Ok(undefined()),
            },
        }
    }

    pub(super) fn all(&mut self, items: &[Expr], scope: &Rc<Scope>) -> Outcome<Vec<Value>> {
        items.iter().map(|item| self.expression(item, scope)).collect()
    }

    fn dict(&mut self, pairs: &[(Expr, Expr)], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut values = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            values.push((self.expression(key, scope)?, self.expression(value, scope)?));
        }
        Value::dict(values)
    }

    fn item(&mut self, owner: &Expr, key: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        let owner = self.expression(owner, scope)?;
        let key = self.expression(key, scope)?;
        let of_loop = key.as_str().map(|name| self.loop_attribute(&owner, name)).transpose()?.flatten();
        match of_loop {
            Some(found) => Ok(found),
            None => access::item(&owner, &key),
        }
    }

    fn slice(&mut self, owner: &Expr, bounds: &[Option<Expr>; 3], scope: &Rc<Scope>) -> Outcome<Value> {
        let owner = self.expression(owner, scope)?;
        let mut bound = |bound: &Option<Expr>| match bound {
            Some(expr) => self.expression(expr, scope),
            None => Ok(Value::None),
        };
        let slice = Slice { start: bound(&bounds[0])?, stop: bound(&bounds[1])?, step: bound(&bounds[2])? };
        let value = access::slice(&owner, &slice)?;
        self.pay(&value)?;
        Ok(value)
    }

    pub(super) fn args(&mut self, args: &CallArgs, scope: &Rc<Scope>) -> Outcome<Args> {
        let mut given = Args::of(self.all(&args.positional, scope)?);
        for (name, value) in &args.keyword {
            given.keyword.push((Arc::clone(name), self.expression(value, scope)?));
        }
        if let Some(all) = &args.all {
            let items = self.expression(all, scope)?.items()?;
            given.positional.extend(items);
        }
        if let Some(named) = &args.all_named {
            let Value::Dict(dict) = self.expression(named, scope)? else {
                return failed("argument after ** must be a mapping");
            };
            for (key, value) in dict.iter() {
                let Value::Str(name) = key else { return failed("keywords must be strings") };
                if given.keyword.iter().any(|(n, _)| n == name) {
                    return failed(format!("got multiple values for keyword argument '{name}'"));
                }
                given.keyword.push((Arc::clone(name), value.clone()));
            }
        }
        Ok(given)
    }

    fn concat(&mut self, parts: &[Expr], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut text = String::new();
        for part in self.all(parts, scope)? {
            text.push_str(&show::text(&part)?);
        }
        let value = Value::str(text);
        self.pay(&value)?;
        Ok(value)
    }

    fn compare(&mut self, first: &Expr, rest: &[(Comparison, Expr)], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut left = self.expression(first, scope)?;
        for (comparison, right) in rest {
            let right = self.expression(right, scope)?;
            if !holds(*comparison, &left, &right)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// A filter, of a value or of the text around it.
    pub(super) fn filter(&mut self, expr: &Expr, text: Option<&Value>, scope: &Rc<Scope>) -> Outcome<Value> {
        self.spend(1)?;
        self.line = expr.line;
        self.filter_kind(&expr.kind, text, scope)
    }

    fn filter_kind(&mut self, kind: &ExprKind, text: Option<&Value>, scope: &Rc<Scope>) -> Outcome<Value> {
        let ExprKind::Filter(value, name, args) = kind else { return failed("expected a filter") };
        let value = match (value, text) {
            // A chain of filters ends at the text.
            (Some(inner), Some(_)) => self.deeper(|run| run.filter(inner, text, scope))?,
            (Some(inner), None) => self.expression(inner, scope)?,
            (None, Some(text)) => text.clone(),
            (None, None) => return failed("a filter without a value"),
        };
        let args = self.args(args, scope)?;
        Host::filter(self, name, &value, args)
    }
}

/// `left comparison right`.
fn holds(comparison: Comparison, left: &Value, right: &Value) -> Outcome<bool> {
    let order = |sign: &str| compare::order(left, right, sign);
    Ok(match comparison {
        Comparison::Equal => left.equals(right),
        Comparison::NotEqual => !left.equals(right),
        Comparison::Less => order("<")? == Some(Ordering::Less),
        Comparison::LessEqual => order("<=")?.is_some_and(Ordering::is_le),
        Comparison::Greater => order(">")? == Some(Ordering::Greater),
        Comparison::GreaterEqual => order(">=")?.is_some_and(Ordering::is_ge),
        Comparison::In => compare::contains(right, left)?,
        Comparison::NotIn => !compare::contains(right, left)?,
    })
}
