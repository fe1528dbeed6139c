//! One run whose logits the host looks at: a row of each sequence that decodes, and chunks of prompts beside them.

use std::time::Duration;

use hala_model::PlanShape;
use hala_plan::{Backend, Cancel, Reading, Rows};
use web_time::Instant;

use super::part::Part;
use super::running::Running;
use super::{Prompts, Scheduler};
use crate::draft::pace::Done;
use crate::error::EngineError;
use crate::lease::Lease;
use crate::sequence::SNAPSHOT_EVERY;
use crate::snapshots::Kept;
use crate::task::Task;

/// Rows of prompts beside sequences that decode, at most: these wait for as long as that takes.
const ROWS_BESIDE: usize = 64;

impl<B: Backend> Scheduler<B> {
    /// Makes one run, and chooses a token of each sequence that is up to date then, and of its drafts as many as are right.
    pub(super) async fn compute<T: Task>(
        &mut self,
        tasks: &mut [T],
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        let mut parts = self.reserved_parts(tasks)?;
        if parts.is_empty() {
            return Ok(());
        }
        let base = self.base(&parts);
        if let Some(base) = base {
            self.add_drafts(base, &mut parts, tasks)?;
        }
        let start = Instant::now();
        let is_new = self.run_parts(&parts, cancel).await?;
        let time = start.elapsed();
        let n_rows: usize = parts.iter().map(Part::n_all_rows).sum();
        let n_vocab = self.engine.model().facts().n_vocab;
        let mut all = std::mem::take(&mut self.logits);
        let mut rows = all.chunks_exact_mut(n_vocab);
        let mut n_accepted = 0;
        for part in &parts {
            let share = time / n_rows as u32 * part.n_all_rows() as u32;
            let Some(logits) = part.is_last.then(|| rows.next()).flatten() else {
                self.running[part.idx].prefill += share;
                continue;
            };
            if part.drafts.is_empty() {
                for twin in self.begin_twins(part.idx, tasks)? {
                    self.choose((twin, Duration::ZERO), &mut logits.to_vec(), tasks);
                }
            }
            self.choose((part.idx, share), logits, tasks);
            let verdicts: Vec<&mut [f32]> = rows.by_ref().take(part.drafts.len()).collect();
            n_accepted += self.accept(part, verdicts, tasks)?;
        }
        self.logits = all;
        if let Some(base) = base.filter(|_| !is_new) {
            let n_drafts = parts.iter().map(|part| part.drafts.len()).sum();
            self.pace.note(Done { base, n_drafts, n_accepted, time });
        }
        Ok(())
    }

    /// Chooses the next token of a sequence, whose last rows took so long, from its logits.
    pub(super) fn choose<T: Task>(
        &mut self,
        (idx, share): (usize, Duration),
        logits: &mut [f32],
        tasks: &mut [T],
    ) {
        let running = &self.running[idx];
        let (n_cached, prefill) = (running.n_cached, running.prefill);
        let Some(task) = running.task_mut(tasks) else { return };
        let generation = task.generation_mut();
        match generation.next_id() {
            None => generation.caught_up(n_cached, prefill + share),
            Some(_) => generation.decoded(share),
        }
        let piece = generation.choose(&self.engine, logits);
        self.hand_out(task, piece);
    }

    /// The parts of the next run, for which there is room.
    fn reserved_parts<T: Task>(&mut self, tasks: &mut [T]) -> Result<Vec<Part>, EngineError> {
        let mut reserved: Vec<Part> = Vec::new();
        for part in self.parts() {
            // Those that came last may have had to go.
            if part.idx >= self.running.len() {
                break;
            }
            if self.reserve(part.idx, part.n_rows, tasks)? {
                reserved.push(part);
            } else if let Some(task) = self.running.get(part.idx).and_then(|running| running.task_mut(tasks))
            {
                self.hand_out(task, Err(EngineError::MemoryFull));
            }
        }
        Ok(reserved)
    }

    /// What the next run is of: all sequences that decode, then chunks of prompts in their order.
    fn parts(&self) -> Vec<Part> {
        let n_pending = |idx: &usize| self.running[*idx].sequence.pending().len();
        let (mut decoding, behind): (Vec<usize>, Vec<usize>) =
            (0..self.running.len()).partition(|idx| n_pending(idx) == 1 || self.running[*idx].is_decoding);
        if self.prompts == Prompts::First && !behind.is_empty() {
            decoding.clear();
        }
        if behind.is_empty() {
            return decoding.into_iter().map(|idx| Part::new(idx, n_pending(&idx), true)).collect();
        }
        let most = self.engine.backend().prompt_rows();
        let is_one = behind.len() == 1 || self.prompts == Prompts::First;
        let mut n_left = match decoding.len() {
            0 if is_one => most,
            // The first of several texts is begun without waiting for all prompts.
            0 => most.min(ROWS_BESIDE.max(n_pending(&behind[0]))),
            n => most.min(ROWS_BESIDE + n),
        };
        let mut parts: Vec<Part> = Vec::new();
        for idx in decoding.into_iter().chain(behind) {
            let running = &self.running[idx];
            let until_stop = running.n_until_stop().unwrap_or(usize::MAX);
            let n_rows = n_pending(&idx).min(n_left).min(until_stop);
            let is_last = n_rows == n_pending(&idx);
            if n_rows == 0
                || (is_last && parts.iter().filter(|part| part.is_last).count() == self.engine.n_wanted())
            {
                break;
            }
            n_left -= n_rows;
            parts.push(Part::new(idx, n_rows, is_last));
        }
        // In the order of the sequences, so that what has to give way comes last.
        parts.sort_by_key(|part| part.idx);
        parts
    }

    /// Runs the parts, and reads the logits of those that are the last of their sequences, and of drafts; tells whether the Plan is new.
    async fn run_parts(&mut self, parts: &[Part], cancel: &Cancel) -> Result<bool, EngineError> {
        for part in parts {
            self.running[part.idx].sequence.begin(&self.engine, &mut self.memory)?;
        }
        let shape = self.shape_of(parts);
        let mut lease = Lease::new(&self.engine, shape).await?;
        let (mut ids, mut spans, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let sequence = &self.running[part.idx].sequence;
            ids.extend_from_slice(&sequence.pending()[..part.n_rows]);
            spans.push(sequence.span(part.n_all_rows(), 0));
            if part.is_last {
                let last = ids.len() as u32 - 1;
                wanted.extend(last..=last + part.drafts.len() as u32);
            }
            ids.extend_from_slice(&part.drafts);
        }
        let rows = Rows { ids: &ids, spans: &spans, wanted: &wanted, cancel };
        let steps = if wanted.is_empty() { 0..lease.n_body } else { 0..usize::MAX };
        let (backend, states) = (self.engine.backend(), self.memory.states());
        backend.run_steps(&mut lease.prepared, states, rows, steps).await?;
        if let (false, Some(buffer)) = (wanted.is_empty(), lease.logits) {
            let reading = Reading { buffer, n_rows: wanted.len() };
            backend.read(&lease.prepared, states, reading, &mut self.logits).await?;
        }
        for part in parts {
            self.advance(part)?;
        }
        Ok(lease.is_new)
    }

    /// The Plan for these parts.
    fn shape_of(&self, parts: &[Part]) -> PlanShape {
        let n_rows = parts.iter().map(Part::n_all_rows).sum();
        if parts.iter().all(|part| part.is_last && part.n_rows == 1) {
            return self.engine.decode_shape(n_rows);
        }
        self.engine.prompt_shape(n_rows)
    }

    /// Notes what was computed.
    fn advance(&mut self, part: &Part) -> Result<(), EngineError> {
        let Running { sequence, keep_at, back_at, is_decoding, claim, .. } = &mut self.running[part.idx];
        if !part.drafts.is_empty() {
            sequence.advance_in_flight(part.n_rows);
            return Ok(());
        }
        sequence.advance(part.n_rows);
        let position = sequence.n_cached();
        let is_beginning = keep_at.take_if(|n| *n == position).is_some();
        let is_way_back = back_at.take_if(|n| *n == position).is_some();
        if is_beginning || is_way_back {
            let kept = if is_way_back { Kept::WithPages } else { Kept::Beside };
            sequence.take_snapshot(&self.engine, &mut self.memory, (0, kept))?;
            if is_beginning && sequence.reachable(position) == position {
                let beginning = sequence.fork(&self.engine, &mut self.memory, position)?;
                beginning.into_iter().for_each(|beginning| self.beginnings.keep(beginning));
            }
            return Ok(());
        }
        // What is gone on with has its way back a little before.
        let ends_prompt = part.n_rows > 1 && part.is_last && !*is_decoding && claim.is_none();
        let kept = if ends_prompt { Kept::WithPages } else { Kept::Beside };
        sequence.take_due_snapshot(&self.engine, &mut self.memory, (SNAPSHOT_EVERY, 0, kept))
    }
}
