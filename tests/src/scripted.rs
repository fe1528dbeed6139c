//! A CPU backend that leads a model's text along a script, whatever its weights, and counts runs.
//!
//! A model with random weights writes nothing that tells anything. Here each row of logits has the script's next token raised, by the position of the row: all
//! else is the backend's, so a run costs what it costs and states are what they are.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hala_backend_cpu::{self as cpu, CpuBackend};
use hala_plan::{
    Ahead, Axis, Backend, BackendError, BufferId, Candidate, Device, Kernel, Plan, PoolSize, Reading, Rows,
    StatePlaces, StateSpec, Timing,
};
use hala_tensor::{DType, Tensor};

/// A backend whose logits follow a script.
#[derive(Debug)]
pub struct Scripted {
    inner: CpuBackend,
    /// The token at each position of every sequence.
    script: Mutex<Vec<u32>>,
    /// Added to the logit of the script's next token.
    bias: f32,
    n_runs: AtomicUsize,
    refuses_copies: AtomicBool,
}

/// A Plan made ready, with the positions of the rows of logits that its last run computed.
#[derive(Debug)]
pub struct Prepared {
    inner: cpu::Prepared,
    logits: Option<(BufferId, Axis)>,
    positions: Vec<usize>,
}

impl Scripted {
    /// Raises the logit of `script[p + 1]` by `bias` after the token at position p.
    pub fn new(inner: CpuBackend, script: Vec<u32>, bias: f32) -> Self {
        let (script, n_runs, refuses_copies) =
            (Mutex::new(script), AtomicUsize::new(0), AtomicBool::new(false));
        Self { inner, script, bias, n_runs, refuses_copies }
    }

    /// Another script from now on.
    pub fn set_script(&self, script: Vec<u32>) {
        *self.script.lock().unwrap() = script;
    }

    /// Whether copies of states fail from now on, as on a device that was lost.
    pub fn refuse_copies(&self, refuses: bool) {
        self.refuses_copies.store(refuses, Ordering::Relaxed);
    }

    fn check_copies(&self) -> Result<(), BackendError> {
        if !self.refuses_copies.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(BackendError::DeviceLost {
            device: self.device().name.clone(),
            reason: "copies are refused".to_owned(),
        })
    }

    /// Runs that were made.
    pub fn n_runs(&self) -> usize {
        self.n_runs.load(Ordering::Relaxed)
    }
}

/// The positions of the rows whose logits a run computes.
fn positions(rows: &Rows<'_>, axis: Axis) -> Vec<usize> {
    let all: Vec<usize> = rows.spans.iter().flat_map(|span| span.position..span.end()).collect();
    match axis {
        Axis::Wanted => rows.wanted.iter().map(|row| all[*row as usize]).collect(),
        _ => all,
    }
}

impl Backend for Scripted {
    type Weight = cpu::Weight;
    type States = cpu::States;
    type Prepared = Prepared;

    fn device(&self) -> &Device {
        self.inner.device()
    }

    fn decode_sizes(&self) -> &[usize] {
        self.inner.decode_sizes()
    }

    fn prefill_sizes(&self) -> &[usize] {
        self.inner.prefill_sizes()
    }

    fn cache_dtype(&self) -> DType {
        self.inner.cache_dtype()
    }

    async fn read_places(
        &self,
        states: &Self::States,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        self.inner.read_places(states, places, out).await
    }

    fn write_places(
        &self,
        states: &mut Self::States,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        self.inner.write_places(states, places, bytes)
    }

    fn kernel(&self, candidate: &Candidate<'_>) -> Option<Kernel> {
        self.inner.kernel(candidate)
    }

    fn upload(&self, label: &str, tensor: Tensor) -> Result<Self::Weight, BackendError> {
        self.inner.upload(label, tensor)
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.inner.settle().await
    }

    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<Self::States, BackendError> {
        self.inner.allocate(states, size)
    }

    fn resize(&self, states: &mut Self::States, size: &PoolSize) -> Result<(), BackendError> {
        self.inner.resize(states, size)
    }

    fn copy_slot(&self, states: &mut Self::States, from: u32, to: u32) -> Result<(), BackendError> {
        self.check_copies()?;
        self.inner.copy_slot(states, from, to)
    }

    fn copy_page(&self, states: &mut Self::States, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        self.check_copies()?;
        self.inner.copy_page(states, table, pages)
    }

    async fn prepare(&self, plan: &Plan, weights: &[Self::Weight]) -> Result<Self::Prepared, BackendError> {
        let logits = plan.output().map(|id| (id, plan.buffer(id).axis));
        Ok(Prepared { inner: self.inner.prepare(plan, weights).await?, logits, positions: Vec::new() })
    }

    async fn run_steps(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        self.n_runs.fetch_add(1, Ordering::Relaxed);
        prepared.positions = prepared.logits.map_or(Vec::new(), |(_, axis)| positions(&rows, axis));
        self.inner.run_steps(&mut prepared.inner, states, rows, steps).await
    }

    fn n_ahead(&self) -> usize {
        // What a device chooses by itself follows no script.
        0
    }

    async fn queue(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        self.inner.queue(&mut prepared.inner, states, ahead).await
    }

    async fn chosen(&self, prepared: &mut Self::Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        self.inner.chosen(&mut prepared.inner, out).await
    }

    async fn profile(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        self.inner.profile(&mut prepared.inner, states, rows).await
    }

    async fn read(
        &self,
        prepared: &Self::Prepared,
        states: &Self::States,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        self.inner.read(&prepared.inner, states, reading, out).await?;
        if prepared.logits.is_some_and(|(id, _)| id == reading.buffer) {
            let script = self.script.lock().unwrap();
            let n_vocab = out.len() / reading.n_rows.max(1);
            for (row, position) in out.chunks_exact_mut(n_vocab).zip(&prepared.positions) {
                let next = script.get(position + 1).and_then(|id| row.get_mut(*id as usize));
                next.into_iter().for_each(|logit| *logit += self.bias);
            }
        }
        Ok(())
    }

    fn write(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        self.inner.write(&mut prepared.inner, states, buffer, values)
    }
}
