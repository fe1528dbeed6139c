//! Many generations at once: each step is one run with rows of those that decode and chunks of prompts.

mod admit;
mod beginnings;
mod compute;
mod fly;
mod kept;
mod limit;
mod part;
mod restore;
mod room;
mod running;
mod save;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use self::beginnings::Beginnings;
use self::kept::KeptSequences;
use self::limit::limit;
use self::running::Running;
use crate::draft::costs::MOST_ROWS;
use crate::draft::pace::Pace;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::flight::Flight;
use crate::generated::FinishReason;
use crate::memory::Memory;
use crate::retained::Retained;
use crate::sequence::Sequence;
use crate::task::Task;
use hala_plan::{Backend, Cancel};

/// Snapshots of a sequence at most: a text that goes back computes a little again, and memory is for more sequences.
const N_SNAPSHOTS: usize = 4;

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
    kept: KeptSequences,
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
        let (beginnings, kept, pace) = (Beginnings::default(), KeptSequences::default(), Pace::default());
        let flight = None;
        Ok(Self { engine, memory, running, beginnings, kept, flight, pace, logits, n_parallel, prompts })
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

    /// Tokens of a sequence that are in memory, so that the next text which goes on with it need not compute them.
    pub fn n_retained(&self, retained: &Retained) -> usize {
        let claim = retained.claim();
        let running = self.running.iter().find(|running| running.claim.as_ref() == Some(&claim));
        let sequence = running.map(|running| &running.sequence).or_else(|| self.kept.get(&claim));
        sequence.map_or(0, Sequence::n_cached)
    }

    /// Gives back the memory of texts that ended with the last step, which the next one would do.
    ///
    /// # Errors
    /// A lost device.
    pub async fn retire_ended(&mut self) -> Result<(), EngineError> {
        if self.running.iter().all(|running| running.has_ended) {
            self.ground().await?;
        }
        if self.flight.is_none() { self.give_back_ended() } else { Ok(()) }
    }

    /// Lets go of all sequences that wait for a text to go on with them, as where a system runs out of memory; they are computed again then.
    /// [`Scheduler::trim`] gives the memory itself back.
    pub fn evict_retained(&mut self) {
        self.kept = KeptSequences::default();
    }

    /// Gives back memory that no sequence holds, with what was kept of the beginnings of texts. Sequences that a [`Retained`] names stay, where
    /// anybody still has it.
    ///
    /// # Errors
    /// A lost device.
    pub fn trim(&mut self) -> Result<(), EngineError> {
        self.beginnings = Beginnings::default();
        self.kept.drop_unheld();
        self.memory.trim(self.engine.backend())
    }

    /// Makes one run, or queues a few where the device chooses tokens itself, and hands every task what became of it. Tasks that have
    /// ended are passed over: there is something to do as long as one has not.
    ///
    /// # Errors
    /// A lost device, after which another scheduler can go on with the same tasks. What concerns one task alone is that task's.
    pub async fn step<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), EngineError> {
        let cancel = shared_cancel(tasks);
        let done = self.step_or_fall_back(tasks, &cancel).await;
        self.running.iter_mut().for_each(|running| running.has_ended = !running.goes_on(tasks));
        done
    }

    async fn step_or_fall_back<T: Task>(
        &mut self,
        tasks: &mut [T],
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        match self.run(tasks, cancel).await {
            Ok(()) => Ok(()),
            Err(error) => {
                while self.flight.as_ref().is_some_and(|flight| flight.n_flying() > 0) {
                    // What comes now belongs to runs that are taken back.
                    let Some(flight) = &mut self.flight else { break };
                    let _ = flight.read(&self.engine).await;
                }
                self.fall_back(tasks, &error);
                if error.is_cancelled() { Ok(()) } else { Err(error) }
            }
        }
    }

    async fn run<T: Task>(&mut self, tasks: &mut [T], cancel: &Cancel) -> Result<(), EngineError> {
        self.end_those_that_are_done(tasks);
        if self.flight.is_some() && self.has_changed(tasks) {
            self.land(tasks).await?;
            // What landed may have been the last tokens of a text.
            self.end_those_that_are_done(tasks);
        }
        if self.flight.is_none() {
            self.retire(tasks)?;
            self.admit(tasks)?;
        }
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
        self.running.len() < self.n_parallel && first.is_some_and(|task| self.may_make_room_for(task))
    }

    /// Gives back the memory of tasks that have ended or did not come again, but for what is retained.
    fn retire<T: Task>(&mut self, tasks: &[T]) -> Result<(), EngineError> {
        self.running.iter_mut().for_each(|running| running.has_ended = !running.goes_on(tasks));
        self.give_back_ended()
    }

    /// Gives back the memory of those that have ended, but for what is retained.
    fn give_back_ended(&mut self) -> Result<(), EngineError> {
        self.kept.drop_unheld();
        for mut ended in self.running.extract_if(.., |running| running.has_ended) {
            if let Some(claim) = ended.claim {
                ended.sequence.rest(&self.engine, &mut self.memory)?;
                self.kept.keep(claim, ended.sequence);
            }
        }
        Ok(())
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
                        running
                            .plan_way_back((&self.engine, &mut self.memory), task.generation().prompt())?;
                    }
                }
            }
            let is_due = task.generation().next_id().is_some();
            running.is_decoding = is_due && running.sequence.pending().len() <= MOST_ROWS;
        }
        Ok(())
    }

    /// After an error: what was half done is taken back, and where even that fails the device is gone and nothing is held.
    fn fall_back<T: Task>(&mut self, tasks: &mut [T], error: &EngineError) {
        self.flight = None;
        self.beginnings = Beginnings::default();
        if !error.is_cancelled() {
            self.evict_retained();
        }
        for running in &mut self.running {
            let mended = running.sequence.mend(&self.engine, &mut self.memory);
            if mended.is_err() || error.is_device_lost() {
                running.sequence.release();
            }
        }
        tasks.iter_mut().filter(|t| !t.generation().is_over()).for_each(|t| t.generation_mut().fall_behind());
        self.end_those_that_are_done(tasks);
    }
}

/// The flag that stops all tasks, where they have one; else one that nobody raises, and each task ends after the run.
fn shared_cancel<T: Task>(tasks: &[T]) -> Cancel {
    let mut going_on = tasks.iter().map(Task::generation).filter(|generation| !generation.is_over());
    let Some(first) = going_on.next() else { return Cancel::new() };
    let is_one = going_on.all(|generation| generation.cancel().is(first.cancel()));
    if is_one { first.cancel().clone() } else { Cancel::new() }
}
