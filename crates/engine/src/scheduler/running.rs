//! A sequence that is worked on.

use std::time::Duration;

use hala_plan::Backend;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::retained::Claim;
use crate::sequence::Sequence;
use crate::snapshots::Kept;
use crate::task::Task;
use crate::ticket::Ticket;

/// Tokens before the end of a prompt at which its state is kept for texts that go on with it. They part at the end or a little before it: where an answer
/// is drawn once more, at the last token; where a thought is left out that the prompt had opened, before the tag.
const BEFORE_THE_END: usize = 8;

/// A sequence that is worked on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ticket: Ticket,
    pub(super) sequence: Sequence,
    /// Tokens of its prompt that were there already.
    pub(super) n_cached: usize,
    /// Its share of the runs that computed its prompt.
    pub(super) prefill: Duration,
    /// Tokens after which its beginning is kept for other texts.
    pub(super) keep_at: Option<usize>,
    /// Tokens after which its state is kept to be gone back to.
    pub(super) back_at: Option<usize>,
    /// Whether its next rows give its next token: the one that is due, and a few that drafts took back.
    pub(super) is_decoding: bool,
    /// Whether its task had ended after the last step.
    pub(super) has_ended: bool,
    /// Who goes on with it after its end.
    pub(super) claim: Option<Claim>,
}

impl Running {
    /// The sequence of a task, up to date with nothing yet.
    pub(super) fn new(task: &impl Task, sequence: Sequence, claim: Option<Claim>) -> Self {
        Self {
            ticket: task.generation().ticket(),
            sequence,
            n_cached: 0,
            prefill: Duration::ZERO,
            keep_at: None,
            back_at: None,
            is_decoding: false,
            has_ended: false,
            claim,
        }
    }

    /// Its task, where it came again.
    pub(super) fn task<'t, T: Task>(&self, tasks: &'t [T]) -> Option<&'t T> {
        tasks.iter().find(|task| task.generation().ticket() == self.ticket)
    }

    /// The same, to go on with.
    pub(super) fn task_mut<'t, T: Task>(&self, tasks: &'t mut [T]) -> Option<&'t mut T> {
        tasks.iter_mut().find(|task| task.generation().ticket() == self.ticket)
    }

    /// Whether it goes on.
    pub(super) fn goes_on<T: Task>(&self, tasks: &[T]) -> bool {
        self.task(tasks).is_some_and(|task| !task.generation().is_over())
    }

    /// Sees to it that a sequence which is gone on with can be gone back in to near the end of the prompt, where the next text parts from it.
    ///
    /// # Errors
    /// A lost device.
    pub(super) fn plan_way_back<B: Backend>(
        &mut self,
        (engine, memory): (&Engine<B>, &mut Memory<B>),
        prompt: &[u32],
    ) -> Result<(), EngineError> {
        self.back_at = None;
        let position = self.sequence.n_cached();
        if self.claim.is_none() || position >= prompt.len() || !self.sequence.needs_snapshots(memory) {
            return Ok(());
        }
        let at = prompt.len().saturating_sub(BEFORE_THE_END);
        if at > position {
            self.back_at = Some(at);
            return Ok(());
        }
        let is_near = self.sequence.way_back().is_some_and(|back| back + BEFORE_THE_END >= at);
        if is_near || position == 0 {
            return Ok(());
        }
        self.sequence.take_snapshot(engine, memory, (0, Kept::WithPages))
    }

    /// Rows until its next run must end, where it must end anywhere before the last of its tokens.
    pub(super) fn n_until_stop(&self) -> Option<usize> {
        let stops = self.keep_at.into_iter().chain(self.back_at);
        stops.filter_map(|n| n.checked_sub(self.sequence.n_cached())).filter(|n| *n > 0).min()
    }
}
