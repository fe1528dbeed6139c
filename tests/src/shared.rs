//! A device that many engines share, so that each kernel is compiled once: on a program that plays a GPU that takes longer than small models.

use std::ops::Range;

use hala_backend_wgpu::{Prepared, States, Weight, WgpuBackend};
use hala_plan::{
    Ahead, Backend, BackendError, BufferId, Candidate, Device, Kernel, Plan, PoolSize, Reading, Rows,
    StatePlaces, StateSpec, Timing,
};
use hala_tensor::{DType, Tensor};

/// A handle to a device of [`devices::shared`](crate::devices::shared). Whoever counts what a device makes, or loses it, opens one of its own.
#[derive(Debug, Clone, Copy)]
pub struct Shared(pub(crate) &'static WgpuBackend);

impl Backend for Shared {
    type Weight = Weight;
    type States = States;
    type Prepared = Prepared;

    fn device(&self) -> &Device {
        self.0.device()
    }

    fn decode_sizes(&self) -> &[usize] {
        self.0.decode_sizes()
    }

    fn prefill_sizes(&self) -> &[usize] {
        self.0.prefill_sizes()
    }

    fn prompt_rows(&self) -> usize {
        self.0.prompt_rows()
    }

    fn cache_dtype(&self) -> DType {
        self.0.cache_dtype()
    }

    async fn read_places(
        &self,
        states: &States,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        self.0.read_places(states, places, out).await
    }

    fn write_places(
        &self,
        states: &mut States,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        self.0.write_places(states, places, bytes)
    }

    fn kernel(&self, candidate: &Candidate<'_>) -> Option<Kernel> {
        self.0.kernel(candidate)
    }

    fn upload(&self, label: &str, tensor: Tensor) -> Result<Weight, BackendError> {
        self.0.upload(label, tensor)
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.0.settle().await
    }

    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<States, BackendError> {
        self.0.allocate(states, size)
    }

    fn resize(&self, states: &mut States, size: &PoolSize) -> Result<(), BackendError> {
        self.0.resize(states, size)
    }

    fn copy_slot(&self, states: &mut States, from: u32, to: u32) -> Result<(), BackendError> {
        self.0.copy_slot(states, from, to)
    }

    fn copy_page(&self, states: &mut States, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        self.0.copy_page(states, table, pages)
    }

    async fn prepare(&self, plan: &Plan, weights: &[Weight]) -> Result<Prepared, BackendError> {
        self.0.prepare(plan, weights).await
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        self.0.run_steps(prepared, states, rows, steps).await
    }

    async fn run(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
    ) -> Result<(), BackendError> {
        self.0.run(prepared, states, rows).await
    }

    fn n_ahead(&self) -> usize {
        self.0.n_ahead()
    }

    async fn queue(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        self.0.queue(prepared, states, ahead).await
    }

    async fn chosen(&self, prepared: &mut Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        self.0.chosen(prepared, out).await
    }

    async fn profile(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        self.0.profile(prepared, states, rows).await
    }

    async fn read(
        &self,
        prepared: &Prepared,
        states: &States,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        self.0.read(prepared, states, reading, out).await
    }

    fn write(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        self.0.write(prepared, states, buffer, values)
    }
}
