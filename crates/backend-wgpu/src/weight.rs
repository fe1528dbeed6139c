//! A weight on the device: rows padded to whole blocks of 16 bytes (of 8 for int4), then the scales; cut by rows where one binding is too
//! small for it.

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;

use hala_plan::BackendError;
use hala_tensor::{DType, Data, Shape, Tensor, int4};
use wgpu::{Buffer, BufferUsages, Limits};

use crate::capabilities::Preset;
use crate::choose::weight_name;
use crate::gpu::{Gpu, ROUNDING};
use crate::kernel::{kernel, number};
use crate::padding::{WINDOW_BYTES, stride};

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

/// A tensor as it goes up: its data as they are, and what pads their rows.
struct Source {
    data: Data,
    form: Form,
}

/// How the rows of a weight lie on the device.
struct Form {
    /// Bytes of a block.
    block: usize,
    /// Bytes of a row of codes or floats.
    n_row: usize,
    /// Scales of a row in the tensor.
    n_scales: usize,
    /// Scales of a row on the device.
    row_scales: usize,
    scale_shift: u32,
}

/// Rows side by side, and what they become on the device.
struct Rows<'a> {
    bytes: &'a [u8],
    /// Bytes of one row.
    n_row: usize,
    /// Bytes of one row with what pads it.
    n_padded: usize,
    /// What rows are padded with: zeros in their type.
    pad: u8,
}

impl Form {
    /// `None` for an element type or groups that kernels do not read.
    fn of(dtype: DType, n_columns: usize) -> Option<Self> {
        let embed = kernel(&format!("embed.{}", weight_name(dtype)?)).ok()?;
        let block_columns = 4 * number(embed, "BLOCK_QUADS").ok()? as usize;
        let (n_scales, row_scales, scale_shift) = match dtype {
            DType::F32 | DType::F16 | DType::BF16 | DType::U32 => (0, 0, WHOLE_ROW),
            DType::E4M3 => (1, 1, WHOLE_ROW),
            DType::Int8 { group } | DType::Int4 { group } => {
                if !group.is_power_of_two() || group < block_columns {
                    return None;
                }
                let n_scales = n_columns.div_ceil(group);
                let scale_shift = (group / block_columns).ilog2();
                (n_scales, n_scales.next_multiple_of(SCALES_AT_ONCE), scale_shift)
            }
        };
        let (block, n_row) = (n_row_bytes(dtype, block_columns), n_row_bytes(dtype, n_columns));
        Some(Self { block, n_row, n_scales, row_scales, scale_shift })
    }

    /// Bytes of a row of codes or floats with what pads it.
    fn n_padded(&self) -> usize {
        self.n_row.next_multiple_of(self.block)
    }

    /// Rows that one binding holds, at least 1.
    fn part_rows(&self, limits: &Limits) -> usize {
        let limit = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) as usize - ROUNDING;
        (limit / (self.n_padded() + 4 * self.row_scales).max(1)).max(1)
    }
}

/// Whether a weight of this type and shape is held in one part.
pub(crate) fn is_whole(gpu: &Gpu, dtype: DType, shape: Shape) -> bool {
    let form = Form::of(dtype, shape.n_columns());
    form.is_some_and(|form| form.part_rows(&gpu.device.limits()) >= shape.n_rows())
}

impl Source {
    /// # Errors
    /// An element type or groups that kernels do not read.
    fn of(label: &str, tensor: Tensor) -> Result<Self, BackendError> {
        let (dtype, n_columns) = (tensor.dtype(), tensor.shape().n_columns());
        let unsupported =
            || BackendError::Unsupported { backend: "wgpu", what: format!("the weight {label}"), dtype };
        let form = Form::of(dtype, n_columns).ok_or_else(unsupported)?;
        Ok(Self { data: as_read(tensor.into_data(), n_columns), form })
    }

    /// The codes or floats.
    fn numbers(&self) -> Rows<'_> {
        let bytes = match &self.data {
            Data::F32(values) => bytemuck::cast_slice(values),
            Data::F16(values) => bytemuck::cast_slice(values),
            Data::BF16(values) => bytemuck::cast_slice(values),
            Data::U32(values) => bytemuck::cast_slice(values),
            Data::Int8 { codes, .. } => bytemuck::cast_slice(codes),
            Data::E4M3 { codes, .. } | Data::Int4 { codes, .. } => codes,
        };
        let pad = if matches!(self.data, Data::Int4 { .. }) { int4::ZEROS } else { 0 };
        Rows { bytes, n_row: self.form.n_row, n_padded: self.form.n_padded(), pad }
    }

    fn scales(&self) -> Rows<'_> {
        let scales: &[f32] = match &self.data {
            Data::F32(_) | Data::F16(_) | Data::BF16(_) | Data::U32(_) => &[],
            Data::E4M3 { scales, .. } | Data::Int8 { scales, .. } | Data::Int4 { scales, .. } => scales,
        };
        let [n_row, n_padded] = [self.form.n_scales, self.form.row_scales].map(|n| n * size_of::<f32>());
        Rows { bytes: bytemuck::cast_slice(scales), n_row, n_padded, pad: 0 }
    }
}

/// Bytes of so many columns in one row, without scales.
fn n_row_bytes(dtype: DType, n_columns: usize) -> usize {
    match dtype {
        DType::F32 | DType::U32 => 4 * n_columns,
        DType::F16 | DType::BF16 => 2 * n_columns,
        DType::E4M3 | DType::Int8 { .. } => n_columns,
        DType::Int4 { .. } => int4::n_row_bytes(n_columns),
    }
}

/// The data with what kernels expect otherwise than a tensor has it, changed where it lies.
fn as_read(mut data: Data, n_columns: usize) -> Data {
    match &mut data {
        Data::E4M3 { scales, .. } => scales.iter_mut().for_each(|scale| *scale *= E4M3_FACTOR),
        Data::Int4 { codes, .. } if !n_columns.is_multiple_of(2) => {
            let n_row = int4::n_row_bytes(n_columns);
            let last = codes.iter_mut().skip(n_row - 1).step_by(n_row);
            last.for_each(|byte| *byte = *byte & 0x0f | int4::ZEROS & 0xf0);
        }
        _ => {}
    }
    data
}

impl Rows<'_> {
    /// Writes rows to a buffer from byte `offset` on, in pieces, so that neither this program nor the driver holds much more than
    /// the tensor.
    ///
    /// # Errors
    /// A lost device.
    fn write(
        &self,
        gpu: &Gpu,
        buffer: &Buffer,
        offset: usize,
        rows: Range<usize>,
    ) -> Result<(), BackendError> {
        if self.n_padded == 0 {
            return Ok(());
        }
        let piece_rows = (PIECE / self.n_padded).max(1);
        for first in rows.clone().step_by(piece_rows) {
            let end = rows.end.min(first + piece_rows);
            let at = offset + (first - rows.start) * self.n_padded;
            self.write_piece(gpu, buffer, at as u64, first..end);
            // What is written waits in memory of its own until the next submission.
            gpu.queue.submit([]);
            if (end - first) * self.n_padded >= PIECE / 2 {
                gpu.wait()?;
            }
        }
        Ok(())
    }

    fn write_piece(&self, gpu: &Gpu, buffer: &Buffer, at: u64, rows: Range<usize>) {
        let bytes = &self.bytes[rows.start * self.n_row..rows.end * self.n_row];
        if self.n_row == self.n_padded {
            gpu.queue.write_buffer(buffer, at, bytes);
            return;
        }
        // Straight into the memory that the driver takes it from. What it refuses it tells as any other refusal.
        let n_bytes = NonZeroU64::new((rows.len() * self.n_padded) as u64);
        let view = n_bytes.and_then(|n_bytes| gpu.queue.write_buffer_with(buffer, at, n_bytes));
        let Some(mut view) = view else { return };
        for (i, row) in bytes.chunks(self.n_row).enumerate() {
            let start = i * self.n_padded;
            view.slice(start..start + self.n_row).copy_from_slice(row);
            view.slice(start + self.n_row..start + self.n_padded).fill(self.pad);
        }
    }
}

impl Weight {
    /// Moves a tensor to the device.
    ///
    /// # Errors
    /// An element type that kernels do not read, or no memory.
    pub(crate) fn upload(gpu: &Gpu, label: &str, tensor: Tensor) -> Result<Self, BackendError> {
        let (dtype, n_rows) = (tensor.dtype(), tensor.shape().n_rows());
        let source = Source::of(label, tensor)?;
        let part_rows = source.form.part_rows(&gpu.device.limits());
        let mut parts = Vec::new();
        for first_row in (0..n_rows).step_by(part_rows) {
            let n_rows = part_rows.min(n_rows - first_row);
            parts.push(part(gpu, label, &source, first_row..first_row + n_rows)?);
        }
        Ok(Self(Arc::new(Stored {
            dtype,
            parts,
            row_blocks: source.form.n_padded() / source.form.block,
            row_scales: source.form.row_scales,
            scale_shift: source.form.scale_shift,
        })))
    }
}

fn part(gpu: &Gpu, label: &str, source: &Source, rows: Range<usize>) -> Result<Part, BackendError> {
    let (numbers, scales) = (source.numbers(), source.scales());
    let n_number_bytes = rows.len() * numbers.n_padded;
    let n_bytes = n_number_bytes + rows.len() * scales.n_padded;
    let storage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
    // Vectors are read through windows there.
    let buffer = match (rows.len(), gpu.abilities.preset) {
        (1, Preset::Software) => {
            gpu.buffer(label, n_bytes.max(WINDOW_BYTES as usize), storage | BufferUsages::UNIFORM)?
        }
        // As wide as the activations that it multiplies.
        (1, Preset::Gpu | Preset::Portable) => gpu.buffer(label, 4 * stride(n_bytes.div_ceil(4)), storage)?,
        _ => gpu.buffer(label, n_bytes, storage)?,
    };
    numbers.write(gpu, &buffer, 0, rows.clone())?;
    scales.write(gpu, &buffer, n_number_bytes, rows.clone())?;
    gpu.check()?;
    Ok(Part { buffer, first_row: rows.start, n_rows: rows.len(), scales: n_number_bytes / 4 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of each part of a weight on a device of WebGPU's default limits.
    fn parts(dtype: DType, shape: [usize; 2]) -> Vec<usize> {
        let form = Form::of(dtype, shape[1]).unwrap();
        let n_most = form.part_rows(&Limits::default());
        (0..shape[0]).step_by(n_most).map(|first| n_most.min(shape[0] - first)).collect()
    }

    #[test]
    fn a_head_of_128_000_rows_is_cut_so_that_each_part_fits_a_binding() {
        let limit = Limits::default().max_storage_buffer_binding_size as usize;
        assert_eq!(limit, 128 << 20);
        for (dtype, n_parts) in [
            (DType::Int8 { group: DType::INT8_GROUP }, 3),
            (DType::E4M3, 2),
            (DType::BF16, 4),
            (DType::F32, 8),
        ] {
            let rows = parts(dtype, [128_000, 2048]);
            assert_eq!((rows.len(), rows.iter().sum::<usize>()), (n_parts, 128_000), "{dtype:?}: {rows:?}");
            let n_bytes = |rows: usize| dtype.n_bytes(Shape::matrix(rows, 2048));
            assert!(rows.iter().all(|n| n_bytes(*n) <= limit), "{dtype:?}: {rows:?}");
        }
        assert_eq!(parts(DType::Int8 { group: DType::INT8_GROUP }, [7680, 2048]), [7680]);
    }
}
