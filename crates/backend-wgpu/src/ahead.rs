//! Runs ahead of the host, which feed each other the ids that they choose.

use hala_plan::ops::sample::Turn;
use hala_plan::{Ahead, AheadRow, BackendError, Rows, Span};
use wgpu::CommandEncoder;

use crate::choosing::{Choosing, N_AHEAD, Queued};
use crate::gpu::Gpu;
use crate::grid::Extent;
use crate::prepared::Prepared;
use crate::state::States;

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
        let Some(staging) = self.memory.choosing.as_mut().and_then(Choosing::free_staging) else {
            return Ok(());
        };
        self.start_rows(gpu, &ahead);
        let (n_runs, n_rows) = (ahead.n_runs(), ahead.rows.len());
        let mut submission = None;
        for run in 0..n_runs {
            let mut encoder = self.encode_turn(gpu, states, &ahead, run);
            if let (true, Some(choosing)) = (run + 1 == n_runs, &self.memory.choosing) {
                choosing.copy(&mut encoder, &staging);
            }
            submission = Some(gpu.submit(encoder));
        }
        if let (Some(submission), Some(choosing)) = (submission, &mut self.memory.choosing) {
            choosing.push(Queued { staging, n_runs, n_rows, submission });
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

    /// The commands of a run of a chain, in which every row chooses a token; what it is given is written to the device.
    fn encode_turn<'a>(
        &mut self,
        gpu: &Gpu,
        states: &States,
        ahead: &Ahead<'a>,
        run: usize,
    ) -> CommandEncoder {
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
        self.encode(gpu, states, Extent::of(&rows), 0..self.plan.steps().len())
    }

    /// Waits for the oldest call of `queue` and takes its ids.
    ///
    /// # Errors
    /// The device was lost; then nothing is left to be read.
    pub(crate) async fn chosen(&mut self, gpu: &Gpu, out: &mut Vec<u32>) -> Result<(), BackendError> {
        match &mut self.memory.choosing {
            Some(choosing) => choosing.read(gpu, out).await,
            None => Ok(()),
        }
    }
}
