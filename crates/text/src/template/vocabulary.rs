//! Filters and tests that a template names and nobody has: an error before it runs, as Jinja2's compiler has it.

use crate::template::fault::{Fault, Outcome, failed};
use crate::template::syntax::{Block, Body, CallArgs, Expr, ExprKind, Macro, StatementKind};
use crate::template::{checks, filters};

/// Whether a name may be unknown until it is used: Jinja2 waits for that within `{% if %}` and `a if b else c`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    Used,
}

/// Finds the first unknown name, and its line.
pub(crate) fn check(root: &Block) -> Result<(), (Fault, u32)> {
    let mut line = 1;
    body(&root.body, When::Now, &mut line).map_err(|fault| (fault, line))
}

fn body(body_: &Body, when: When, line: &mut u32) -> Outcome<()> {
    for statement in body_ {
        *line = statement.line;
        match &statement.kind {
            StatementKind::Text(_) | StatementKind::Break | StatementKind::Continue => {}
            StatementKind::Print(value) | StatementKind::Set(_, value) => expr(value, when)?,
            StatementKind::SetBlock { filter, block, .. } => {
                body(&block.body, When::Now, line)?;
                filter.iter().try_for_each(|f| expr(f, When::Now))?;
            }
            StatementKind::If { branches, otherwise } => {
                for (test, branch) in branches {
                    expr(test, When::Used)?;
                    body(branch, When::Used, line)?;
                }
                body(otherwise, When::Used, line)?;
            }
            StatementKind::For(node) => {
                expr(&node.items, when)?;
                node.test.iter().try_for_each(|test| expr(test, When::Now))?;
                body(&node.body.body, When::Now, line)?;
                body(&node.otherwise.body, When::Now, line)?;
            }
            StatementKind::With { values, block, .. } => {
                values.iter().try_for_each(|v| expr(v, when))?;
                body(&block.body, When::Now, line)?;
            }
            StatementKind::Macro(node) | StatementKind::Generation(node) => macro_(node, line)?,
            StatementKind::CallBlock { call, caller } => {
                macro_(caller, line)?;
                expr(call, when)?;
            }
            StatementKind::FilterBlock { filter, block } => {
                body(&block.body, When::Now, line)?;
                expr(filter, When::Now)?;
            }
        }
    }
    Ok(())
}

fn macro_(node: &Macro, line: &mut u32) -> Outcome<()> {
    node.defaults.iter().try_for_each(|value| expr(value, When::Now))?;
    body(&node.body.body, When::Now, line)
}

fn expr(value: &Expr, when: When) -> Outcome<()> {
    let all = |exprs: &mut dyn Iterator<Item = &Expr>| {
        for e in exprs {
            expr(e, when)?;
        }
        Ok(())
    };
    let args = |call: &CallArgs| call.exprs().try_for_each(|e| expr(e, when));
    match &*value.kind {
        ExprKind::None | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) => Ok(()),
        ExprKind::Text(_) | ExprKind::Name(_) => Ok(()),
        ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Concat(items) => all(&mut items.iter()),
        ExprKind::Dict(pairs) => all(&mut pairs.iter().flat_map(|(k, v)| [k, v])),
        ExprKind::Attribute(inner, _) | ExprKind::Signed { value: inner, .. } | ExprKind::Not(inner) => {
            expr(inner, when)
        }
        ExprKind::Item(a, b) | ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Binary(_, a, b) => {
            all(&mut [a, b].into_iter())
        }
        ExprKind::Slice(inner, bounds) => all(&mut std::iter::once(inner).chain(bounds.iter().flatten())),
        ExprKind::Compare(first, rest) => all(&mut std::iter::once(first).chain(rest.iter().map(|(_, e)| e))),
        ExprKind::Call(callee, call) => {
            expr(callee, when)?;
            args(call)
        }
        ExprKind::Filter(inner, name, call) => {
            if when == When::Now && filters::find(name).is_none() {
                return failed(format!("No filter named '{name}'."));
            }
            inner.iter().try_for_each(|e| expr(e, when))?;
            args(call)
        }
        ExprKind::Test(inner, name, call) => {
            if when == When::Now && checks::find(name).is_none() {
                return failed(format!("No test named '{name}'."));
            }
            expr(inner, when)?;
            args(call)
        }
        ExprKind::Choice { test, yes, no } => {
            let parts = [Some(test), Some(yes), no.as_ref()];
            parts.into_iter().flatten().try_for_each(|e| expr(e, When::Used))
        }
    }
}
