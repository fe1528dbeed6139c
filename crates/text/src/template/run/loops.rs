//! `{% for %}`, and the variable `loop` within.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::template::args::Args;
use crate::template::fault::{Outcome, failed, refused};
use crate::template::run::Run;
use crate::template::run::statement::Flow;
use crate::template::scope::Scope;
use crate::template::stream::Stream;
use crate::template::syntax::{Loop, Word};
use crate::template::value::{Object, Value};

/// A loop that runs: Jinja2's `LoopContext`. Items are taken, and a loop's `if` asked, no earlier than needed.
pub(super) struct LoopState {
    node: Arc<Loop>,
    /// The scope around the loop.
    outer: Rc<Scope>,
    items: Rc<RefCell<Stream<Value>>>,
    /// The number of items, where it is known without going through them.
    length: Cell<Option<usize>>,
    /// Whether the items that are left have been asked already.
    all_passed: Cell<bool>,
    /// How many items have begun.
    n_begun: Cell<usize>,
    before: RefCell<Option<Value>>,
    current: RefCell<Option<Value>>,
    after: RefCell<Option<Value>>,
    /// What `changed` was last called with.
    last_changed: RefCell<Option<Value>>,
    depth0: usize,
    me: Weak<LoopState>,
}

impl Object for LoopState {
    fn class(&self) -> &'static str {
        "LoopContext"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let index0 = self.n_begun.get().saturating_sub(1);
        Some(match name {
            "index" => Value::count(self.n_begun.get()),
            "index0" => Value::count(index0),
            "first" => Value::Bool(index0 == 0),
            "depth" => Value::count(self.depth0 + 1),
            "depth0" => Value::count(self.depth0),
            "previtem" if index0 == 0 => Value::undefined("there is no previous item"),
            "previtem" => self.before.borrow().clone()?,
            "cycle" | "changed" => {
                let me: Rc<dyn Object> = self.me.upgrade()?;
                Value::Method(Rc::new((Value::Object(me), Arc::from(name))))
            }
            _ => return None,
        })
    }

    fn printed(&self, _: usize) -> Option<Outcome<String>> {
        let length = self.length.get()?;
        Some(Ok(format!("<LoopContext {}/{length}>", self.n_begun.get())))
    }

    fn callable(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Run {
    pub(super) fn for_loop(
        &mut self,
        node: &Arc<Loop>,
        scope: &Rc<Scope>,
        out: &mut String,
    ) -> Outcome<Flow> {
        let items = self.expression(&node.items, scope)?;
        self.run_loop(node, items, (scope, 0), out)
    }

    fn run_loop(
        &mut self,
        node: &Arc<Loop>,
        items: Value,
        (outer, depth0): (&Rc<Scope>, usize),
        out: &mut String,
    ) -> Outcome<Flow> {
        let state = loop_state(node, items, outer, depth0)?;
        let mut ended_a_turn = false;
        let loop_name = Word::from("loop");
        while let Some(item) = self.take_next(&state)? {
            self.spend(1)?;
            state.n_begun.set(state.n_begun.get() + 1);
            *state.before.borrow_mut() = state.current.replace(Some(item.clone()));
            let scope = Scope::inner(outer, &node.body.unset);
            let me: Rc<dyn Object> = Rc::<LoopState>::clone(&state);
            scope.set(&loop_name, Value::Object(me));
            self.assign(&node.target, item, &scope)?;
            match self.body(&node.body.body, &scope, out)? {
                Flow::On => ended_a_turn = true,
                Flow::Continue => {}
                Flow::Break => break,
            }
        }
        // Jinja2 notes at the end of a turn that there was one, so one that was left early does not count.
        if !ended_a_turn {
            let scope = Scope::inner(outer, &node.otherwise.unset);
            return self.body(&node.otherwise.body, &scope, out);
        }
        Ok(Flow::On)
    }

    fn take_next(&mut self, state: &LoopState) -> Outcome<Option<Value>> {
        let ready = state.after.borrow_mut().take();
        if ready.is_some() { Ok(ready) } else { self.pull(state) }
    }

    /// The next item that the loop's `if` lets through.
    fn pull(&mut self, state: &LoopState) -> Outcome<Option<Value>> {
        loop {
            let next = state.items.borrow_mut().next()?;
            let (Some(item), Some(test), false) = (&next, &state.node.test, state.all_passed.get()) else {
                return Ok(next);
            };
            self.spend(1)?;
            let scope = Scope::inner(&state.outer, &[]);
            self.assign(&state.node.target, item.clone(), &scope)?;
            if self.expression(test, &scope)?.is_true() {
                return Ok(next);
            }
        }
    }

    fn peek(&mut self, state: &LoopState) -> Outcome<Option<Value>> {
        if state.after.borrow().is_none() {
            let next = self.pull(state)?;
            *state.after.borrow_mut() = next;
        }
        Ok(state.after.borrow().clone())
    }

    fn loop_length(&mut self, state: &LoopState) -> Outcome<usize> {
        if let Some(length) = state.length.get() {
            return Ok(length);
        }
        let mut rest = Vec::new();
        while let Some(item) = self.pull(state)? {
            rest.push(item);
        }
        let length = rest.len() + state.n_begun.get() + usize::from(state.after.borrow().is_some());
        state.length.set(Some(length));
        // What was let through once is not asked again.
        state.all_passed.set(true);
        *state.items.borrow_mut() = Stream::new(rest, None);
        Ok(length)
    }

    /// The attributes of `loop` that need what comes after.
    pub(super) fn loop_attribute(&mut self, owner: &Value, name: &str) -> Outcome<Option<Value>> {
        let Value::Object(object) = owner else { return Ok(None) };
        let Some(state) = object.as_any().downcast_ref::<LoopState>() else { return Ok(None) };
        Ok(match name {
            "last" => Some(Value::Bool(self.peek(state)?.is_none())),
            "nextitem" => {
                Some(self.peek(state)?.unwrap_or_else(|| Value::undefined("there is no next item")))
            }
            "length" => Some(Value::count(self.loop_length(state)?)),
            "revindex" | "revindex0" => {
                let back = i128::from(name == "revindex") - state.n_begun.get() as i128;
                Some(Value::Int(self.loop_length(state)? as i128 + back))
            }
            _ => None,
        })
    }

    /// `loop(items)`: the body for other items, in a loop that is `recursive`.
    pub(super) fn call_loop(&mut self, state: &LoopState, args: Args) -> Outcome<Value> {
        let [items] = args.bind(crate::template::args::Signature {
            function: "__call__",
            parameters: ["iterable"],
            n_needed: 1,
        })?;
        if !state.node.recursive {
            return failed("The loop must have the 'recursive' marker to be called recursively.");
        }
        let mut out = String::new();
        let items = items.unwrap_or(Value::None);
        self.run_loop(&state.node, items, (&state.outer, state.depth0 + 1), &mut out)?;
        Ok(Value::str(out))
    }
}

/// `loop.cycle(…)` and `loop.changed(…)`.
pub(super) fn call_loop_method(state: &LoopState, name: &str, args: Args) -> Outcome<Value> {
    if !args.keyword.is_empty() {
        return failed(format!("{name}() got an unexpected keyword argument"));
    }
    let values = args.positional;
    if name == "cycle" {
        let index0 = state.n_begun.get().saturating_sub(1);
        return match values.len() {
            0 => failed("no items for cycling given"),
            n => Ok(values[index0 % n].clone()),
        };
    }
    let given = Value::tuple(values)?;
    let changed = !state.last_changed.borrow().as_ref().is_some_and(|last| last.equals(&given));
    *state.last_changed.borrow_mut() = Some(given);
    Ok(Value::Bool(changed))
}

fn loop_state(node: &Arc<Loop>, items: Value, outer: &Rc<Scope>, depth0: usize) -> Outcome<Rc<LoopState>> {
    let length = if node.test.is_some() { None } else { items.len().ok() };
    let queue = match items {
        Value::Stream(queue) => queue,
        Value::Object(object) if object.class() == "LoopContext" => {
            return refused("going through `loop` itself");
        }
        _ => Rc::new(RefCell::new(Stream::new(items.items()?, None))),
    };
    Ok(Rc::new_cyclic(|me| LoopState {
        node: Arc::clone(node),
        outer: Rc::clone(outer),
        items: queue,
        length: Cell::new(length),
        all_passed: Cell::new(false),
        n_begun: Cell::new(0),
        before: RefCell::new(None),
        current: RefCell::new(None),
        after: RefCell::new(None),
        last_changed: RefCell::new(None),
        depth0,
        me: me.clone(),
    }))
}
