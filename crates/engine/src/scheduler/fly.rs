//! Runs whose tokens the device chooses itself, some of them ahead of what is handed out.

use hala_plan::ops::sample::{DECLINED, TokenSet};
use hala_plan::{AheadRow, Backend, Cancel, Start};
use web_time::Instant;

use super::Scheduler;
use super::running::Running;
use crate::chain::{Choosing, SNAPSHOT_EVERY as SNAPSHOT_EVERY_AHEAD};
use crate::error::EngineError;
use crate::flight::Flight;
use crate::snapshots::Kept;
use crate::task::Task;

impl<B: Backend> Scheduler<B> {
    /// Whether the device can choose the next tokens of all that is running.
    pub(super) fn can_fly<T: Task>(&self, tasks: &[T]) -> bool {
        let chooses = |running: &Running| {
            let generation = running.task(tasks).map(Task::generation);
            let can = generation.is_some_and(|one| one.choosing().is_some() && one.next_id().is_some());
            // A token that is due is part of the flight, and nothing else may be.
            can && (self.flight.is_some() || running.sequence.pending().len() == 1)
        };
        self.engine.backend().n_ahead() > 0 && self.running.iter().all(chooses)
    }

    /// Queues runs up to what the backend is to be ahead, and hands out the oldest batch.
    pub(super) async fn fly<T: Task>(&mut self, tasks: &mut [T], cancel: &Cancel) -> Result<(), EngineError> {
        let start = Instant::now();
        let mut flight = match self.flight.take() {
            Some(flight) => flight,
            None => {
                for running in &mut self.running {
                    running.sequence.begin(&self.engine, &mut self.memory)?;
                }
                Flight::new(&self.engine, self.running.len()).await?
            }
        };
        // The token that is due is part of a flight, and of the sequence once it was handed out.
        self.running.iter_mut().for_each(|running| running.sequence.drop_pending());
        let queued = self.queue(&mut flight, tasks, cancel).await;
        self.flight = Some(flight);
        queued?;
        if self.flight.as_ref().is_some_and(|flight| flight.n_flying() == 0) {
            // There is no room for all: one at a time they find it, or give way.
            self.land(tasks).await?;
            self.bring_up_to_date(tasks)?;
            return self.compute(tasks, cancel).await;
        }
        self.read(tasks, start).await
    }

    /// Hands out all that was queued, so that other sequences can be run.
    pub(super) async fn land<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), EngineError> {
        let start = Instant::now();
        while self.flight.as_ref().is_some_and(|flight| flight.n_flying() > 0) {
            self.read(tasks, start).await?;
        }
        self.flight = None;
        // What took no part to the end has states beyond its tokens.
        for running in &mut self.running {
            let decodes = running.task(tasks).is_some_and(|task| task.generation().next_id().is_some());
            let is_beyond = !decodes || !running.goes_on(tasks);
            let sequence = &mut running.sequence;
            match is_beyond {
                true => sequence.rewind(&self.engine, &mut self.memory, sequence.n_cached())?,
                false => sequence.settle(),
            }
        }
        Ok(())
    }

    /// Queues batches of runs of all that is running.
    async fn queue<T: Task>(
        &mut self,
        flight: &mut Flight<B>,
        tasks: &mut [T],
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        let facts = self.engine.model().facts();
        let mut choices = Vec::new();
        for running in &self.running {
            choices.extend(running.task(tasks).and_then(|task| task.generation().choosing()));
        }
        let is_new = !flight.has_begun();
        let seen: Vec<TokenSet> = match is_new {
            true => choices.iter().map(|choosing| choosing.seen(facts.n_vocab)).collect(),
            false => Vec::new(),
        };
        let mut starts = is_new;
        while flight.has_room(&self.engine) {
            let n_ahead = flight.n_flying();
            let n_runs = self.n_runs(&choices, n_ahead);
            if n_runs == 0 || !self.has_pages(n_ahead + n_runs)? {
                break;
            }
            self.take_snapshots(n_ahead)?;
            let draws: Vec<Vec<f32>> = choices.iter().map(|c| c.draws(n_ahead, n_runs)).collect();
            let row = |(i, choosing): (usize, &Choosing<'_>)| {
                let id = choosing.so_far[1].last().copied().unwrap_or_default();
                let banned = self.engine.undefined_set();
                let start = starts.then(|| Start { id, banned, seen: &seen[i] });
                let span = self.running[i].sequence.span(1, n_ahead);
                AheadRow { start, span, choice: choosing.choice, draws: &draws[i] }
            };
            let rows: Vec<AheadRow<'_>> = choices.iter().enumerate().map(row).collect();
            flight.queue(&self.engine, &mut self.memory, &rows, cancel).await?;
            starts = false;
        }
        Ok(())
    }

    /// Runs of the next batch: no more than any sequence wants or has room for.
    fn n_runs(&self, choices: &[Choosing<'_>], n_ahead: usize) -> usize {
        let context = self.engine.model().facts().context;
        let wanted = choices.iter().map(|choosing| choosing.n_wanted.saturating_sub(n_ahead));
        let room = self.running.iter().map(|r| context.saturating_sub(r.sequence.n_cached() + n_ahead));
        wanted.chain(room).min().unwrap_or(0).min(Flight::n_batch(&self.engine))
    }

    /// Takes the pages of the next `n_rows` positions of every sequence; `false` where the memory is too small for all.
    fn has_pages(&mut self, n_rows: usize) -> Result<bool, EngineError> {
        for running in &mut self.running {
            if !running.sequence.reserve(&self.engine, &mut self.memory, n_rows)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes the snapshots that are due of sequences that are gone on with: they end before the runs that were queued do.
    fn take_snapshots(&mut self, n_ahead: usize) -> Result<(), EngineError> {
        for running in self.running.iter_mut().filter(|running| running.claim.is_some()) {
            let due = (SNAPSHOT_EVERY_AHEAD, n_ahead, Kept::Beside);
            running.sequence.take_due_snapshot(&self.engine, &mut self.memory, due)?;
        }
        Ok(())
    }

    /// Waits for the oldest batch and hands it out.
    async fn read<T: Task>(&mut self, tasks: &mut [T], start: Instant) -> Result<(), EngineError> {
        let Some(flight) = &mut self.flight else { return Ok(()) };
        let n_rows = flight.n_rows();
        let ids = flight.read(&self.engine).await?.to_vec();
        let share = start.elapsed() / ids.len().max(1) as u32;
        for ids in ids.chunks_exact(n_rows.max(1)) {
            for (idx, id) in ids.iter().enumerate() {
                let Some(task) = self.running[idx].task_mut(tasks) else { continue };
                let generation = task.generation_mut();
                // It may have ended, or gone back, at a token before.
                let (false, Some(due)) = (generation.is_over(), generation.next_id()) else { continue };
                if *id == DECLINED {
                    generation.chose_on_device(false);
                    generation.fall_behind();
                    continue;
                }
                let sequence = &mut self.running[idx].sequence;
                sequence.extend(&[due]);
                sequence.advance_in_flight(1);
                generation.chose_on_device(true);
                generation.decoded(share);
                let piece = generation.take(*id, None);
                self.hand_out(task, piece);
            }
        }
        Ok(())
    }
}
