//! A tensor's values, decoded some rows at a time.

use std::ops::Range;

use hala_tensor::{DType, Shape};
use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::checkpoint::Checkpoint;
use crate::codes::decode_codes;
use crate::error::WeightsError;
#[cfg(not(target_family = "wasm"))]
use crate::file_dtype::FileDType;
#[cfg(not(target_family = "wasm"))]
use crate::gguf::blocks;
use crate::quantisation::Codes;
use crate::scales::Scales;
use crate::stored::{Form, Stored};

impl Checkpoint {
    /// Reads a tensor's values, some rows at a time.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], but for values that are not finite, which are given as they are.
    pub fn rows(&self, name: &str) -> Result<Rows<'_>, WeightsError> {
        let stored = self.stored(name)?;
        Rows::new(self, name, &stored)
    }
}

/// A tensor's values, decoded some rows at a time.
#[derive(Debug)]
pub struct Rows<'a> {
    checkpoint: &'a Checkpoint,
    name: String,
    shape: Shape,
    bytes: &'a [u8],
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    /// Aligned room for f16, which is decoded by slices.
    Floats {
        dtype: DType,
        halves: Vec<f16>,
    },
    Codes {
        codes: Codes,
        scales: Scales,
    },
    #[cfg(not(target_family = "wasm"))]
    Blocks(FileDType),
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        checkpoint: &'a Checkpoint,
        name: &str,
        stored: &Stored<'a>,
    ) -> Result<Self, WeightsError> {
        let view = stored.view;
        let decoder = match &stored.form {
            Form::Floats(dtype) => Decoder::Floats { dtype: *dtype, halves: Vec::new() },
            Form::Quantised(quantised) => {
                Decoder::Codes { codes: quantised.codes, scales: quantised.scales(checkpoint, view.shape)? }
            }
            #[cfg(not(target_family = "wasm"))]
            Form::Blocks => Decoder::Blocks(view.dtype),
        };
        Ok(Self { checkpoint, name: name.to_owned(), shape: view.shape, bytes: view.bytes()?, decoder })
    }

    /// The tensor's dimensions.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Decodes rows into `out` (rows × columns), and lets go of the file's pages that held them.
    ///
    /// # Panics
    /// The rows or `out` do not fit the shape: a fault of the caller.
    pub fn decode(&mut self, rows: Range<usize>, out: &mut [f32]) {
        let n_columns = self.shape.n_columns();
        assert_eq!(out.len(), rows.len() * n_columns, "{} rows of {}", rows.len(), self.shape);
        let n_row_bytes = self.bytes.len() / self.shape.n_rows().max(1);
        let range = rows.start * n_row_bytes..rows.end * n_row_bytes;
        let bytes = &self.bytes[range.clone()];
        match &mut self.decoder {
            Decoder::Floats { dtype, halves } => decode_floats(*dtype, bytes, halves, out),
            #[cfg(not(target_family = "wasm"))]
            Decoder::Blocks(dtype) => blocks::decode(*dtype, bytes, out),
            Decoder::Codes { codes, scales } => {
                let parts = bytes.chunks(n_row_bytes.max(1)).zip(out.chunks_mut(n_columns.max(1)));
                for (row, (bytes, out)) in rows.zip(parts) {
                    decode_codes(*codes, bytes, out);
                    scales.apply(row, out);
                }
            }
        }
        self.checkpoint.release(&self.name, range);
    }
}

/// Floats of a file as f32, exactly.
fn decode_floats(dtype: DType, bytes: &[u8], halves: &mut Vec<f16>, out: &mut [f32]) {
    let pairs = bytes.as_chunks::<2>().0;
    match dtype {
        DType::BF16 => {
            for (out, word) in out.iter_mut().zip(pairs) {
                *out = f32::from_bits(u32::from(u16::from_le_bytes(*word)) << 16);
            }
        }
        DType::F16 => {
            halves.clear();
            halves.extend(pairs.iter().map(|word| f16::from_le_bytes(*word)));
            halves.convert_to_f32_slice(out);
        }
        // `float_dtype` gives no other type than these three.
        DType::F32 | DType::U32 | DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => {
            for (out, word) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *out = f32::from_le_bytes(*word);
            }
        }
    }
}
