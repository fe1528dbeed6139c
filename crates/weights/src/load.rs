//! Tensors of a checkpoint converted to the element type asked for, a few rows at a time.

use std::ops::Range;

use hala_tensor::{DType, Data, Shape, Tensor, TensorBuilder, TensorError, int4};
use half::{bf16, f16};

use crate::checkpoint::Checkpoint;
use crate::codes::unpacked;
use crate::error::WeightsError;
use crate::quantisation::Codes;
use crate::rows::Rows;
use crate::stored::{Form, Quantised};
use crate::view::TensorView;

/// Elements that are converted at once: their floats stay in a second-level cache.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// Bytes that are copied at once before the file's pages are released.
const CHUNK_BYTES: usize = 1 << 20;

impl Checkpoint {
    /// Loads a tensor as `dtype`.
    ///
    /// Codes and scales that `dtype` holds exactly are passed through, floats that are stored as `dtype` too; all else is decoded
    /// to f32 and encoded row by row. Beside the result, memory holds one chunk of rows.
    ///
    /// # Errors
    /// There is no such tensor, its elements or the checkpoint's quantisation are not supported, a value is not
    /// finite in `dtype`, or `dtype` is quantised and the tensor is no matrix.
    pub fn load(&self, name: &str, dtype: DType) -> Result<Tensor, WeightsError> {
        let stored = self.stored(name)?;
        let view = stored.view;
        let loaded = match &stored.form {
            Form::Floats(found) if *found == dtype => {
                copy(view.shape, view.bytes()?, dtype, |bytes| self.release(name, bytes))
            }
            Form::Quantised(quantised) if stored.dtype() == dtype && !stored.is_encoded_again() => {
                self.pass_through(name, view, quantised, dtype)?
            }
            #[cfg(not(target_family = "wasm"))]
            Form::Blocks if stored.dtype() == dtype && !stored.is_encoded_again() => {
                self.pass_blocks(name, view, dtype)?
            }
            _ => {
                let mut rows = Rows::new(self, name, &stored)?;
                encode(view.shape, dtype, |range, out| rows.decode(range, out))
            }
        };
        loaded.map_err(|source| view.tensor_error(source))
    }

    /// Codes and scales as they are, in a type that holds them exactly.
    fn pass_through(
        &self,
        name: &str,
        view: TensorView<'_>,
        quantised: &Quantised<'_>,
        dtype: DType,
    ) -> Result<Result<Tensor, TensorError>, WeightsError> {
        let (n_rows, bytes) = (view.shape.n_rows(), view.bytes()?);
        let scales = quantised.scales(self, view.shape)?;
        let scales: Vec<f32> = (0..n_rows).flat_map(|row| scales.of_row(row).iter().copied()).collect();
        let data = match (quantised.codes, dtype) {
            (Codes::E4M3, DType::E4M3) => {
                Data::E4M3 { codes: copy_bytes(bytes, |range| self.release(name, range)), scales }
            }
            (Codes::Int8, DType::Int8 { group }) => {
                let codes = copy_bytes(bytes, |range| self.release(name, range));
                Data::Int8 { codes: bytemuck::cast_vec(codes), scales, group }
            }
            (Codes::Packed(4), DType::Int4 { group }) => {
                let n_bytes = int4::n_row_bytes(view.shape.n_columns());
                let codes = copy_row_starts(bytes, [n_rows, n_bytes], |range| self.release(name, range));
                Data::Int4 { codes, scales, group }
            }
            (Codes::Packed(n_bits), DType::Int8 { group }) => {
                let mut codes = Vec::with_capacity(view.shape.n_elements());
                let n_row_bytes = bytes.len() / n_rows.max(1);
                for row in bytes.chunks(n_row_bytes.max(1)) {
                    codes.extend(unpacked(n_bits, row).take(view.shape.n_columns()));
                }
                self.release(name, 0..bytes.len());
                Data::Int8 { codes, scales, group }
            }
            _ => return Err(view.unsupported()),
        };
        Ok(Tensor::new(view.shape, data))
    }
}

#[cfg(not(target_family = "wasm"))]
impl Checkpoint {
    /// Codes and scales of blocks, in a type that holds them exactly.
    fn pass_blocks(
        &self,
        name: &str,
        view: TensorView<'_>,
        dtype: DType,
    ) -> Result<Result<Tensor, TensorError>, WeightsError> {
        let (n_rows, bytes) = (view.shape.n_rows(), view.bytes()?);
        let (mut codes, mut scales) = (Vec::with_capacity(bytes.len()), Vec::new());
        let n_row_bytes = (bytes.len() / n_rows.max(1)).max(1);
        let n_chunk_bytes = CHUNK_BYTES.next_multiple_of(n_row_bytes);
        for (i, chunk) in bytes.chunks(n_chunk_bytes).enumerate() {
            crate::gguf::blocks::codes(view.file_dtype(), chunk, &mut codes, &mut scales);
            self.release(name, i * n_chunk_bytes..i * n_chunk_bytes + chunk.len());
        }
        let data = match dtype {
            DType::Int8 { group } => Data::Int8 { codes: bytemuck::cast_vec(codes), scales, group },
            DType::Int4 { group } => Data::Int4 { codes, scales, group },
            _ => return Err(view.unsupported()),
        };
        Ok(Tensor::new(view.shape, data))
    }
}

/// Builds a tensor from rows that `decode` writes, some at a time; it is given the range of the rows.
fn encode(
    shape: Shape,
    dtype: DType,
    mut decode: impl FnMut(Range<usize>, &mut [f32]),
) -> Result<Tensor, TensorError> {
    let (n_rows, n_columns, n_elements) = (shape.n_rows(), shape.n_columns(), shape.n_elements());
    if n_elements == 0 {
        return empty(shape, dtype);
    }
    let mut builder = TensorBuilder::new(shape, dtype)?;
    let n_chunk_rows = (CHUNK_ELEMENTS / n_columns).clamp(1, n_rows);
    let mut floats = vec![0.0; n_chunk_rows * n_columns];
    for start in (0..n_rows).step_by(n_chunk_rows) {
        let end = n_rows.min(start + n_chunk_rows);
        let floats = &mut floats[..(end - start) * n_columns];
        decode(start..end, floats);
        floats.chunks_exact(n_columns).try_for_each(|row| builder.push_row(row))?;
    }
    builder.finish()
}

/// A tensor of no elements; a quantised one is refused, since its rows would still need scales.
fn empty(shape: Shape, dtype: DType) -> Result<Tensor, TensorError> {
    let data = match dtype {
        DType::F32 => Data::F32(Vec::new()),
        DType::F16 => Data::F16(Vec::new()),
        DType::BF16 => Data::BF16(Vec::new()),
        DType::U32 => return Err(TensorError::NotAFloat { dtype }),
        DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => {
            return Err(TensorError::NotAMatrix { dtype, shape });
        }
    };
    Tensor::new(shape, data)
}

/// Copies floats that are stored as they are asked for.
fn copy(
    shape: Shape,
    bytes: &[u8],
    dtype: DType,
    release: impl Fn(Range<usize>),
) -> Result<Tensor, TensorError> {
    let refuse = |(element, value)| TensorError::NotFinite { row: element / shape.n_columns(), value };
    let data = match dtype {
        DType::F32 => {
            let finite = |x: f32| x.abs() <= f32::MAX;
            Data::F32(copy_words(bytes, f32::from_le_bytes, finite, release).map_err(refuse)?)
        }
        DType::F16 => {
            let finite = |x: f16| x.to_bits() & 0x7c00 != 0x7c00;
            let words = copy_words(bytes, f16::from_le_bytes, finite, release);
            Data::F16(words.map_err(|(i, x)| refuse((i, x.to_f32())))?)
        }
        DType::BF16 => {
            let finite = |x: bf16| x.to_bits() & 0x7f80 != 0x7f80;
            let words = copy_words(bytes, bf16::from_le_bytes, finite, release);
            Data::BF16(words.map_err(|(i, x)| refuse((i, x.to_f32())))?)
        }
        DType::U32 | DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => {
            return Err(TensorError::NotAFloat { dtype });
        }
    };
    Tensor::new(shape, data)
}

/// The first bytes of each row, whose words may hold more, letting go of the file's pages meanwhile.
fn copy_row_starts(bytes: &[u8], [n_rows, n_bytes]: [usize; 2], release: impl Fn(Range<usize>)) -> Vec<u8> {
    let n_stored = (bytes.len() / n_rows.max(1)).max(1);
    if n_stored == n_bytes {
        return copy_bytes(bytes, release);
    }
    let codes = bytes.chunks(n_stored).flat_map(|row| row[..n_bytes].iter().copied()).collect();
    release(0..bytes.len());
    codes
}

/// Copies bytes, letting go of the file's pages meanwhile.
fn copy_bytes(bytes: &[u8], release: impl Fn(Range<usize>)) -> Vec<u8> {
    let mut copy = Vec::with_capacity(bytes.len());
    for start in (0..bytes.len()).step_by(CHUNK_BYTES) {
        let end = bytes.len().min(start + CHUNK_BYTES);
        copy.extend_from_slice(&bytes[start..end]);
        release(start..end);
    }
    copy
}

/// Words of `N` bytes as values; the first that is not `valid` is returned with its place.
fn copy_words<T: Copy, const N: usize>(
    bytes: &[u8],
    word: impl Fn([u8; N]) -> T,
    valid: impl Fn(T) -> bool,
    release: impl Fn(Range<usize>),
) -> Result<Vec<T>, (usize, T)> {
    let mut words: Vec<T> = Vec::with_capacity(bytes.len() / N);
    for start in (0..bytes.len()).step_by(CHUNK_BYTES) {
        let end = bytes.len().min(start + CHUNK_BYTES);
        let first = words.len();
        words.extend(bytes[start..end].as_chunks::<N>().0.iter().map(|w| word(*w)));
        // One pass with no early exit, so that it is vectorised; the place is looked for only on a fault.
        if !words[first..].iter().fold(true, |all, w| all & valid(*w)) {
            let fault = words[first..].iter().position(|w| !valid(*w)).unwrap_or(0);
            return Err((first + fault, words[first + fault]));
        }
        release(start..end);
    }
    Ok(words)
}
