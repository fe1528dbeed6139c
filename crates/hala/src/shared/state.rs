//! One runtime, many threads: whoever waits for a result and finds nobody at work does the next step, for all.
//!
//! So one caller alone computes on its own thread, with nothing between it and the runtime; and several share their runs without a thread of the
//! runtime's own. A thread that was handed its result goes its way, and another of those that wait goes on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use hala_engine::Task;
use pollster::block_on;

use super::job::{Job, Stage};
use super::output::Output;
use crate::current::Current;
use crate::error::Error;
use crate::runtime::Runtime;

/// The runtime, its work, and those who wait.
pub(super) struct Inner {
    state: Mutex<State>,
    current: Current,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}

struct State {
    /// Away while somebody is at work with it.
    place: Place,
    jobs: Vec<Running>,
    /// What waits for each job.
    boxes: Vec<Outbox>,
    /// Those who wait, the longest first.
    waiting: VecDeque<Waiter>,
    next_id: u64,
}

enum Place {
    Here(Box<Runtime>),
    AtWork,
    /// Somebody panicked with it.
    Broken,
}

/// A job with its number.
struct Running {
    id: u64,
    job: Box<dyn Job>,
    /// Whether it has not been worked on.
    is_fresh: bool,
}

/// What came of a job and was not fetched.
struct Outbox {
    id: u64,
    outputs: VecDeque<Output>,
    end: Option<Result<(), Error>>,
}

struct Waiter {
    /// `None` for whoever wants the runtime for themselves.
    id: Option<u64>,
    call: Arc<Condvar>,
}

impl Inner {
    /// Of a runtime, without any work.
    pub(super) fn new(runtime: Runtime) -> Self {
        let current = runtime.current().clone();
        let state = State {
            place: Place::Here(Box::new(runtime)),
            jobs: Vec::new(),
            boxes: Vec::new(),
            waiting: VecDeque::new(),
            next_id: 0,
        };
        Self { state: Mutex::new(state), current }
    }

    /// The engine that runs.
    pub(super) fn current(&self) -> &Current {
        &self.current
    }

    /// Takes in a job, and gives its number.
    pub(super) fn begin(&self, job: Box<dyn Job>) -> u64 {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.jobs.push(Running { id, job, is_fresh: true });
        state.boxes.push(Outbox { id, outputs: VecDeque::new(), end: None });
        id
    }

    /// Does something with the runtime while nobody else works with it; other work waits.
    ///
    /// # Errors
    /// What the work gives; an earlier fault that left the runtime in pieces.
    pub(super) fn alone<T>(&self, work: impl FnOnce(&mut Runtime) -> Result<T, Error>) -> Result<T, Error> {
        let mut state = self.lock();
        if !state.waiting.is_empty() {
            state = self.wait(state, None);
        }
        let runtime = loop {
            match state.claim()? {
                Some(runtime) => break runtime,
                None => state = self.wait(state, None),
            }
        };
        drop(state);
        let mut at_work = AtWork { inner: self, runtime: Some(runtime), jobs: Vec::new() };
        let done = at_work.runtime.as_mut().map_or(Err(Error::Broken), |runtime| work(runtime));
        drop(at_work);
        self.lock().call_next();
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next of what came of a job; `None` at the end. Computes, where nobody else does.
    ///
    /// # Errors
    /// What ended the job.
    pub(super) fn next(&self, id: u64) -> Result<Option<Output>, Error> {
        let mut state = self.lock();
        // Whoever waits longer goes first.
        if !state.has_some(id) && !state.waiting.is_empty() {
            state = self.wait(state, Some(id));
        }
        loop {
            if let Some(got) = state.take(id) {
                state.call_next();
                return got;
            }
            if state.waiting.front().is_some_and(|waiter| waiter.id.is_none()) {
                // Whoever wants the runtime for themselves waits for one step, and not for all that this one takes.
                state.call_next();
                state = self.wait(state, Some(id));
                continue;
            }
            let Some(runtime) = state.claim()? else {
                state = self.wait(state, Some(id));
                continue;
            };
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            AtWork { inner: self, runtime: Some(runtime), jobs }.step();
            state = self.lock();
        }
    }

    /// Ends a job that nobody wants any more.
    pub(super) fn forget(&self, id: u64) {
        let mut state = self.lock();
        state.boxes.retain(|outbox| outbox.id != id);
        // Where it is being worked on, it is not put back.
        let (gone, kept) = std::mem::take(&mut state.jobs).into_iter().partition(|running| running.id == id);
        state.jobs = kept;
        drop(state);
        drop::<Vec<Running>>(gone);
    }

    /// Waits until there is something for a job, or the runtime is free.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State>, id: Option<u64>) -> MutexGuard<'a, State> {
        let call = Arc::new(Condvar::new());
        state.waiting.push_back(Waiter { id, call: Arc::clone(&call) });
        let mut state = call.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting.retain(|waiter| !Arc::ptr_eq(&waiter.call, &call));
        state
    }
}

impl State {
    /// The runtime, which is then at work; `None` where it is already.
    ///
    /// # Errors
    /// Somebody panicked with it.
    fn claim(&mut self) -> Result<Option<Box<Runtime>>, Error> {
        match std::mem::replace(&mut self.place, Place::AtWork) {
            Place::Here(runtime) => Ok(Some(runtime)),
            Place::AtWork => Ok(None),
            Place::Broken => {
                self.place = Place::Broken;
                Err(Error::Broken)
            }
        }
    }

    /// What waits for a job first.
    fn take(&mut self, id: u64) -> Option<Result<Option<Output>, Error>> {
        let outbox = self.boxes.iter_mut().find(|outbox| outbox.id == id)?;
        if let Some(output) = outbox.outputs.pop_front() {
            return Some(Ok(Some(output)));
        }
        // An error is told once; after it there is nothing more.
        outbox.end.as_mut().map(|end| std::mem::replace(end, Ok(())).map(|()| None))
    }

    fn has_some(&self, id: u64) -> bool {
        let outbox = self.boxes.iter().find(|outbox| outbox.id == id);
        outbox.is_some_and(|outbox| !outbox.outputs.is_empty() || outbox.end.is_some())
    }

    /// Wakes those for whom there is something.
    fn call_served(&self) {
        let served = self.waiting.iter().filter(|waiter| waiter.id.is_some_and(|id| self.has_some(id)));
        served.for_each(|waiter| waiter.call.notify_all());
    }

    /// Wakes one who waits, to go on with the work.
    fn call_next(&self) {
        if !matches!(self.place, Place::AtWork)
            && let Some(waiter) = self.waiting.front()
        {
            waiter.call.notify_all();
        }
    }
}

/// The runtime while a thread works with it. It is put back however that ends.
struct AtWork<'a> {
    inner: &'a Inner,
    runtime: Option<Box<Runtime>>,
    jobs: Vec<Running>,
}

impl AtWork<'_> {
    /// One step for all jobs.
    fn step(mut self) {
        let Self { runtime: Some(runtime), jobs, .. } = &mut self else { return };
        let mut outboxes = Vec::new();
        let done = block_on(step(runtime, jobs, &mut outboxes));
        let mut ended: Vec<u64> = outboxes.iter().filter(|o| o.end.is_some()).map(|o| o.id).collect();
        if let Err(error) = done {
            // It is everybody's.
            let error = Arc::new(error);
            for running in jobs.iter().filter(|running| !ended.contains(&running.id)) {
                let end = Some(Err(Error::Shared(Arc::clone(&error))));
                outboxes.push(Outbox { id: running.id, outputs: VecDeque::new(), end });
            }
            ended.extend(jobs.iter().map(|running| running.id));
        }
        jobs.retain(|running| !ended.contains(&running.id));
        let mut state = self.inner.lock();
        for more in outboxes {
            if let Some(outbox) = state.boxes.iter_mut().find(|outbox| outbox.id == more.id) {
                outbox.outputs.extend(more.outputs);
                outbox.end = more.end;
            }
        }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        if std::thread::panicking() {
            state.place = Place::Broken;
            state.waiting.iter().for_each(|waiter| waiter.call.notify_all());
            return;
        }
        if let Some(runtime) = self.runtime.take() {
            state.place = Place::Here(runtime);
        }
        let mut jobs = std::mem::take(&mut self.jobs);
        jobs.retain(|running| state.boxes.iter().any(|outbox| outbox.id == running.id));
        // Those that were begun meanwhile come after them.
        jobs.append(&mut state.jobs);
        state.jobs = jobs;
        state.call_served();
    }
}

/// Hands out what is certain of all jobs, or else makes one step. Only an error that is everybody's is returned.
async fn step(runtime: &mut Runtime, jobs: &mut [Running], outboxes: &mut Vec<Outbox>) -> Result<(), Error> {
    let has_begun = jobs.iter().any(|running| !running.is_fresh);
    jobs.iter_mut().for_each(|running| running.is_fresh = false);
    if !has_begun {
        runtime.begin_work().await?;
    }
    runtime.make_scheduler().await?;
    let n_parallel = runtime.scheduler()?.n_parallel();
    let engine = Arc::clone(runtime.engine()?);
    let stage = Stage { engine: &engine, n_parallel };
    for Running { id, job, .. } in jobs.iter_mut() {
        let mut outputs = VecDeque::new();
        let end = match job.advance(stage, &mut outputs) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        if !outputs.is_empty() || end.is_some() {
            outboxes.push(Outbox { id: *id, outputs, end });
        }
    }
    if !outboxes.is_empty() {
        return Ok(());
    }
    runtime.step_tasks(&mut in_turn(jobs)).await
}

/// The first task of each job, then the second of each, and so on: a job of many waits with its second for another's first.
fn in_turn(jobs: &mut [Running]) -> Vec<&mut (dyn Task + Send)> {
    let mut of_jobs: Vec<_> = jobs.iter_mut().map(|running| running.job.tasks().into_iter()).collect();
    let mut tasks = Vec::new();
    loop {
        let n = tasks.len();
        tasks.extend(of_jobs.iter_mut().filter_map(Iterator::next));
        if tasks.len() == n {
            return tasks;
        }
    }
}
