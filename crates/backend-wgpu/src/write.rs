//! Writing buffers that kernels write otherwise, for those who look into a run.

use hala_plan::BackendError;
use hala_tensor::{DType, Shape};
use half::f16;
use wgpu::{Buffer, CommandEncoderDescriptor};

use crate::gpu::Gpu;
use crate::padding::stride;
use crate::state::Cells;

/// Writes the first rows of activations, and zeros into their padding.
///
/// # Errors
/// More elements than there are, or a lost device.
pub(crate) fn rows(gpu: &Gpu, buffer: &Buffer, shape: Shape, values: &[f32]) -> Result<(), BackendError> {
    check(values.len() <= shape.n_elements(), [values.len(), shape.n_elements()])?;
    let n_columns = shape.n_columns();
    let mut padded = Vec::with_capacity(values.len().div_ceil(n_columns.max(1)) * stride(n_columns));
    for row in values.chunks(n_columns.max(1)) {
        padded.extend_from_slice(row);
        padded.resize(padded.len().next_multiple_of(stride(n_columns)), 0.0);
    }
    put(gpu, buffer, bytemuck::cast_slice(&padded))
}

/// Writes all pages or slots of a state.
///
/// # Errors
/// Other elements than there are, or a lost device.
pub(crate) fn state(gpu: &Gpu, cells: &Cells, values: &[f32]) -> Result<(), BackendError> {
    check(values.len() == cells.n_elements(), [values.len(), cells.n_elements()])?;
    if cells.spec.dtype == DType::F16 {
        let mut halves: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
        halves.resize(halves.len().next_multiple_of(2), f16::ZERO);
        put(gpu, &cells.buffer, bytemuck::cast_slice(&halves))
    } else {
        put(gpu, &cells.buffer, bytemuck::cast_slice(values))
    }
}

fn check(fits: bool, [found, limit]: [usize; 2]) -> Result<(), BackendError> {
    if fits { Ok(()) } else { Err(BackendError::Limit { what: "elements written", found, limit }) }
}

fn put(gpu: &Gpu, buffer: &Buffer, bytes: &[u8]) -> Result<(), BackendError> {
    // What was put off would come after what is written now.
    gpu.submit(gpu.device.create_command_encoder(&CommandEncoderDescriptor::default()));
    gpu.queue.write_buffer(buffer, 0, bytes);
    gpu.check()
}
