//! A device that many engines share, so that each kernel is compiled once: on a program that plays a GPU that takes longer than small models.

use std::ops::Range;

use hala_backend_wgpu::{Prepared, Snapshot, State, Weight, WgpuBackend};
use hala_plan::{Ahead, Backend, BackendError, BufferId, Device, Plan, StateSpec, StepInput, Timing};
use hala_tensor::{DType, Tensor};

/// A handle to a device of [`devices::shared`](crate::devices::shared). Whoever counts what a device makes, or loses it, opens one of its own.
#[derive(Debug, Clone, Copy)]
pub struct Shared(pub(crate) &'static WgpuBackend);

impl Backend for Shared {
    type Weight = Weight;
    type State = State;
    type Prepared = Prepared;
    type Snapshot = Snapshot;

    fn device(&self) -> &Device {
        self.0.device()
    }

    fn prefill_sizes(&self) -> &[usize] {
        self.0.prefill_sizes()
    }

    fn cache_dtype(&self) -> DType {
        self.0.cache_dtype()
    }

    fn upload(&self, label: &str, tensor: Tensor) -> Result<Weight, BackendError> {
        self.0.upload(label, tensor)
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.0.settle().await
    }

    fn allocate(&self, states: &[StateSpec]) -> Result<State, BackendError> {
        self.0.allocate(states)
    }

    async fn prepare(
        &self,
        plan: &Plan,
        weights: &[Weight],
        state: &State,
    ) -> Result<Prepared, BackendError> {
        self.0.prepare(plan, weights, state).await
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        self.0.run_steps(prepared, state, input, steps).await
    }

    async fn run(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
    ) -> Result<(), BackendError> {
        self.0.run(prepared, state, input).await
    }

    fn n_ahead(&self) -> usize {
        self.0.n_ahead()
    }

    async fn queue(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        self.0.queue(prepared, state, ahead).await
    }

    async fn chosen(&self, prepared: &mut Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        self.0.chosen(prepared, out).await
    }

    async fn profile(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        self.0.profile(prepared, state, input).await
    }

    async fn read(
        &self,
        prepared: &Prepared,
        state: &State,
        buffer: BufferId,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        self.0.read(prepared, state, buffer, out).await
    }

    async fn snapshot(&self, state: &State) -> Result<Snapshot, BackendError> {
        self.0.snapshot(state).await
    }

    async fn restore(&self, state: &mut State, snapshot: &Snapshot) -> Result<(), BackendError> {
        self.0.restore(state, snapshot).await
    }
}
