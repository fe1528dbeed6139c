//! What the op `sample` reads and writes besides buffers, and how the ids that it chose are read.

use std::collections::VecDeque;

use hala_plan::ops::sample::{TokenSet, Turn};
use hala_plan::{Ahead, AheadRow, BackendError, Rows, Span, Start};
use wgpu::{Buffer, BufferUsages, SubmissionIndex};

use crate::dispatch::Extent;
use crate::gpu::Gpu;
use crate::prepared::Prepared;
use crate::read;
use crate::state::States;

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
struct Queued {
    staging: Buffer,
    n_runs: usize,
    n_rows: usize,
    submission: SubmissionIndex,
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
    fn start(&self, gpu: &Gpu, row: usize, start: Start<'_>) {
        let mut words = vec![0u32; 2 * self.n_words];
        for (words, set) in words.chunks_mut(self.n_words).zip([start.banned, start.seen]) {
            words.iter_mut().zip(set.words()).for_each(|(word, from)| *word = *from);
        }
        let offset = 4 * words.len() * row;
        gpu.queue.write_buffer(&self.sets, offset as u64, bytemuck::cast_slice(&words));
    }

    fn n_queued(&self) -> usize {
        self.queued.iter().map(|queued| queued.n_runs).sum()
    }
}

impl Prepared {
    /// Queues runs that feed each other: one submission each, the last of which copies the ids to where the host reads them.
    ///
    /// # Errors
    /// As for `Backend::queue`.
    pub(crate) fn queue(
        &mut self,
        gpu: &Gpu,
        states: &mut States,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        let n_queued = self.memory.choosing.as_ref().map_or(0, Choosing::n_queued);
        self.plan.check_ahead(&ahead, N_AHEAD - n_queued, &states.size)?;
        gpu.check()?;
        if ahead.cancel.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        self.bind(gpu, states, 0..self.plan.steps().len())?;
        let Some(staging) = self.memory.choosing.as_mut().and_then(|choosing| choosing.free.pop()) else {
            return Ok(());
        };
        self.start_rows(gpu, &ahead);
        let (n_runs, n_rows) = (ahead.n_runs(), ahead.rows.len());
        let mut submission = None;
        for run in 0..n_runs {
            let copied = (run + 1 == n_runs).then_some(&staging);
            submission = Some(self.submit_turn(gpu, states, (&ahead, run), copied));
        }
        if let (Some(submission), Some(choosing)) = (submission, &mut self.memory.choosing) {
            choosing.queued.push_back(Queued { staging, n_runs, n_rows, submission });
        }
        gpu.check()
    }

    /// Writes what the rows that begin a chain begin it with.
    fn start_rows(&self, gpu: &Gpu, ahead: &Ahead<'_>) {
        for (i, row) in ahead.rows.iter().enumerate() {
            if let (Some(start), Some(choosing)) = (row.start, &self.memory.choosing) {
                choosing.start(gpu, i, start);
                gpu.queue.write_buffer(&self.memory.ids, 4 * i as u64, bytemuck::bytes_of(&start.id));
            }
        }
    }

    /// Submits a run of a chain, in which every row chooses a token; `copied` takes the ids of all the runs.
    fn submit_turn<'a>(
        &mut self,
        gpu: &Gpu,
        states: &States,
        (ahead, run): (&Ahead<'a>, usize),
        copied: Option<&Buffer>,
    ) -> SubmissionIndex {
        let n_rows = ahead.rows.len();
        let at_run = |row: &AheadRow<'a>| Span { position: row.span.position + run, ..row.span };
        let spans: Vec<Span<'_>> = ahead.rows.iter().map(at_run).collect();
        // The device has the ids.
        let ids = vec![0; n_rows];
        let rows = Rows { ids: &ids, spans: &spans, wanted: &[], cancel: ahead.cancel };
        self.memory.inputs.put(&rows);
        for (i, row) in ahead.rows.iter().enumerate() {
            let turn = Turn { choice: row.choice, at: row.draws[run], place: (run * n_rows + i) as u32 };
            self.memory.inputs.put_turn(i, &turn);
        }
        self.memory.inputs.write(gpu);
        self.fresh = None;
        let mut encoder = self.encode(gpu, states, Extent::of(&rows), 0..self.plan.steps().len());
        if let (Some(staging), Some(choosing)) = (copied, &self.memory.choosing) {
            encoder.copy_buffer_to_buffer(&choosing.chosen, 0, staging, 0, choosing.n_bytes as u64);
        }
        gpu.submit(encoder)
    }

    /// Waits for the oldest call of `queue` and takes its ids.
    ///
    /// # Errors
    /// The device was lost; then nothing is left to be read.
    pub(crate) async fn chosen(&mut self, gpu: &Gpu, out: &mut Vec<u32>) -> Result<(), BackendError> {
        let Some(choosing) = &mut self.memory.choosing else { return Ok(()) };
        let Some(queued) = choosing.queued.pop_front() else { return Ok(()) };
        let Queued { staging, n_runs, n_rows, submission } = queued;
        let take = |bytes: &[u8]| out.extend_from_slice(&bytemuck::cast_slice(bytes)[..n_runs * n_rows]);
        read::map_after(gpu, &staging, choosing.n_bytes, Some(submission), take).await?;
        choosing.free.push(staging);
        Ok(())
    }
}
