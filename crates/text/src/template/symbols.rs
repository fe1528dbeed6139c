//! Which names a scope assigns, as Jinja2's compiler finds out before anything runs.
//!
//! Jinja2 makes each name that a scope assigns a variable of a Python function. Where the assignment comes first in
//! the source and no outer scope assigns the name, the variable begins undefined, even where the template was given a
//! value of that name; an inner block that runs before the assignment sees that.

use std::collections::HashMap;
use std::sync::Arc;

use crate::template::fault::{Outcome, failed};
use crate::template::syntax::{
    Block, Body, CallArgs, Expr, ExprKind, Loop, Macro, Statement, StatementKind, Target, Word,
};

/// How a name of a scope gets its first value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It is looked up where it is not assigned yet.
    Outside,
    Undefined,
}

/// The names of one scope.
#[derive(Clone, Default)]
struct Names {
    origins: HashMap<Word, Origin>,
    stores: Vec<Word>,
}

/// A scope's names and those around it, innermost first.
struct Scopes<'a> {
    names: Names,
    outer: Option<&'a Scopes<'a>>,
}

impl Scopes<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.origins.contains_key(name) || self.outer.is_some_and(|outer| outer.has(name))
    }

    fn load(&mut self, name: &Word) {
        if !self.has(name) {
            self.names.origins.insert(Arc::clone(name), Origin::Outside);
        }
    }

    fn store(&mut self, name: &Word) {
        let origin =
            if self.outer.is_some_and(|outer| outer.has(name)) { Origin::Outside } else { Origin::Undefined };
        self.names.origins.entry(Arc::clone(name)).or_insert(origin);
        self.add_store(name);
    }

    fn parameter(&mut self, name: &Word) {
        self.names.origins.insert(Arc::clone(name), Origin::Outside);
        self.add_store(name);
    }

    fn add_store(&mut self, name: &Word) {
        if !self.names.stores.contains(name) {
            self.names.stores.push(Arc::clone(name));
        }
    }

    fn inner(&self) -> Scopes<'_> {
        Scopes { names: Names::default(), outer: Some(self) }
    }

    fn unset(&self) -> Vec<Word> {
        let mut unset: Vec<Word> = self
            .names
            .origins
            .iter()
            .filter(|(_, origin)| **origin == Origin::Undefined)
            .map(|(name, _)| Arc::clone(name))
            .collect();
        unset.sort();
        unset
    }

    fn expr(&mut self, expr: &Expr) {
        walk(expr, &mut |name| self.load(name));
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Name(name) => self.store(name),
            Target::Field(namespace, _) => self.load(namespace),
            Target::Tuple(targets) => targets.iter().for_each(|t| self.target(t)),
        }
    }

    fn parameters(&mut self, target: &Target) {
        match target {
            Target::Name(name) => self.parameter(name),
            Target::Field(..) => {}
            Target::Tuple(targets) => targets.iter().for_each(|t| self.parameters(t)),
        }
    }

    /// The names that statements read and assign in this scope itself.
    fn body(&mut self, body: &[Statement]) {
        for statement in body {
            match &statement.kind {
                StatementKind::Text(_) | StatementKind::Break | StatementKind::Continue => {}
                StatementKind::Print(value) => self.expr(value),
                StatementKind::Set(target, value) => {
                    self.expr(value);
                    self.target(target);
                }
                StatementKind::SetBlock { target, .. } => self.target(target),
                StatementKind::If { branches, otherwise } => self.branches(branches, otherwise),
                StatementKind::For(node) => self.expr(&node.items),
                StatementKind::With { values, .. } => values.iter().for_each(|v| self.expr(v)),
                StatementKind::Macro(node) => node.name.iter().for_each(|name| self.store(name)),
                StatementKind::CallBlock { call, .. } => self.expr(call),
                StatementKind::FilterBlock { filter, .. } => self.expr(filter),
                StatementKind::Generation(_) => {}
            }
        }
    }

    /// `{% if %}`: a name that some branches assign and others do not is looked up where none has.
    fn branches(&mut self, branches: &[(Expr, Body)], otherwise: &[Statement]) {
        let Some(((test, body), rest)) = branches.split_first() else { return };
        self.expr(test);
        let before = self.names.clone();
        let mut visited = Vec::new();
        let mut visit = |this: &mut Self, part: &dyn Fn(&mut Self)| {
            this.names = before.clone();
            part(this);
            visited.push(std::mem::replace(&mut this.names, before.clone()));
        };
        visit(self, &|this| this.body(body));
        // Jinja2 takes all `elif` as one branch, each an `if` of its own.
        visit(self, &|this| rest.iter().for_each(|branch| this.branches(std::slice::from_ref(branch), &[])));
        visit(self, &|this| this.body(otherwise));
        for names in &visited {
            self.names.origins.extend(names.origins.iter().map(|(name, origin)| (Arc::clone(name), *origin)));
        }
        for name in visited.iter().flat_map(|names| &names.stores) {
            if !before.stores.contains(name) {
                self.names.origins.insert(Arc::clone(name), Origin::Outside);
            }
            self.add_store(name);
        }
    }
}

/// Notes in each scope of a template which of its names begin undefined.
pub(crate) fn resolve(root: &mut Block) -> Outcome<()> {
    let mut scopes = Scopes { names: Names::default(), outer: None };
    scopes.body(&root.body);
    root.unset = scopes.unset();
    inner_scopes(&mut root.body, &scopes)
}

fn inner_scopes(body: &mut Body, outer: &Scopes<'_>) -> Outcome<()> {
    for statement in body {
        match &mut statement.kind {
            StatementKind::SetBlock { block, .. } | StatementKind::FilterBlock { block, .. } => {
                scope(block, outer, |_| {})?;
            }
            StatementKind::If { branches, otherwise } => {
                for (_, body) in branches {
                    inner_scopes(body, outer)?;
                }
                inner_scopes(otherwise, outer)?;
            }
            StatementKind::For(node) => {
                let node = unshared(node)?;
                let Loop { target, body, otherwise, .. } = node;
                scope(body, outer, |scopes| {
                    scopes.parameter(&Word::from("loop"));
                    scopes.parameters(target);
                })?;
                scope(otherwise, outer, |_| {})?;
            }
            StatementKind::With { targets, block, .. } => {
                scope(block, outer, |scopes| targets.iter().for_each(|t| scopes.parameters(t)))?;
            }
            StatementKind::Macro(node) | StatementKind::Generation(node) => {
                macro_scope(unshared(node)?, outer)?;
            }
            StatementKind::CallBlock { caller, .. } => macro_scope(unshared(caller)?, outer)?,
            _ => {}
        }
    }
    Ok(())
}

/// Nothing else holds a tree that is being read.
fn unshared<T>(node: &mut Arc<T>) -> Outcome<&mut T> {
    Arc::get_mut(node).map_or_else(|| failed("a part of the template is shared"), Ok)
}

fn macro_scope(node: &mut Macro, outer: &Scopes<'_>) -> Outcome<()> {
    let Macro { parameters, defaults, body, uses, .. } = node;
    scope(body, outer, |scopes| {
        parameters.iter().for_each(|name| scopes.parameter(name));
        for (name, used) in [("caller", uses.caller), ("kwargs", uses.kwargs), ("varargs", uses.varargs)] {
            if used {
                scopes.parameter(&Word::from(name));
            }
        }
        defaults.iter().for_each(|value| scopes.expr(value));
    })
}

fn scope(block: &mut Block, outer: &Scopes<'_>, declare: impl FnOnce(&mut Scopes<'_>)) -> Outcome<()> {
    let mut scopes = outer.inner();
    declare(&mut scopes);
    scopes.body(&block.body);
    block.unset = scopes.unset();
    inner_scopes(&mut block.body, &scopes)
}

/// A loop may not assign to `loop`.
pub(crate) fn check_loop(node: &Loop) -> Outcome<()> {
    let mut assigned = false;
    let mut see = |event: Event<'_>| assigned |= matches!(event, Event::Store("loop"));
    events_of_target(&node.target, &mut see);
    events(&node.body.body, &mut see);
    events(&node.otherwise.body, &mut see);
    if assigned { failed("Can't assign to special loop variable in for-loop target") } else { Ok(()) }
}

/// For each name, whether a body reads it before anything assigns it.
pub(crate) fn reads_first<const N: usize>(body: &[Statement], names: [&str; N]) -> [bool; N] {
    let mut read = [false; N];
    let mut assigned = [false; N];
    events(body, &mut |event| {
        let (Event::Load(name) | Event::Store(name)) = event;
        if let Some(i) = names.iter().position(|n| *n == name) {
            match event {
                Event::Load(_) => read[i] |= !assigned[i],
                Event::Store(_) => assigned[i] = true,
            }
        }
    });
    read
}

/// What happens to a name, in the order of the source and through all scopes.
#[derive(Clone, Copy)]
enum Event<'a> {
    Load(&'a str),
    Store(&'a str),
}

fn events_of_target(target: &Target, see: &mut dyn FnMut(Event<'_>)) {
    match target {
        Target::Name(name) => see(Event::Store(name)),
        Target::Field(..) => {}
        Target::Tuple(targets) => targets.iter().for_each(|t| events_of_target(t, see)),
    }
}

fn events_of_macro(node: &Macro, see: &mut dyn FnMut(Event<'_>)) {
    node.parameters.iter().for_each(|name| see(Event::Store(name)));
    node.defaults.iter().for_each(|value| walk(value, &mut |name| see(Event::Load(name))));
    events(&node.body.body, see);
}

fn events(body: &[Statement], see: &mut dyn FnMut(Event<'_>)) {
    let load = |expr: &Expr, see: &mut dyn FnMut(Event<'_>)| walk(expr, &mut |name| see(Event::Load(name)));
    for statement in body {
        match &statement.kind {
            StatementKind::Text(_) | StatementKind::Break | StatementKind::Continue => {}
            StatementKind::Print(value) => load(value, see),
            StatementKind::Set(target, value) => {
                events_of_target(target, see);
                load(value, see);
            }
            StatementKind::SetBlock { target, filter, block } => {
                events_of_target(target, see);
                filter.iter().for_each(|f| load(f, see));
                events(&block.body, see);
            }
            StatementKind::If { branches, otherwise } => {
                for (test, body) in branches {
                    load(test, see);
                    events(body, see);
                }
                events(otherwise, see);
            }
            StatementKind::For(node) => {
                events_of_target(&node.target, see);
                load(&node.items, see);
                events(&node.body.body, see);
                events(&node.otherwise.body, see);
                node.test.iter().for_each(|test| load(test, see));
            }
            StatementKind::With { targets, values, block } => {
                targets.iter().for_each(|t| events_of_target(t, see));
                values.iter().for_each(|v| load(v, see));
                events(&block.body, see);
            }
            // A macro's own name is no name to Jinja2's visitor.
            StatementKind::Macro(node) | StatementKind::Generation(node) => events_of_macro(node, see),
            StatementKind::CallBlock { call, caller } => {
                load(call, see);
                events_of_macro(caller, see);
            }
            StatementKind::FilterBlock { filter, block } => {
                events(&block.body, see);
                load(filter, see);
            }
        }
    }
}

/// Shows every name that an expression reads.
fn walk(expr: &Expr, see: &mut dyn FnMut(&Word)) {
    let args = |args: &CallArgs, see: &mut dyn FnMut(&Word)| args.exprs().for_each(|e| walk(e, see));
    match &*expr.kind {
        ExprKind::None | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Text(_) => {}
        ExprKind::Name(name) => see(name),
        ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Concat(items) => {
            items.iter().for_each(|e| walk(e, see));
        }
        ExprKind::Dict(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).for_each(|e| walk(e, see)),
        ExprKind::Attribute(value, _) | ExprKind::Signed { value, .. } | ExprKind::Not(value) => {
            walk(value, see);
        }
        ExprKind::Item(a, b) | ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Binary(_, a, b) => {
            [a, b].into_iter().for_each(|e| walk(e, see));
        }
        ExprKind::Slice(value, bounds) => {
            std::iter::once(value).chain(bounds.iter().flatten()).for_each(|e| walk(e, see));
        }
        ExprKind::Call(value, call) | ExprKind::Test(value, _, call) => {
            walk(value, see);
            args(call, see);
        }
        ExprKind::Filter(value, _, call) => {
            value.iter().for_each(|e| walk(e, see));
            args(call, see);
        }
        ExprKind::Compare(first, rest) => {
            std::iter::once(first).chain(rest.iter().map(|(_, e)| e)).for_each(|e| walk(e, see));
        }
        ExprKind::Choice { test, yes, no } => {
            [Some(test), Some(yes), no.as_ref()].into_iter().flatten().for_each(|e| walk(e, see));
        }
    }
}
