//! Which tasks are begun, and what they begin with of those that run.

use std::ops::Range;
use std::time::Duration;

use hala_plan::Backend;

use super::beginnings::{Begun, waits_for};
use super::{N_SNAPSHOTS, Running, Scheduler};
use crate::error::EngineError;
use crate::task::Task;

impl<B: Backend> Scheduler<B> {
    /// Begins tasks that wait, in their order, while there is room for all that they hold now. Those whose tokens another one already
    /// computes wait until it has: see [`Scheduler::begin_twins`].
    pub(super) fn admit<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), EngineError> {
        let is_behind = |task: &&T| self.runs(*task) && task.generation().next_id().is_none();
        let mut computed: Vec<Vec<u32>> =
            tasks.iter().filter(is_behind).map(|task| task.generation().tokens()).collect();
        let mut n_begun = self.running.len();
        for task in tasks {
            if task.generation().is_over() || self.runs(task) {
                continue;
            }
            if n_begun == self.n_parallel {
                break;
            }
            let tokens = task.generation().tokens();
            if !computed.contains(&tokens) {
                let waits = |running: &Running| waits_for(&tokens, &running.sequence, running.keep_at);
                if self.running.iter().any(waits) {
                    break;
                }
                while !self.has_room_for(tokens.len()) {
                    if !self.beginnings.let_go() {
                        return Ok(());
                    }
                }
                self.begin(task, &tokens)?;
                computed.push(tokens);
            }
            n_begun += 1;
        }
        Ok(())
    }

    /// Begins tasks that wait and have the same tokens as a sequence that has just computed all of its own, where there is room: texts after one
    /// prompt, which is computed once. Gives which of those that run they are; the logits after the tokens are theirs too.
    ///
    /// # Errors
    /// A lost device.
    pub(super) fn begin_twins<T: Task>(
        &mut self,
        idx: usize,
        tasks: &mut [T],
    ) -> Result<Range<usize>, EngineError> {
        let first = self.running.len();
        let n_going_on = tasks.iter().filter(|task| !task.generation().is_over()).count();
        if first == self.n_parallel || n_going_on <= first {
            // None waits.
            return Ok(first..first);
        }
        let position = self.running[idx].sequence.n_cached();
        for task in tasks {
            if self.running.len() == self.n_parallel || !self.has_room_for(position) {
                break;
            }
            if task.generation().is_over()
                || self.runs(task)
                || task.generation().tokens() != self.running[idx].sequence.ids()
            {
                continue;
            }
            let fork = self.running[idx].sequence.fork(&self.engine, &mut self.memory, position)?;
            let Some(sequence) = fork else { break };
            task.generation_mut().fall_behind();
            let (ticket, prefill) = (task.generation().ticket(), Duration::ZERO);
            self.running.push(Running {
                ticket,
                sequence,
                n_cached: position,
                prefill,
                keep_at: None,
                is_decoding: false,
            });
        }
        Ok(first..self.running.len())
    }

    /// Whether a task is one of those that run.
    pub(super) fn runs<T: Task>(&self, task: &T) -> bool {
        self.running.iter().any(|running| running.ticket == task.generation().ticket())
    }

    /// Begins a task with what is there of its beginning.
    fn begin<T: Task>(&mut self, task: &mut T, tokens: &[u32]) -> Result<(), EngineError> {
        task.generation_mut().fall_behind();
        let sequences = self.running.iter().map(|running| &running.sequence);
        let memory = (&*self.engine, &mut self.memory);
        let Begun { sequence, keep_at } = self.beginnings.begin(memory, sequences, tokens, N_SNAPSHOTS)?;
        let (ticket, prefill) = (task.generation().ticket(), Duration::ZERO);
        self.running.push(Running { ticket, sequence, n_cached: 0, prefill, keep_at, is_decoding: false });
        Ok(())
    }

    /// Whether a sequence of so many tokens fits beside what the others hold and may soon need.
    pub(super) fn has_room_for(&self, n_tokens: usize) -> bool {
        let is_pending = |r: &Running| self.engine.model().n_pages(r.sequence.ids().len(), 1);
        let mut needed = self.engine.model().n_pages(n_tokens, 1);
        for running in &self.running {
            let held = running.sequence.n_pages();
            for ((needed, will), held) in needed.iter_mut().zip(is_pending(running)).zip(held) {
                *needed += (will + 1).saturating_sub(held);
            }
        }
        needed.iter().enumerate().all(|(table, n)| *n <= self.memory.n_pages_left(table))
    }
}
