//! Getting bytes back from the device.

use hala_plan::BackendError;
use wgpu::{Buffer, BufferUsages, CommandEncoderDescriptor, MapMode, SubmissionIndex};

use crate::callback::answer;
use crate::gpu::Gpu;

/// Maps the first `n_bytes` of a buffer that the host can read, and gives them to `take`.
///
/// # Errors
/// The device was lost.
pub(crate) async fn map<T>(
    gpu: &Gpu,
    buffer: &Buffer,
    n_bytes: usize,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, BackendError> {
    map_after(gpu, buffer, n_bytes, None, take).await
}

/// The same, waiting for the submission that wrote the buffer and for none after it.
///
/// # Errors
/// The device was lost.
pub(crate) async fn map_after<T>(
    gpu: &Gpu,
    buffer: &Buffer,
    n_bytes: usize,
    submission: Option<SubmissionIndex>,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, BackendError> {
    let lost = |reason: String| BackendError::DeviceLost { device: gpu.name.clone(), reason };
    let (mapped, tell) = answer();
    let slice = buffer.slice(..n_bytes as u64);
    slice.map_async(MapMode::Read, tell);
    gpu.wait_for(submission)?;
    if let Err(error) = mapped.await {
        gpu.check()?;
        return Err(lost(error.to_string()));
    }
    let taken = match slice.get_mapped_range() {
        Ok(view) => take(&view),
        Err(error) => return Err(lost(error.to_string())),
    };
    buffer.unmap();
    Ok(taken)
}

/// Copies the first `n_bytes` of a buffer that the host cannot read, in whole words, to one that it can, and reads that.
///
/// # Errors
/// No memory, or a lost device.
pub(crate) async fn fetch(gpu: &Gpu, buffer: &Buffer, n_bytes: usize) -> Result<Vec<u8>, BackendError> {
    let n_bytes = n_bytes.next_multiple_of(4);
    let staging = gpu.buffer("reading", n_bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
    let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, n_bytes as u64);
    gpu.submit(encoder);
    map(gpu, &staging, n_bytes, <[u8]>::to_vec).await
}
