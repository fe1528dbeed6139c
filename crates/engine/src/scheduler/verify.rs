//! Drafts in the runs of a scheduler: which are added to a run, and what becomes of them.

use std::time::Duration;

use hala_plan::Backend;

use super::Scheduler;
use super::part::Part;
use crate::draft::pace::Base;
use crate::error::EngineError;
use crate::sequence::SNAPSHOT_EVERY;
use crate::snapshots::Kept;
use crate::task::Task;

impl<B: Backend> Scheduler<B> {
    /// Adds drafts to a run of sequences that decode, as far as there is memory for them. `base` is that run without them.
    pub(super) fn add_drafts<T: Task>(
        &mut self,
        base: Base,
        parts: &mut [Part],
        tasks: &mut [T],
    ) -> Result<(), EngineError> {
        let (mut chances, mut is_measured) = (Vec::new(), false);
        for part in &*parts {
            let task = self.running[part.idx].task_mut(tasks);
            let drafting = task.and_then(|task| task.generation_mut().drafting());
            is_measured |= drafting.as_ref().is_some_and(|(drafter, _)| drafter.is_measured());
            chances.push(drafting.map_or(Vec::new(), |(drafter, most)| drafter.chances(most)));
        }
        let counts = self.pace.drafts(base, &chances, is_measured);
        for (part, n) in parts.iter_mut().zip(counts).filter(|(_, n)| *n > 0) {
            let sequence = &mut self.running[part.idx].sequence;
            // Nobody gives way for drafts.
            if sequence.hold(&self.engine, &mut self.memory, part.n_rows + n)? {
                let task = self.running[part.idx].task_mut(tasks);
                let drafting = task.and_then(|task| task.generation_mut().drafting());
                part.drafts = drafting.map_or(Vec::new(), |(drafter, _)| drafter.propose(n));
            }
        }
        Ok(())
    }

    /// Goes on with a sequence's drafts as far as they are what was chosen, with the logits after each; tells how many were.
    pub(super) fn accept<T: Task>(
        &mut self,
        part: &Part,
        verdicts: Vec<&mut [f32]>,
        tasks: &mut [T],
    ) -> Result<usize, EngineError> {
        let mut n_accepted = 0;
        for (draft, logits) in part.drafts.iter().zip(verdicts) {
            let running = &mut self.running[part.idx];
            let generation = running.task(tasks).map(Task::generation);
            if generation.is_none_or(|one| one.is_over() || one.next_id() != Some(*draft)) {
                return Ok(n_accepted);
            }
            running.sequence.extend(&[*draft]);
            running.sequence.advance_in_flight(1);
            n_accepted += 1;
            self.choose((part.idx, Duration::ZERO), logits, tasks);
        }
        if n_accepted > 0 {
            let sequence = &mut self.running[part.idx].sequence;
            sequence.settle();
            sequence.take_due_snapshot(&self.engine, &mut self.memory, (SNAPSHOT_EVERY, 0, Kept::Beside))?;
        }
        Ok(n_accepted)
    }

    /// The run that parts are without drafts; `None` where there are chunks of prompts among them, beside which drafts' rows are not as good as free.
    pub(super) fn base(&self, parts: &[Part]) -> Option<Base> {
        let are_decoding = parts.iter().all(|part| part.is_last && self.running[part.idx].is_decoding);
        let n_rows = parts.iter().map(|part| part.n_rows).sum();
        are_decoding.then_some(Base { n_texts: parts.len(), n_rows })
    }
}
