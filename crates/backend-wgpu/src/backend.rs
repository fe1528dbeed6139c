//! The backend: devices, weights, states and prepared Plans.

use std::ops::Range;
use std::sync::Arc;

use hala_plan::{
    Ahead, Backend, BackendError, BufferKind, Device, Plan, PoolSize, Reading, Rows, StateKind, StateSpec,
    Timing,
};
use hala_tensor::{DType, Tensor};
use half::f16;
use wgpu::{Buffer, BufferUsages, CommandEncoderDescriptor, PollType};

use crate::adapter::{AdapterChoice, choose};
use crate::choices::{Choices, Origin};
use crate::choose::Preset;
use crate::choosing::N_AHEAD;
use crate::gpu::{Created, Gpu, Setup};
use crate::memory::{Buffers, stride};
use crate::pipelines::Pipelines;
use crate::prepared::Prepared;
use crate::read;
use crate::sizes;
use crate::state::{Cells, States};
use crate::weight::Weight;

/// Runs Plans on a GPU.
#[derive(Debug)]
pub struct WgpuBackend {
    device: Device,
    pub(crate) gpu: Gpu,
    pipelines: Pipelines,
}

impl WgpuBackend {
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

    async fn open(choice: &AdapterChoice, setup: Setup) -> Result<Self, BackendError> {
        let adapter = choose(choice).await?;
        let gpu = Gpu::open(&adapter, setup).await?;
        let device = Device { backend: "wgpu", name: gpu.name.clone() };
        Ok(Self { device, gpu, pipelines: Pipelines::default() })
    }

    /// Whether the device is a program on the CPU.
    pub fn is_software(&self) -> bool {
        self.gpu.is_software
    }

    /// Whether kernels let lanes that run together add up by themselves.
    pub fn has_subgroups(&self) -> bool {
        self.gpu.abilities.has_subgroups
    }

    /// What choices must have been measured with to be used here.
    pub fn origin(&self) -> Origin {
        Origin::here(&self.gpu)
    }

    /// Uses choices that were measured, where Plans are prepared from now on; `false`, and nothing done, where they were
    /// measured with another device, driver or version.
    pub fn use_choices(&self, choices: Choices) -> bool {
        let is_ours = choices.origin == self.origin();
        if is_ours {
            self.gpu.set_choices(Arc::new(choices));
        }
        is_ours
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

    /// Reads all pages or slots of a state.
    async fn read_state(&self, cells: &Cells, out: &mut Vec<f32>) -> Result<(), BackendError> {
        let n_elements = cells.n_elements();
        let is_f16 = cells.spec.dtype == DType::F16;
        let bytes = self.fetch(&cells.buffer, n_elements * if is_f16 { 2 } else { 4 }).await?;
        out.clear();
        if is_f16 {
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes);
            out.extend(halves.iter().take(n_elements).map(|x| x.to_f32()));
        } else {
            out.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes));
        }
        Ok(())
    }

    /// Copies a buffer that the host cannot read to one that it can, and reads that.
    async fn fetch(&self, buffer: &Buffer, n_bytes: usize) -> Result<Vec<u8>, BackendError> {
        let n_bytes = n_bytes.next_multiple_of(4);
        let staging = self.gpu.buffer("reading", n_bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
        let mut encoder = self.gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, n_bytes as u64);
        self.gpu.submit(encoder);
        read::map(&self.gpu, &staging, n_bytes, <[u8]>::to_vec).await
    }
}

/// Copies rows of a padded buffer without their padding.
fn unpad(bytes: &[u8], n_columns: usize, out: &mut Vec<f32>) {
    out.clear();
    let values: &[f32] = bytemuck::cast_slice(bytes);
    for row in values.chunks(stride(n_columns)) {
        out.extend_from_slice(&row[..n_columns]);
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

    async fn prepare(&self, plan: &Plan, weights: &[Weight]) -> Result<Prepared, BackendError> {
        Prepared::new(&self.gpu, &self.pipelines, plan, weights)
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
        Reading { buffer, n_rows }: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        let Prepared { plan, memory, fresh, .. } = prepared;
        let buffers = Buffers { plan, memory, weights: &[] };
        let shape = plan.buffer(buffer).shape;
        if let BufferKind::State(id, _) = plan.buffer(buffer).kind {
            let cells = states.cells.get(id.0 as usize).ok_or_else(|| buffers.misplaced(buffer))?;
            return self.read_state(cells, out).await;
        }
        let (n_rows, n_columns) = (n_rows.min(shape.n_rows()), shape.n_columns());
        let n_bytes = 4 * n_rows * stride(n_columns);
        if n_bytes == 0 {
            out.clear();
            return Ok(());
        }
        let is_there = fresh.is_some_and(|fresh| fresh.buffer == buffer && n_rows <= fresh.n_rows);
        if let Some(output) = memory.output(buffer).filter(|_| is_there) {
            return read::map(&self.gpu, &output.staging, n_bytes, |bytes| unpad(bytes, n_columns, out))
                .await;
        }
        let bytes = self.fetch(&buffers.get(buffer)?, n_bytes).await?;
        unpad(&bytes, n_columns, out);
        Ok(())
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
