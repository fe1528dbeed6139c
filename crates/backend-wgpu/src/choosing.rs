//! What the op `sample` reads and writes besides the Plan's buffers, and where the host reads the ids that it chose.

use std::collections::VecDeque;

use hala_plan::ops::sample::TokenSet;
use hala_plan::{BackendError, Start};
use wgpu::{Buffer, BufferUsages, CommandEncoder, SubmissionIndex};

use crate::gpu::Gpu;
use crate::read;

/// Runs ahead of the host. Two are read together while two are computed: so a fast device never waits for the host, which
/// takes some 100 µs to look at a buffer, and at most three are computed in vain when a text ends.
pub(crate) const N_AHEAD: usize = 4;

/// The choices of one prepared Plan.
#[derive(Debug)]
pub(crate) struct Choosing {
    /// `[T, 2, words]`: for each row the ids that are banned, then those seen, a bit each.
    pub(crate) sets: Buffer,
    /// The ids of one call of `queue`, `[N_AHEAD, T]`.
    pub(crate) chosen: Buffer,
    /// Words of a set.
    n_words: usize,
    /// Bytes of `chosen`.
    n_bytes: usize,
    /// Where the host reads; those in use are in `queued`.
    free: Vec<Buffer>,
    queued: VecDeque<Queued>,
}

/// Ids on their way to the host.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) staging: Buffer,
    pub(crate) n_runs: usize,
    pub(crate) n_rows: usize,
    /// The last of the runs, after which they are copied.
    pub(crate) submission: SubmissionIndex,
}

impl Choosing {
    /// # Errors
    /// No memory.
    pub(crate) fn new(gpu: &Gpu, n_vocab: usize, n_tokens: usize) -> Result<Self, BackendError> {
        let n_words = TokenSet::n_words(n_vocab);
        let n_bytes = 4 * N_AHEAD * n_tokens;
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let readable = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = |_| gpu.buffer("chosen", n_bytes, readable);
        Ok(Self {
            sets: gpu.buffer("sets", 4 * 2 * n_words * n_tokens, storage)?,
            chosen: gpu.buffer("chosen", n_bytes, storage)?,
            n_words,
            n_bytes,
            free: (0..N_AHEAD).map(staging).collect::<Result<_, _>>()?,
            queued: VecDeque::new(),
        })
    }

    /// Writes the sets that a row's chain begins with.
    pub(crate) fn start(&self, gpu: &Gpu, row: usize, start: Start<'_>) {
        let mut words = vec![0u32; 2 * self.n_words];
        for (words, set) in words.chunks_mut(self.n_words).zip([start.banned, start.seen]) {
            words.iter_mut().zip(set.words()).for_each(|(word, from)| *word = *from);
        }
        let offset = 4 * words.len() * row;
        gpu.queue.write_buffer(&self.sets, offset as u64, bytemuck::cast_slice(&words));
    }

    /// Runs whose ids were not read yet.
    pub(crate) fn n_queued(&self) -> usize {
        self.queued.iter().map(|queued| queued.n_runs).sum()
    }

    /// Takes a buffer that the host can read, where one is free.
    pub(crate) fn free_staging(&mut self) -> Option<Buffer> {
        self.free.pop()
    }

    /// Copies the ids of all runs to where the host reads them.
    pub(crate) fn copy(&self, encoder: &mut CommandEncoder, staging: &Buffer) {
        encoder.copy_buffer_to_buffer(&self.chosen, 0, staging, 0, self.n_bytes as u64);
    }

    /// Keeps runs that were submitted, to be read after those before them.
    pub(crate) fn push(&mut self, queued: Queued) {
        self.queued.push_back(queued);
    }

    /// Waits for the runs that were queued first and takes their ids.
    ///
    /// # Errors
    /// The device was lost; then nothing is left to be read.
    pub(crate) async fn read(&mut self, gpu: &Gpu, out: &mut Vec<u32>) -> Result<(), BackendError> {
        let Some(queued) = self.queued.pop_front() else { return Ok(()) };
        let Queued { staging, n_runs, n_rows, submission } = queued;
        let take = |bytes: &[u8]| out.extend_from_slice(&bytemuck::cast_slice(bytes)[..n_runs * n_rows]);
        read::map_after(gpu, &staging, self.n_bytes, Some(submission), take).await?;
        self.free.push(staging);
        Ok(())
    }
}
