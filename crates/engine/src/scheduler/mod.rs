//! Many generations at once: each step is one run with rows of those that decode and chunks of prompts.

mod admit;
mod beginnings;
mod compute;
mod fly;
mod part;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use self::beginnings::Beginnings;
use crate::draft::costs::MOST_ROWS;
use crate::draft::pace::Pace;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::flight::Flight;
use crate::generated::FinishReason;
use crate::memory::Memory;
use crate::sequence::Sequence;
use crate::snapshots::Snapshots;
use crate::table::Table;
use crate::task::Task;
use crate::ticket::Ticket;
use hala_plan::{Backend, Cancel, PoolSize};

/// Snapshots of a sequence at most: a text that goes back computes a little again, and memory is for more sequences.
const N_SNAPSHOTS: usize = 4;

/// Bytes of caches at most where no number of tokens is asked for; one sequence may always fill its context.
#[cfg(not(target_family = "wasm"))]
const MAX_CACHE_BYTES: usize = 1 << 30;
#[cfg(target_family = "wasm")]
const MAX_CACHE_BYTES: usize = 256 << 20;

/// How much a scheduler does at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchedulerOptions {
    /// Sequences at once; `None` for as many as the backend likes.
    pub n_parallel: Option<usize>,
    /// Tokens in the caches of all sequences together; `None` for what a gigabyte holds (256 MiB in browsers), a context at least.
    pub n_tokens: Option<usize>,
    /// When prompts are computed.
    pub prompts: Prompts,
}

/// When prompts are computed, where other sequences decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prompts {
    /// In the same runs, so many rows at a time that those that decode hardly wait.
    #[default]
    Beside,
    /// First: those that decode wait until no prompt is left.
    First,
}

/// A sequence that is worked on.
#[derive(Debug)]
struct Running {
    ticket: Ticket,
    sequence: Sequence,
    /// Tokens of its prompt that were there already.
    n_cached: usize,
    /// Its share of the runs that computed its prompt.
    prefill: Duration,
    /// Tokens after which its beginning is kept for other texts.
    keep_at: Option<usize>,
    /// Whether its next rows give its next token: the one that is due, and a few that drafts took back.
    is_decoding: bool,
}

impl Running {
    /// Its task, where it came again.
    fn task<'t, T: Task>(&self, tasks: &'t [T]) -> Option<&'t T> {
        tasks.iter().find(|task| task.generation().ticket() == self.ticket)
    }

    /// The same, to go on with.
    fn task_mut<'t, T: Task>(&self, tasks: &'t mut [T]) -> Option<&'t mut T> {
        tasks.iter_mut().find(|task| task.generation().ticket() == self.ticket)
    }
}

/// Works on many generations at once, in one memory.
///
/// The tasks are the caller's, who gives them to every [`Scheduler::step`], those first that matter most. A task that is new is admitted
/// where there is room; one that has ended, or does not come again, gives its memory back. Where memory runs out, the task that was
/// admitted last waits, and is computed again later. On CPUs a task's tokens are the same to the bit whoever shares its runs.
#[derive(Debug)]
pub struct Scheduler<B: Backend> {
    engine: Arc<Engine<B>>,
    memory: Memory<B>,
    running: Vec<Running>,
    beginnings: Beginnings,
    /// Runs of all that is running, ahead of what was handed out.
    flight: Option<Flight<B>>,
    pace: Pace,
    logits: Vec<f32>,
    n_parallel: usize,
    prompts: Prompts,
}

impl<B: Backend> Scheduler<B> {
    /// A scheduler with nothing to do.
    ///
    /// # Errors
    /// No memory.
    pub fn new(engine: Arc<Engine<B>>, options: SchedulerOptions) -> Result<Self, EngineError> {
        let most = engine.backend().decode_sizes().last().copied().unwrap_or(1);
        let n_parallel = options.n_parallel.unwrap_or(most).clamp(1, most);
        let memory = Memory::new(&engine, limit(&engine, n_parallel, options.n_tokens))?;
        let (running, logits, prompts) = (Vec::new(), Vec::new(), options.prompts);
        let (beginnings, pace) = (Beginnings::default(), Pace::default());
        Ok(Self { engine, memory, running, beginnings, flight: None, pace, logits, n_parallel, prompts })
    }

    /// The model on its device.
    pub fn engine(&self) -> &Arc<Engine<B>> {
        &self.engine
    }

    /// Sequences that are worked on at once.
    pub fn n_parallel(&self) -> usize {
        self.n_parallel
    }

    /// Pages of 64 positions that all sequences hold, for each of the model's page tables.
    pub fn n_pages(&self) -> Vec<usize> {
        (0..self.engine.model().tables().len()).map(|table| self.memory.n_pages_taken(table)).collect()
    }

    /// Gives back memory that no sequence holds, with what was kept of the beginnings of texts.
    ///
    /// # Errors
    /// A lost device.
    pub fn trim(&mut self) -> Result<(), EngineError> {
        self.beginnings = Beginnings::default();
        self.memory.trim(self.engine.backend())
    }

    /// Makes one run, or queues a few where the device chooses tokens itself, and hands every task what became of it. Tasks that have
    /// ended are passed over: there is something to do as long as one has not.
    ///
    /// # Errors
    /// A lost device, after which another scheduler can go on with the same tasks. What concerns one task alone is that task's.
    pub async fn step<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), EngineError> {
        let cancel = shared_cancel(tasks);
        match self.run(tasks, &cancel).await {
            Ok(()) => Ok(()),
            Err(error) => {
                while self.flight.as_ref().is_some_and(|flight| flight.n_flying() > 0) {
                    // What comes now belongs to runs that are taken back.
                    let Some(flight) = &mut self.flight else { break };
                    let _ = flight.read(&self.engine).await;
                }
                self.fall_back(tasks);
                if error.is_cancelled() { Ok(()) } else { Err(error) }
            }
        }
    }

    async fn run<T: Task>(&mut self, tasks: &mut [T], cancel: &Cancel) -> Result<(), EngineError> {
        self.end_those_that_are_done(tasks);
        if self.flight.is_some() && self.has_changed(tasks) {
            self.land(tasks).await?;
        }
        self.retire(tasks);
        self.admit(tasks)?;
        if self.running.is_empty() {
            return self.refuse_first(tasks);
        }
        self.bring_up_to_date(tasks)?;
        if self.can_fly(tasks) { self.fly(tasks, cancel).await } else { self.compute(tasks, cancel).await }
    }

    /// Hands a task what came; an error ends it.
    fn hand_out<T: Task>(&self, task: &mut T, piece: Result<Option<crate::generated::Piece>, EngineError>) {
        let tokenizer = self.engine.tokenizer().ok();
        match piece {
            Ok(Some(piece)) => {
                task.take(tokenizer, Ok(Some(piece)));
                if task.generation().is_over() {
                    task.take(tokenizer, Ok(None));
                }
            }
            Ok(None) => task.take(tokenizer, Ok(None)),
            Err(error) => {
                let _ = task.generation_mut().end(FinishReason::Cancelled);
                task.take(tokenizer, Err(error));
            }
        }
    }

    /// Ends tasks that have all their tokens, or were cancelled.
    fn end_those_that_are_done<T: Task>(&self, tasks: &mut [T]) {
        for task in tasks.iter_mut().filter(|task| !task.generation().is_over()) {
            let generation = task.generation_mut();
            let finish = match (generation.cancel().is_cancelled(), generation.has_all()) {
                (true, _) => FinishReason::Cancelled,
                (false, true) => FinishReason::Length,
                (false, false) => continue,
            };
            let piece = generation.end(finish);
            self.hand_out(task, piece);
        }
    }

    /// Whether the sequences of queued runs are others than those that should go on.
    fn has_changed<T: Task>(&self, tasks: &[T]) -> bool {
        let is_going_on = |running: &Running| {
            let task = running.task(tasks);
            task.is_some_and(|task| !task.generation().is_over() && task.generation().next_id().is_some())
        };
        if !self.running.iter().all(is_going_on) {
            return true;
        }
        let is_waiting = |task: &&T| !task.generation().is_over() && !self.runs(*task);
        let first = tasks.iter().find(is_waiting);
        self.running.len() < self.n_parallel
            && first.is_some_and(|task| self.has_room_for(task.generation().n_tokens()))
    }

    /// Gives back the memory of tasks that have ended or did not come again.
    fn retire<T: Task>(&mut self, tasks: &[T]) {
        self.running.retain(|running| running.task(tasks).is_some_and(|task| !task.generation().is_over()));
    }

    /// Ends the first task that waits, for which the whole memory is too small.
    fn refuse_first<T: Task>(&self, tasks: &mut [T]) -> Result<(), EngineError> {
        if let Some(task) = tasks.iter_mut().find(|task| !task.generation().is_over()) {
            self.hand_out(task, Err(EngineError::MemoryFull));
        }
        Ok(())
    }

    /// Makes the tokens of each sequence those of its task.
    fn bring_up_to_date<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), EngineError> {
        for running in &mut self.running {
            let Some(task) = running.task(tasks) else { continue };
            let sequence = &mut running.sequence;
            if self.flight.is_none() {
                sequence.mend(&self.engine, &mut self.memory)?;
            }
            match task.generation().next_id() {
                Some(id) if sequence.ids().len() < task.generation().n_tokens() => sequence.extend(&[id]),
                Some(_) => {}
                None => {
                    let tokens = task.generation().tokens();
                    // Else a chunk of it was computed before.
                    if tokens != sequence.ids() || sequence.pending().is_empty() {
                        sequence.set_tokens(&self.engine, &mut self.memory, &tokens)?;
                        (running.n_cached, running.prefill) = (sequence.n_cached(), Duration::ZERO);
                    }
                }
            }
            let is_due = task.generation().next_id().is_some();
            running.is_decoding = is_due && running.sequence.pending().len() <= MOST_ROWS;
        }
        Ok(())
    }

    /// After an error: what was half done is taken back, and where even that fails the device is gone and nothing is held.
    fn fall_back<T: Task>(&mut self, tasks: &mut [T]) {
        self.flight = None;
        self.beginnings = Beginnings::default();
        for running in &mut self.running {
            let position = running.sequence.n_cached();
            if running.sequence.rewind(&self.engine, &mut self.memory, position).is_err() {
                running.sequence.release();
            }
        }
        tasks.iter_mut().filter(|t| !t.generation().is_over()).for_each(|t| t.generation_mut().fall_behind());
        self.end_those_that_are_done(tasks);
    }

    /// Makes room for the rows of a sequence; where there is none, those that came last give theirs back, in the end the sequence itself. `false`
    /// where it did, and where even the whole memory is too small for it.
    fn reserve<T: Task>(&mut self, idx: usize, n_rows: usize, tasks: &mut [T]) -> Result<bool, EngineError> {
        loop {
            let sequence = &mut self.running[idx].sequence;
            let full = match sequence.reserve(&self.engine, &mut self.memory, n_rows) {
                Ok(true) => return Ok(true),
                Ok(false) => None,
                Err(error) if Memory::<B>::is_full(&error) => Some(error),
                Err(error) => return Err(error),
            };
            if self.beginnings.let_go() {
                continue;
            }
            if self.running.len() == 1 {
                return full.map_or(Ok(false), Err);
            }
            if let Some(task) = self.running.pop().and_then(|last| last.task_mut(tasks)) {
                task.generation_mut().fall_behind();
            }
            if self.running.len() == idx {
                return Ok(false);
            }
        }
    }
}

/// The most that so many sequences may hold.
fn limit<B: Backend>(engine: &Engine<B>, n_parallel: usize, n_tokens: Option<usize>) -> PoolSize {
    let (model, context) = (engine.model(), engine.model().facts().context);
    let n_rows = engine.backend().prefill_sizes().last().copied().unwrap_or(1);
    // Of layers with a window, a snapshot's pages too.
    let held = model.tables().iter().zip(model.n_pages(context, 0));
    let held = held.map(|(table, n)| if table.window.is_some() { n } else { 0 });
    let of_one: Vec<usize> =
        model.n_pages(context, n_rows).into_iter().zip(held).map(|(n, held)| n + held).collect();
    let n_slots = n_parallel * Snapshots::n_slots(N_SNAPSHOTS) + Beginnings::n_slots(N_SNAPSHOTS);
    let n_bytes = PoolSize { n_slots: 0, n_pages: of_one.clone() }.n_bytes(model.states());
    let share = match n_tokens {
        Some(n_tokens) => n_tokens as f64 / context as f64,
        None => MAX_CACHE_BYTES as f64 / n_bytes.max(1) as f64,
    };
    let share = share.clamp(1.0, n_parallel as f64);
    let n_copied = n_parallel * Table::N_COPIED;
    let n_pages = of_one.into_iter().map(|n| (n as f64 * share).ceil() as usize + n_copied).collect();
    PoolSize { n_slots, n_pages }
}

/// The flag that stops all tasks, where they have one; else one that nobody raises, and each task ends after the run.
fn shared_cancel<T: Task>(tasks: &[T]) -> Cancel {
    let mut going_on = tasks.iter().map(Task::generation).filter(|generation| !generation.is_over());
    let Some(first) = going_on.next() else { return Cancel::new() };
    let is_one = going_on.all(|generation| generation.cancel().is(first.cancel()));
    if is_one { first.cancel().clone() } else { Cancel::new() }
}
