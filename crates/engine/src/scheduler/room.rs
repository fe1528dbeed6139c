//! Memory: what fits into it, and who gives way where it runs out.

use hala_plan::Backend;

use super::Scheduler;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::retained::Claim;
use crate::sequence::Sequence;
use crate::table::Table;
use crate::task::Task;

impl<B: Backend> Scheduler<B> {
    /// Whether a sequence of so many tokens fits beside what the others hold and may soon need; `own` is what there is of it already.
    pub(super) fn has_room_for(&self, n_tokens: usize, own: Option<&Sequence>) -> bool {
        self.n_missing(n_tokens, own).iter().all(|n| *n == 0)
    }

    /// Whether a task may fit once all that waits to be used again was let go of.
    pub(super) fn may_make_room_for<T: Task>(&self, task: &T) -> bool {
        let claim = task.generation().claim();
        let own = claim.as_ref().and_then(|claim| self.kept.get(claim));
        let n_waiting = self.beginnings.len() + self.kept.len() - usize::from(own.is_some());
        n_waiting > 0 || self.has_room_for(task.generation().n_tokens(), own)
    }

    /// Pages of each table that there are too few of.
    fn n_missing(&self, n_tokens: usize, own: Option<&Sequence>) -> Vec<usize> {
        let n_pages = |n_tokens| self.engine.model().n_pages(n_tokens, 1);
        let mut needed = n_pages(n_tokens);
        if let Some(own) = own {
            for (needed, held) in needed.iter_mut().zip(own.n_pages()) {
                *needed = (*needed + Table::N_COPIED).saturating_sub(held);
            }
        }
        for running in &self.running {
            let (will, held) = (n_pages(running.sequence.ids().len()), running.sequence.n_pages());
            for ((needed, will), held) in needed.iter_mut().zip(will).zip(held) {
                *needed += (will + 1).saturating_sub(held);
            }
        }
        let left = |(table, n): (usize, usize)| n.saturating_sub(self.memory.n_pages_left(table));
        needed.into_iter().enumerate().map(left).collect()
    }

    /// Lets go of something that only waits to be used again, other than what `claim` names: `false` where there is nothing. Where nothing runs that
    /// might end, that too is let go of.
    pub(super) fn let_go(&mut self, claim: Option<&Claim>) -> bool {
        self.beginnings.let_go()
            || self.kept.let_go(claim)
            || (self.running.is_empty() && claim.is_some_and(|claim| self.kept.take(claim).is_some()))
    }

    /// Makes room for the rows of a sequence; where there is none, those that came last give theirs back, in the end the sequence itself. `false`
    /// where it did, and where even the whole memory is too small for it.
    pub(super) fn reserve<T: Task>(
        &mut self,
        idx: usize,
        n_rows: usize,
        tasks: &mut [T],
    ) -> Result<bool, EngineError> {
        loop {
            let sequence = &mut self.running[idx].sequence;
            let full = match sequence.reserve(&self.engine, &mut self.memory, n_rows) {
                Ok(true) => return Ok(true),
                Ok(false) => None,
                Err(error) if Memory::<B>::is_full(&error) => Some(error),
                Err(error) => return Err(error),
            };
            if self.let_go(None) {
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
