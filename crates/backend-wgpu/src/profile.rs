//! How long each dispatch of a Plan takes, by the device's own clock.

use hala_plan::{BackendError, Rows, Timing};
use wgpu::{
    BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor, ComputePassTimestampWrites, Features,
    QueryType,
};

use crate::dispatch::Dispatch;
use crate::gpu::Gpu;
use crate::grid::Extent;
use crate::prepared::Prepared;
use crate::read;
use crate::state::States;

/// Dispatches that are timed together; WebGPU has at most 4,096 queries in a set, and each takes two.
const N_AT_ONCE: usize = 256;

impl Prepared {
    /// Runs all steps, each dispatch in a pass of its own between two timestamps.
    ///
    /// # Errors
    /// A device without a clock, and as for `Backend::run_steps`.
    pub(crate) async fn profile(
        &mut self,
        gpu: &Gpu,
        states: &mut States,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        if !gpu.device.features().contains(Features::TIMESTAMP_QUERY) {
            return Err(BackendError::Refused {
                device: gpu.name.clone(),
                what: "a profile".to_owned(),
                reason: "it has no timestamps".to_owned(),
            });
        }
        self.begin(gpu, states, &rows)?;
        self.bind(gpu, states, 0..self.plan.steps().len())?;
        let mut timings = Vec::new();
        let run = Extent::of(&rows);
        let needed: Vec<&Dispatch> = self.dispatches.iter().filter(|d| d.is_needed(run)).collect();
        for dispatches in needed.chunks(N_AT_ONCE) {
            if rows.cancel.is_cancelled() {
                return Err(BackendError::Cancelled);
            }
            let seconds = timed(gpu, states, run, dispatches).await?;
            let timing = |(dispatch, seconds): (&&Dispatch, f64)| Timing {
                step: dispatch.step,
                kernel: dispatch.kernel().to_owned(),
                seconds,
            };
            timings.extend(dispatches.iter().zip(seconds).map(timing));
        }
        Ok(timings)
    }
}

/// Seconds of each dispatch.
async fn timed(
    gpu: &Gpu,
    states: &States,
    run: Extent<'_>,
    dispatches: &[&Dispatch],
) -> Result<Vec<f64>, BackendError> {
    let n_queries = 2 * dispatches.len() as u32;
    let n_bytes = 8 * n_queries as usize;
    let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: Some("profile"),
        ty: QueryType::Timestamp,
        count: n_queries,
    });
    let resolved = gpu.buffer("profile", n_bytes, BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC)?;
    let staging = gpu.buffer("profile", n_bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
    let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
    for (i, dispatch) in dispatches.iter().enumerate() {
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor {
            label: Some(dispatch.kernel()),
            timestamp_writes: Some(ComputePassTimestampWrites {
                query_set: &queries,
                beginning_of_pass_write_index: Some(2 * i as u32),
                end_of_pass_write_index: Some(2 * i as u32 + 1),
            }),
        });
        dispatch.record(&mut pass, states, run);
    }
    encoder.resolve_query_set(&queries, 0..n_queries, &resolved, 0);
    encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, n_bytes as u64);
    gpu.submit(encoder);
    let period = f64::from(gpu.queue.get_timestamp_period()) * 1e-9;
    read::map(gpu, &staging, n_bytes, |bytes| {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(bytes);
        ticks.as_chunks::<2>().0.iter().map(|[a, b]| b.saturating_sub(*a) as f64 * period).collect()
    })
    .await
}
