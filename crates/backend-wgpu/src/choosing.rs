//! What the op `sample` reads and writes besides buffers, and how the ids that it chose are read.

use std::collections::VecDeque;

use hala_plan::ops::sample::{self, Turn};
use hala_plan::{Ahead, BackendError, Start};
use wgpu::{Buffer, BufferUsages, SubmissionIndex};

use crate::dispatch::Extent;
use crate::gpu::Gpu;
use crate::prepared::Prepared;
use crate::read;

/// Tokens ahead of the host. Two are read together while two are computed: so a fast device never waits for the host, which
/// takes some 100 µs to look at a buffer, and at most three are computed in vain when a text ends.
pub(crate) const N_AHEAD: usize = 4;

/// The choices of one prepared Plan.
#[derive(Debug)]
pub(crate) struct Choosing {
    /// The uniform `turn`.
    pub(crate) turn: Buffer,
    /// The ids that are banned, then those seen: a bit each.
    pub(crate) sets: Buffer,
    /// The ids of one call of `queue`, `[N_AHEAD]`.
    pub(crate) chosen: Buffer,
    n_words: usize,
    /// Where the host reads; those in use are in `queued`.
    free: Vec<Buffer>,
    queued: VecDeque<Queued>,
}

/// Ids on their way to the host.
#[derive(Debug)]
struct Queued {
    staging: Buffer,
    n_ids: usize,
    submission: SubmissionIndex,
}

impl Choosing {
    /// # Errors
    /// No memory.
    pub(crate) fn new(gpu: &Gpu, n_vocab: usize) -> Result<Self, BackendError> {
        let n_words = sample::n_words(n_vocab);
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let readable = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = |_| gpu.buffer("chosen", 4 * N_AHEAD, readable);
        let choosing = Self {
            turn: gpu.buffer("turn", size_of::<Turn>(), BufferUsages::UNIFORM | BufferUsages::COPY_DST)?,
            sets: gpu.buffer("sets", 4 * 2 * n_words, storage)?,
            chosen: gpu.buffer("chosen", 4 * N_AHEAD, storage)?,
            n_words,
            free: (0..N_AHEAD).map(staging).collect::<Result<_, _>>()?,
            queued: VecDeque::new(),
        };
        Ok(choosing)
    }

    /// Writes the sets that a chain begins with.
    fn start(&self, gpu: &Gpu, start: Start<'_>) {
        let mut words = vec![0u32; 2 * self.n_words];
        let (banned, seen) = words.split_at_mut(self.n_words);
        banned.iter_mut().zip(start.banned).for_each(|(word, from)| *word = *from);
        seen.iter_mut().zip(start.seen).for_each(|(word, from)| *word = *from);
        gpu.queue.write_buffer(&self.sets, 0, bytemuck::cast_slice(&words));
    }

    fn n_queued(&self) -> usize {
        self.queued.iter().map(|queued| queued.n_ids).sum()
    }
}

impl Prepared {
    /// Queues runs that feed each other: one submission each, the last of which copies the ids to where the host reads them.
    ///
    /// # Errors
    /// As for `Backend::queue`.
    pub(crate) fn queue(&mut self, gpu: &Gpu, ahead: Ahead<'_>) -> Result<(), BackendError> {
        let n_queued = self.memory.choosing.as_ref().map_or(0, Choosing::n_queued);
        self.plan.check_ahead(ahead, N_AHEAD - n_queued)?;
        gpu.check()?;
        if ahead.cancel.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        let Some(staging) = self.memory.choosing.as_mut().and_then(|choosing| choosing.free.pop()) else {
            return Ok(());
        };
        if let (Some(start), Some(choosing)) = (ahead.start, &self.memory.choosing) {
            choosing.start(gpu, start);
            gpu.queue.write_buffer(&self.memory.ids, 0, bytemuck::bytes_of(&start.id));
        }
        let n_ids = ahead.draws.len();
        let mut submission = None;
        for (slot, at) in ahead.draws.iter().enumerate() {
            let copied = (slot + 1 == n_ids).then_some(&staging);
            let turn = Turn { choice: ahead.choice, at: *at, slot: slot as u32 };
            submission = Some(self.submit_turn(gpu, ahead.position + slot, turn, copied));
        }
        if let (Some(submission), Some(choosing)) = (submission, &mut self.memory.choosing) {
            choosing.queued.push_back(Queued { staging, n_ids, submission });
        }
        gpu.check()
    }

    /// Submits a run that chooses a token; `copied` takes the ids of this call.
    fn submit_turn(
        &mut self,
        gpu: &Gpu,
        position: usize,
        turn: Turn,
        copied: Option<&Buffer>,
    ) -> SubmissionIndex {
        self.write_step(gpu, position, 1);
        if let Some(choosing) = &self.memory.choosing {
            gpu.queue.write_buffer(&choosing.turn, 0, bytemuck::bytes_of(&turn));
        }
        let n_steps = self.plan.steps().len();
        let mut encoder = self.encode(gpu, Extent { position: position as u32, n_tokens: 1 }, 0..n_steps);
        if let (Some(staging), Some(choosing)) = (copied, &self.memory.choosing) {
            encoder.copy_buffer_to_buffer(&choosing.chosen, 0, staging, 0, 4 * N_AHEAD as u64);
        }
        gpu.submit(encoder)
    }

    /// Waits for the oldest call of `queue` and takes its ids.
    ///
    /// # Errors
    /// The device was lost; then nothing is left to be read.
    pub(crate) async fn chosen(&mut self, gpu: &Gpu, out: &mut Vec<u32>) -> Result<(), BackendError> {
        let Some(choosing) = &mut self.memory.choosing else { return Ok(()) };
        let Some(Queued { staging, n_ids, submission }) = choosing.queued.pop_front() else { return Ok(()) };
        let take = |bytes: &[u8]| out.extend_from_slice(&bytemuck::cast_slice(bytes)[..n_ids]);
        read::map_after(gpu, &staging, 4 * N_AHEAD, Some(submission), take).await?;
        choosing.free.push(staging);
        Ok(())
    }
}
