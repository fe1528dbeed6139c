//! Tensors of a checkpoint converted to the element type asked for, a few rows at a time.

use std::ops::Range;

use hala_tensor::{DType, Data, Shape, Tensor, TensorBuilder, TensorError, int8};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::quantised::SCALE_SUFFIX;
use crate::{Checkpoint, TensorView, WeightsError};

/// Elements that are converted at once: their floats stay in a second-level cache.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// Bytes that are copied at once before the file's pages are released.
const CHUNK_BYTES: usize = 1 << 20;

impl Checkpoint {
    /// Loads a tensor as `dtype`.
    ///
    /// Codes and scales that are stored as `dtype` are passed through bit for bit, floats that are stored as
    /// `dtype` too; all else is decoded to f32 and encoded row by row. Beside the result, memory holds one chunk
    /// of rows. A stored int8 tensor that uses the code −128, which this project never writes, is encoded again.
    ///
    /// # Errors
    /// There is no such tensor, its elements or the checkpoint's quantisation are not supported, a value is not
    /// finite in `dtype`, or `dtype` is quantised and the tensor is no matrix.
    pub fn load(&self, name: &str, dtype: DType) -> Result<Tensor, WeightsError> {
        let view = self.tensor(name)?;
        let loaded = match self.int8_group(&view)? {
            Some(group) => self.load_int8(&view, group, dtype)?,
            None => self.load_floats(&view, dtype)?,
        };
        loaded.map_err(|source| view.tensor_error(source))
    }

    fn load_floats(
        &self,
        view: &TensorView<'_>,
        dtype: DType,
    ) -> Result<Result<Tensor, TensorError>, WeightsError> {
        let (stored, bytes) = (view.float_dtype()?, view.bytes()?);
        let release = |bytes| self.release(view.name, bytes);
        if stored == dtype {
            return Ok(copy(view.shape, bytes, dtype, release));
        }
        let n_element_bytes = view.dtype.n_bits() as usize / 8;
        let mut decoder = FloatDecoder { dtype: stored, halves: Vec::new() };
        let decode = |elements: Range<usize>, out: &mut [f32]| {
            let range = elements.start * n_element_bytes..elements.end * n_element_bytes;
            decoder.decode(&bytes[range.clone()], out);
            release(range);
        };
        Ok(encode(view.shape, dtype, decode))
    }

    fn load_int8(
        &self,
        view: &TensorView<'_>,
        group: usize,
        dtype: DType,
    ) -> Result<Result<Tensor, TensorError>, WeightsError> {
        if view.shape.rank() != 2 {
            return Ok(Err(TensorError::NotAMatrix { dtype: DType::Int8 { group }, shape: view.shape }));
        }
        let (n_rows, n_columns) = (view.shape.n_rows(), view.shape.n_columns());
        let n_groups = n_columns.div_ceil(group);
        let scales = self.tensor(&format!("{}{SCALE_SUFFIX}", view.name))?;
        scales.expect_shape(Shape::matrix(n_rows, n_groups))?;
        let scales = self.load_floats(&scales, DType::F32)?.map_err(|e| scales.tensor_error(e))?;
        let Data::F32(scales) = scales.into_data() else { return Err(view.unsupported()) };
        let release = |bytes| self.release(view.name, bytes);
        let bytes = view.bytes()?;
        let codes: &[i8] = bytemuck::cast_slice(bytes);
        if dtype == (DType::Int8 { group }) && !codes.contains(&i8::MIN) {
            let codes = copy_words(bytes, |[b]: [u8; 1]| b as i8, |_| true, release);
            return Ok(match codes {
                Ok(codes) => Tensor::new(view.shape, Data::Int8 { codes, scales, group }),
                Err(_) => Err(TensorError::NotAFloat { dtype }),
            });
        }
        let decode = |elements: Range<usize>, out: &mut [f32]| {
            let first_row = elements.start / n_columns;
            let rows = codes[elements.clone()].chunks(n_columns).zip(out.chunks_mut(n_columns));
            for ((codes, out), scales) in rows.zip(scales[first_row * n_groups..].chunks(n_groups)) {
                int8::decode_row(codes, scales, group, out);
            }
            release(elements);
        };
        Ok(encode(view.shape, dtype, decode))
    }
}

/// Builds a tensor from rows that `decode` writes, some at a time; it is given the range of their elements.
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
    for start in (0..n_elements).step_by(floats.len()) {
        let end = n_elements.min(start + floats.len());
        let floats = &mut floats[..end - start];
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
        DType::E4M3 | DType::Int8 { .. } => return Err(TensorError::NotAMatrix { dtype, shape }),
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
        DType::U32 | DType::E4M3 | DType::Int8 { .. } => return Err(TensorError::NotAFloat { dtype }),
    };
    Tensor::new(shape, data)
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

/// Decodes floats of a file to f32, exactly.
struct FloatDecoder {
    dtype: DType,
    /// Aligned room for f16, which is decoded by slices.
    halves: Vec<f16>,
}

impl FloatDecoder {
    fn decode(&mut self, bytes: &[u8], out: &mut [f32]) {
        let pairs = bytes.as_chunks::<2>().0;
        match self.dtype {
            DType::BF16 => {
                for (out, word) in out.iter_mut().zip(pairs) {
                    *out = f32::from_bits(u32::from(u16::from_le_bytes(*word)) << 16);
                }
            }
            DType::F16 => {
                self.halves.clear();
                self.halves.extend(pairs.iter().map(|word| f16::from_le_bytes(*word)));
                self.halves.convert_to_f32_slice(out);
            }
            // `float_dtype` gives no other type than these three.
            DType::F32 | DType::U32 | DType::E4M3 | DType::Int8 { .. } => {
                for (out, word) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *out = f32::from_le_bytes(*word);
                }
            }
        }
    }
}
