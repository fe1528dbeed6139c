//! A weight on the device: rows padded to whole blocks of 16 bytes (of 8 for int4), then the scales; cut by rows where one binding is too
//! small for it.

use std::borrow::Cow;
use std::sync::Arc;

use hala_plan::BackendError;
use hala_tensor::{DType, Data, Tensor, int4};
use wgpu::{Buffer, BufferUsages};

use crate::capabilities::Preset;
use crate::gpu::Gpu;
use crate::padding::{WINDOW_BYTES, stride};

/// Bytes of a block of most types; shaders read weights a block at a time.
const BLOCK: usize = 16;

/// Columns of a block of int8, and of int4, whose blocks have half as many bytes.
const BLOCK_COLUMNS: usize = 16;

/// The largest pieces that are handed to the driver at once, so that it need not hold much more.
const PIECE: usize = 32 << 20;

/// Rows of a weight in one buffer.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) buffer: Buffer,
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
    /// Words before the scales.
    pub(crate) scales: usize,
}

/// What the parts of a weight have in common.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) dtype: DType,
    pub(crate) parts: Vec<Part>,
    /// Blocks in a row.
    pub(crate) row_blocks: usize,
    /// Scales in a row.
    pub(crate) row_scales: usize,
    /// Blocks that share a scale, as a power of two.
    pub(crate) scale_shift: u32,
}

/// A weight; a clone is another handle to the same memory.
#[derive(Debug, Clone)]
pub struct Weight(pub(crate) Arc<Stored>);

/// Scales of groups that kernels read at once: a row has whole fours of them.
const SCALES_AT_ONCE: usize = 4;

/// One scale for a whole row: no row has 2³¹ blocks.
const WHOLE_ROW: u32 = 31;

/// Code bytes over E4M3 values: the kernels' trick gives values divided by this.
const E4M3_FACTOR: f32 = 256.0;

/// A tensor as bytes and scales.
struct Bytes {
    bytes: Vec<u8>,
    /// Bytes of a block.
    block: usize,
    /// What rows are padded with: zeros in their type.
    pad: u8,
    /// Bytes of one row.
    n_row: usize,
    scales: Vec<f32>,
    row_scales: usize,
    scale_shift: u32,
}

impl Bytes {
    fn plain<T: bytemuck::NoUninit>(values: &[T], n_columns: usize) -> Self {
        let bytes = bytemuck::cast_slice(values).to_vec();
        let n_row = n_columns * size_of::<T>();
        Self { bytes, block: BLOCK, pad: 0, n_row, scales: Vec::new(), row_scales: 0, scale_shift: WHOLE_ROW }
    }

    /// # Errors
    /// An element type that kernels do not read.
    fn of(label: &str, tensor: Tensor) -> Result<Self, BackendError> {
        let (dtype, n_columns) = (tensor.dtype(), tensor.shape().n_columns());
        let unsupported =
            BackendError::Unsupported { backend: "wgpu", what: format!("the weight {label}"), dtype };
        Ok(match tensor.into_data() {
            Data::F32(values) => Self::plain(&values, n_columns),
            Data::F16(values) => Self::plain(&values, n_columns),
            Data::BF16(values) => Self::plain(&values, n_columns),
            Data::U32(_) => return Err(unsupported),
            Data::E4M3 { codes, scales } => {
                let scales = scales.into_iter().map(|s| s * E4M3_FACTOR).collect();
                let (block, n_row) = (BLOCK, n_columns);
                Self { bytes: codes, block, pad: 0, n_row, scales, row_scales: 1, scale_shift: WHOLE_ROW }
            }
            Data::Int8 { codes, scales, group } => {
                let bytes = bytemuck::cast_vec(codes);
                Self::grouped((bytes, BLOCK, n_columns), &scales, group, n_columns).ok_or(unsupported)?
            }
            Data::Int4 { mut codes, scales, group } => {
                let n_row = int4::n_row_bytes(n_columns);
                if !n_columns.is_multiple_of(2) {
                    let last = codes.iter_mut().skip(n_row - 1).step_by(n_row);
                    last.for_each(|byte| *byte = *byte & 0x0f | int4::ZEROS & 0xf0);
                }
                let codes = (codes, BLOCK / 2, n_row);
                let grouped = Self::grouped(codes, &scales, group, n_columns).ok_or(unsupported)?;
                Self { pad: int4::ZEROS, ..grouped }
            }
        })
    }

    /// Codes, with the bytes of a block and of a row, and a scale for each group; `None` for groups that kernels do not read.
    fn grouped(
        (bytes, block, n_row): (Vec<u8>, usize, usize),
        scales: &[f32],
        group: usize,
        n_columns: usize,
    ) -> Option<Self> {
        if !group.is_power_of_two() || group < BLOCK_COLUMNS {
            return None;
        }
        let n_scales = n_columns.div_ceil(group);
        let row_scales = n_scales.next_multiple_of(SCALES_AT_ONCE);
        let scales = padded_rows(scales, [n_scales, row_scales], 0.0);
        let scale_shift = (group / BLOCK_COLUMNS).ilog2();
        Some(Self { bytes, block, pad: 0, n_row, scales, row_scales, scale_shift })
    }

    /// Bytes of a row with what pads it.
    fn n_padded(&self) -> usize {
        self.n_row.next_multiple_of(self.block)
    }

    /// Rows `first` … of the codes, padded to whole blocks.
    fn padded(&self, first: usize, n_rows: usize) -> Cow<'_, [u8]> {
        let bytes = &self.bytes[first * self.n_row..][..n_rows * self.n_row];
        match self.n_padded() {
            n_row if n_row == self.n_row => bytes.into(),
            n_row => padded_rows(bytes, [self.n_row, n_row], self.pad).into(),
        }
    }
}

/// Rows of `from` elements with others after them up to `to`.
fn padded_rows<T: Copy>(rows: &[T], [from, to]: [usize; 2], pad: T) -> Vec<T> {
    let mut padded = vec![pad; rows.len() / from * to];
    for (row, padded) in rows.chunks(from).zip(padded.chunks_mut(to)) {
        padded[..from].copy_from_slice(row);
    }
    padded
}

impl Weight {
    /// Moves a tensor to the device.
    ///
    /// # Errors
    /// An element type that kernels do not read, or no memory.
    pub(crate) fn upload(gpu: &Gpu, label: &str, tensor: Tensor) -> Result<Self, BackendError> {
        let (dtype, n_rows) = (tensor.dtype(), tensor.shape().n_rows());
        let bytes = Bytes::of(label, tensor)?;
        let row_bytes = bytes.n_padded();
        let limit = gpu.device.limits();
        let limit = limit.max_storage_buffer_binding_size.min(limit.max_buffer_size) as usize - BLOCK;
        let part_rows = (limit / (row_bytes + 4 * bytes.row_scales).max(1)).clamp(1, n_rows.max(1));
        let mut parts = Vec::new();
        for first_row in (0..n_rows).step_by(part_rows) {
            let n_rows = part_rows.min(n_rows - first_row);
            parts.push(part(gpu, label, &bytes, first_row..first_row + n_rows)?);
        }
        Ok(Self(Arc::new(Stored {
            dtype,
            parts,
            row_blocks: row_bytes / bytes.block,
            row_scales: bytes.row_scales,
            scale_shift: bytes.scale_shift,
        })))
    }
}

fn part(gpu: &Gpu, label: &str, bytes: &Bytes, rows: std::ops::Range<usize>) -> Result<Part, BackendError> {
    let row_bytes = bytes.n_padded();
    let n_code_bytes = rows.len() * row_bytes;
    let scales = &bytes.scales[rows.start * bytes.row_scales..rows.end * bytes.row_scales];
    let storage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
    let n_bytes = n_code_bytes + 4 * scales.len();
    // Vectors are read through windows there.
    let buffer = match (rows.len(), gpu.abilities.preset) {
        (1, Preset::Software) => {
            gpu.buffer(label, n_bytes.max(WINDOW_BYTES as usize), storage | BufferUsages::UNIFORM)?
        }
        // As wide as the activations that it multiplies.
        (1, Preset::Gpu | Preset::Portable) => gpu.buffer(label, 4 * stride(n_bytes.div_ceil(4)), storage)?,
        _ => gpu.buffer(label, n_bytes, storage)?,
    };
    let piece_rows = (PIECE / row_bytes.max(1)).max(1);
    for first in rows.clone().step_by(piece_rows) {
        let n_rows = piece_rows.min(rows.end - first);
        let offset = (first - rows.start) * row_bytes;
        gpu.queue.write_buffer(&buffer, offset as u64, &bytes.padded(first, n_rows));
        // What is written waits in memory of its own until the next submission.
        gpu.queue.submit([]);
        if n_rows * row_bytes >= PIECE / 2 {
            gpu.wait()?;
        }
    }
    gpu.queue.write_buffer(&buffer, n_code_bytes as u64, bytemuck::cast_slice(scales));
    gpu.check()?;
    Ok(Part { buffer, first_row: rows.start, n_rows: rows.len(), scales: n_code_bytes / 4 })
}
