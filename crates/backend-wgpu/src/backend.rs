//! The backend: devices, weights, states and prepared Plans.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hala_plan::{
    Ahead, Backend, BackendError, BufferId, Candidate, Device, Kernel, Plan, PoolSize, Reading, Rows,
    StateKind, StatePlaces, StateSpec, Timing,
};
use hala_tensor::{DType, Tensor};
use wgpu::{Adapter, PollType};

use crate::adapter::{AdapterChoice, AdapterReport, Found, choose, report};
use crate::capabilities::Preset;
use crate::choices::{Choices, Origin};
use crate::choosing::N_AHEAD;
use crate::gpu::{Created, Gpu, Setup};
use crate::ops::Asked;
use crate::pace::Paced;
use crate::pipelines::Pipelines;
use crate::prepared::Prepared;
use crate::sizes;
use crate::state::States;
use crate::weight::Weight;

/// Runs Plans on a GPU.
#[derive(Debug)]
pub struct WgpuBackend {
    device: Device,
    report: AdapterReport,
    pub(crate) gpu: Gpu,
    pipelines: Pipelines,
    choices: Mutex<Arc<Choices>>,
}

impl WgpuBackend {
    /// T of the Plans for prompts; a software device has no longer ones.
    pub const PREFILL_SIZES: [usize; 3] = sizes::PREFILL;

    /// Sets up the device that is wanted.
    ///
    /// # Errors
    /// No such adapter, one that is too small, or a driver that refuses.
    pub async fn new(choice: &AdapterChoice) -> Result<Self, BackendError> {
        Self::open(choice, Setup::default()).await
    }

    /// Sets up the device that is wanted with kernels that may not be its own: so that tests run all of them on any device,
    /// and benches compare them.
    ///
    /// # Errors
    /// As for [`WgpuBackend::new`].
    pub async fn with_preset(choice: &AdapterChoice, preset: Preset) -> Result<Self, BackendError> {
        Self::open(choice, Setup { preset: Some(preset), ..Setup::default() }).await
    }

    /// Sets up the device that is wanted in a browser whose page adds `subgroups` to the features that wgpu asks for, because
    /// wgpu does not yet.
    ///
    /// # Errors
    /// As for [`WgpuBackend::new`].
    pub async fn with_subgroups(choice: &AdapterChoice) -> Result<Self, BackendError> {
        Self::open(choice, Setup { subgroups: true, ..Setup::default() }).await
    }

    /// Sets up the device of an adapter that was found.
    ///
    /// # Errors
    /// One that is too small, or a driver that refuses.
    pub async fn on(found: &Found) -> Result<Self, BackendError> {
        Self::set_up(&found.adapter, Setup::default()).await
    }

    async fn open(choice: &AdapterChoice, setup: Setup) -> Result<Self, BackendError> {
        Self::set_up(&choose(choice).await?, setup).await
    }

    async fn set_up(adapter: &Adapter, setup: Setup) -> Result<Self, BackendError> {
        let gpu = Gpu::open(adapter, setup).await?;
        let device = Device { backend: "wgpu", name: gpu.name.clone() };
        let report = report(adapter);
        Ok(Self { device, report, gpu, pipelines: Pipelines::default(), choices: Mutex::default() })
    }

    /// The same with WGSL of the caller's for one of the kernels of `shaders/variants.txt`, in Plans that are prepared from now on: to try
    /// a kernel on a model, or to see what finds a fault in one. It must bind what the variant binds. `None` where there is no
    /// kernel of this name; what the driver says of the text comes when a Plan is prepared that needs it.
    pub fn with_kernel(mut self, name: &str, wgsl: String) -> Option<Self> {
        self.pipelines.replace(name, wgsl).then_some(self)
    }

    /// The same with submissions of prompts that are kept short by a clock of the caller's, whatever the device: for tests of what follows from
    /// the times.
    pub fn with_clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.gpu.paced = Some(Paced::by(Arc::new(clock)));
        self
    }

    /// Whether the device is a program on the CPU.
    pub fn is_software(&self) -> bool {
        self.gpu.is_software
    }

    /// Whether kernels let lanes that run together add up by themselves.
    pub fn has_subgroups(&self) -> bool {
        self.gpu.abilities.has_subgroups
    }

    /// What is known of its adapter.
    pub fn report(&self) -> &AdapterReport {
        &self.report
    }

    /// What choices must have been measured with to be used here.
    pub fn origin(&self) -> Origin {
        self.gpu.origin.clone()
    }

    /// Uses choices that were measured, where Plans are prepared from now on; `false`, and nothing done, where they were
    /// measured with another device, driver or version.
    pub fn use_choices(&self, choices: Choices) -> bool {
        let is_ours = choices.origin == self.origin();
        if is_ours {
            self.set_choices(Arc::new(choices));
        }
        is_ours
    }

    /// The choices of kernels in use.
    pub(crate) fn choices(&self) -> Arc<Choices> {
        Arc::clone(&self.choices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses these choices, wherever they were measured, in Plans that are prepared from now on.
    pub(crate) fn set_choices(&self, choices: Arc<Choices>) {
        *self.choices.lock().unwrap_or_else(PoisonError::into_inner) = choices;
    }

    /// What was made and run on the device so far.
    pub fn created(&self) -> Created {
        self.gpu.created()
    }

    /// Ends the device, as a driver does that is reset: everything after it is [`BackendError::DeviceLost`].
    pub fn destroy(&self) {
        self.gpu.device.destroy();
        // The loss is told when what was submitted before is done.
        let _ = self.gpu.device.poll(PollType::wait_indefinitely());
    }
}

impl Backend for WgpuBackend {
    type Weight = Weight;
    type States = States;
    type Prepared = Prepared;

    fn device(&self) -> &Device {
        &self.device
    }

    fn decode_sizes(&self) -> &[usize] {
        &sizes::DECODE
    }

    fn prefill_sizes(&self) -> &[usize] {
        if self.gpu.is_software { &sizes::SOFTWARE_PREFILL } else { &sizes::PREFILL }
    }

    fn prompt_rows(&self) -> usize {
        let sizes = self.prefill_sizes();
        let largest = |paced: &Paced| paced.with(|pace| pace.largest(sizes));
        self.gpu.paced.as_ref().map_or(sizes.last().copied().unwrap_or(1), largest)
    }

    fn cache_dtype(&self) -> DType {
        DType::F16
    }

    fn upload(&self, label: &str, tensor: Tensor) -> Result<Weight, BackendError> {
        Weight::upload(&self.gpu, label, tensor)
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.gpu.settle().await
    }

    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<States, BackendError> {
        States::allocate(&self.gpu, states, size)
    }

    fn resize(&self, states: &mut States, size: &PoolSize) -> Result<(), BackendError> {
        states.resize(&self.gpu, size)
    }

    fn copy_slot(&self, states: &mut States, from: u32, to: u32) -> Result<(), BackendError> {
        states.copy(&self.gpu, StateKind::Recurrent, [from, to])
    }

    fn copy_page(&self, states: &mut States, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        states.copy(&self.gpu, StateKind::Paged { table }, pages)
    }

    async fn read_places(
        &self,
        states: &States,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        states.read_places(&self.gpu, places, out).await
    }

    fn write_places(
        &self,
        states: &mut States,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        states.write_places(&self.gpu, places, bytes)
    }

    fn kernel(&self, candidate: &Candidate<'_>) -> Option<Kernel> {
        Asked { gpu: &self.gpu, choices: &self.choices(), candidate: *candidate }.kernel()
    }

    async fn prepare(&self, plan: &Plan, weights: &[Weight]) -> Result<Prepared, BackendError> {
        Prepared::new(&self.gpu, &self.pipelines, &self.choices(), plan, weights)
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        prepared.run(&self.gpu, states, rows, steps).await
    }

    fn n_ahead(&self) -> usize {
        N_AHEAD
    }

    async fn queue(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        prepared.queue(&self.gpu, states, ahead)
    }

    async fn chosen(&self, prepared: &mut Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        prepared.chosen(&self.gpu, out).await
    }

    async fn profile(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        prepared.profile(&self.gpu, states, rows).await
    }

    async fn read(
        &self,
        prepared: &Prepared,
        states: &States,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        prepared.read(&self.gpu, states, reading, out).await
    }

    fn write(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        prepared.write(&self.gpu, states, buffer, values)
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use hala_plan::Cancel;

    use super::*;

    fn is_send<T: Send>(_: &T) {}

    /// Compiled, and never called: a server moves what it awaits from thread to thread.
    #[expect(dead_code, reason = "that it compiles is the test")]
    fn futures_may_be_sent_to_other_threads(
        backend: &WgpuBackend,
        (plan, cancel): (&Plan, &Cancel),
        (prepared, states): (&mut Prepared, &mut States),
        reading: Reading,
    ) {
        let rows = Rows { ids: &[], spans: &[], wanted: &[], cancel };
        is_send(&backend.settle());
        is_send(&backend.prepare(plan, &[]));
        is_send(&backend.run_steps(prepared, states, rows, 0..1));
        is_send(&backend.run(prepared, states, rows));
        is_send(&backend.queue(prepared, states, Ahead { rows: &[], cancel }));
        is_send(&backend.chosen(prepared, &mut Vec::new()));
        is_send(&backend.profile(prepared, states, rows));
        is_send(&backend.read(prepared, states, reading, &mut Vec::new()));
    }
}
