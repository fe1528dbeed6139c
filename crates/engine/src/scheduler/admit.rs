//! Which tasks are begun, and what they begin with of those that run.

use std::ops::Range;

use hala_plan::Backend;

use super::beginnings::{Asked, Begun, waits_for};
use super::running::Running;
use super::{N_SNAPSHOTS, Scheduler, kept};
use crate::error::EngineError;
use crate::retained::Claim;
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
                let claim = self.claim_of(task);
                let has_own = claim.as_ref().is_some_and(|claim| self.kept.get(claim).is_some());
                if !has_own && self.running.iter().any(waits) {
                    break;
                }
                if !self.make_room_for(tokens.len(), claim.as_ref()) {
                    return Ok(());
                }
                self.begin(task, &tokens, claim)?;
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
            if self.running.len() == self.n_parallel || !self.has_room_for(position, None) {
                break;
            }
            if task.generation().is_over()
                || self.runs(task)
                || task.generation().tokens() != self.running[idx].sequence.ids()
            {
                continue;
            }
            let fork = self.running[idx].sequence.fork(&self.engine, &mut self.memory, position)?;
            let Some(mut sequence) = fork else { break };
            task.generation_mut().fall_behind();
            let claim = self.claim_of(task);
            sequence.keep_snapshots(n_snapshots(claim.as_ref()));
            if let Some(claim) = &claim {
                self.kept.take(claim);
            }
            self.running.push(Running { n_cached: position, ..Running::new(task, sequence, claim) });
        }
        Ok(first..self.running.len())
    }

    /// Whether a task is one of those that run.
    pub(super) fn runs<T: Task>(&self, task: &T) -> bool {
        self.running.iter().any(|running| running.ticket == task.generation().ticket())
    }

    /// What a task goes on with, unless another that runs does.
    fn claim_of<T: Task>(&self, task: &T) -> Option<Claim> {
        let claim = task.generation().claim()?;
        let is_taken = self.running.iter().any(|running| running.claim.as_ref() == Some(&claim));
        (!is_taken).then_some(claim)
    }

    /// Lets go of what waits to be used again until a task fits; `false` where that is not enough.
    fn make_room_for(&mut self, n_tokens: usize, claim: Option<&Claim>) -> bool {
        loop {
            let own = claim.and_then(|claim| self.kept.get(claim));
            if self.has_room_for(n_tokens, own) {
                return true;
            }
            if !self.let_go(claim) {
                return false;
            }
        }
    }

    /// Begins a task with what is there of its beginning.
    fn begin<T: Task>(
        &mut self,
        task: &mut T,
        tokens: &[u32],
        claim: Option<Claim>,
    ) -> Result<(), EngineError> {
        task.generation_mut().fall_behind();
        let own = claim.as_ref().and_then(|claim| self.kept.take(claim));
        let others = self.running.iter().map(|running| &running.sequence).chain(self.kept.sequences());
        let asked = Asked { tokens, own, n_snapshots: n_snapshots(claim.as_ref()) };
        let Begun { sequence, keep_at } =
            self.beginnings.begin((&self.engine, &mut self.memory), others, asked)?;
        self.running.push(Running { keep_at, ..Running::new(task, sequence, claim) });
        Ok(())
    }
}

/// Snapshots that a sequence keeps at most.
fn n_snapshots(claim: Option<&Claim>) -> usize {
    if claim.is_some() { kept::N_SNAPSHOTS } else { N_SNAPSHOTS }
}
