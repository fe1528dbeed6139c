//! How a tensor's values are stored: floats, or codes with the scales that rows and columns share.

use std::ops::Range;

use hala_tensor::{DType, Rounding, Shape, TensorError, e4m3};
use half::f16;
use half::slice::HalfFloatSliceExt;

#[cfg(not(target_family = "wasm"))]
use crate::gguf::blocks;
use crate::quantisation::{
    Codes, INPUT_SCALE, Inputs, PACKED_SUFFIX, Quantisation, SCALE_SUFFIX, Scheme, UNREAD_SUFFIXES,
};
use crate::{Checkpoint, FileDType, TensorView, WeightsError};

/// A tensor and how its bytes become values.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) view: TensorView<'a>,
    pub(crate) form: Form<'a>,
}

/// What the bytes are.
#[derive(Debug)]
pub(crate) enum Form<'a> {
    /// Floats of this type.
    Floats(DType),
    /// Codes with scales.
    Quantised(Quantised<'a>),
    /// Blocks of GGUF files.
    #[cfg(not(target_family = "wasm"))]
    Blocks,
}

/// The codes of a matrix, and its scales.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantised<'a> {
    pub(crate) codes: Codes,
    /// Floats, one for each block.
    scales: TensorView<'a>,
    scheme: Scheme,
}

impl Checkpoint {
    /// How this tensor is stored.
    ///
    /// # Errors
    /// There is no such tensor; its elements or the checkpoint's quantisation are not supported; its scales are missing or misshapen.
    pub(crate) fn stored(&self, name: &str) -> Result<Stored<'_>, WeightsError> {
        let view = self.tensor(name)?;
        let quantisation = self.quantisation()?;
        let codes = match view.dtype {
            FileDType::I8 => Codes::Int8,
            FileDType::F8_E4M3 => Codes::E4M3,
            FileDType::I32 if view.name.ends_with(PACKED_SUFFIX) => Codes::Packed(0),
            #[cfg(not(target_family = "wasm"))]
            dtype if dtype.is_blocks() => return Ok(Stored { view, form: Form::Blocks }),
            _ => return Ok(Stored { view, form: Form::Floats(view.float_dtype()?) }),
        };
        let Some(quantisation) = quantisation.filter(|_| name.ends_with(".weight")) else {
            return Err(view.unsupported());
        };
        let companion = |suffix: &str| format!("{name}{suffix}");
        if let Some(unread) = UNREAD_SUFFIXES.into_iter().map(companion).find(|name| self.contains(name)) {
            return Err(WeightsError::UnreadCompanion { name: name.to_owned(), unread });
        }
        if view.shape.rank() != 2 {
            let dtype = if codes == Codes::E4M3 { DType::E4M3 } else { DType::Int8 { group: 0 } };
            return Err(view.tensor_error(TensorError::NotAMatrix { dtype, shape: view.shape }));
        }
        let scales = self.tensor(&companion(SCALE_SUFFIX))?;
        let matrix = [view.shape.n_rows(), view.shape.n_columns()];
        let n_words = (codes == Codes::Packed(0)).then(|| self.n_stored_columns(name)).transpose()?;
        let fits = |scheme: &Scheme| {
            if n_words.is_some_and(|n| n != scheme.n_words(matrix[1])) {
                return false;
            }
            let [rows, columns] = scheme.n_blocks(matrix);
            let is_one = scales.shape.n_elements() == 1 && rows * columns == 1;
            is_one || scales.shape == Shape::matrix(rows, columns)
        };
        let mut schemes = quantisation.schemes(view.dtype);
        let expected = schemes.clone().next().map(|scheme| scheme.n_blocks(matrix));
        let Some(mut scheme) = schemes.find(fits) else {
            let [rows, columns] = expected.ok_or_else(|| view.unsupported())?;
            scales.expect_shape(Shape::matrix(rows, columns))?;
            return Err(view.unsupported());
        };
        let mut others = schemes.filter(fits);
        if others.clone().any(|other| other.inputs != scheme.inputs) {
            scheme.inputs = Inputs::Other;
        }
        if let Some(other) = others.find(|other| other.block != scheme.block) {
            let blocks = [scheme, other].map(|scheme| scheme.block);
            return Err(WeightsError::Ambiguous { name: name.to_owned(), scales: scales.shape, blocks });
        }
        let codes = if codes == Codes::Packed(0) { Codes::Packed(scheme.n_bits) } else { codes };
        Ok(Stored { view, form: Form::Quantised(Quantised { codes, scales, scheme }) })
    }

    /// Elements of a row as the file has it: words, where codes are packed.
    fn n_stored_columns(&self, name: &str) -> Result<usize, WeightsError> {
        Ok(self.at(self.place(name)?).1.dims.last().copied().unwrap_or(1))
    }

    fn quantisation(&self) -> Result<Option<Quantisation>, WeightsError> {
        self.config().ok().map(Quantisation::of).transpose().map(Option::flatten)
    }

    /// Reads a tensor's values, some rows at a time.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], but for values that are not finite, which are given as they are.
    pub fn rows(&self, name: &str) -> Result<Rows<'_>, WeightsError> {
        let stored = self.stored(name)?;
        Rows::new(self, name, &stored)
    }
}

impl Checkpoint {
    /// How engines that multiply codes round what this weight is multiplied with, as the checkpoint asks of them; `None` where inputs
    /// stay floats.
    ///
    /// # Errors
    /// As for [`Checkpoint::stored_dtype`], a way of rounding that is not computed here, and a static scale that is missing or no number
    /// above 0.
    pub fn input_rounding(&self, name: &str) -> Result<Option<Rounding>, WeightsError> {
        let Form::Quantised(quantised) = self.stored(name)?.form else { return Ok(None) };
        let rounding = match quantised.scheme.inputs {
            Inputs::Floats => return Ok(None),
            Inputs::Rounded(rounding) if rounding.scale.is_none() => return Ok(Some(rounding)),
            Inputs::Rounded(rounding) => rounding,
            Inputs::Other => return Err(WeightsError::InputRounding { name: name.to_owned() }),
        };
        let scale = format!("{}{INPUT_SCALE}", name.trim_end_matches(".weight"));
        match self.load(&scale, DType::F32)?.to_f32()[..] {
            [scale] if scale.is_finite() && scale > 0.0 => {
                Ok(Some(Rounding { scale: Some(scale), ..rounding }))
            }
            _ => Err(self.tensor(&scale)?.unsupported()),
        }
    }
}

impl Stored<'_> {
    /// The element type in memory that holds the values exactly, or where there is none, the nearest that is as small.
    ///
    /// E4M3 with scales for blocks of columns becomes int8, and so do 4-bit numbers with offsets.
    pub(crate) fn dtype(&self) -> DType {
        match self.form {
            Form::Floats(dtype) => dtype,
            Form::Quantised(_) if self.is_encoded_again() => DType::Int8 { group: DType::INT8_GROUP },
            #[cfg(not(target_family = "wasm"))]
            Form::Blocks => {
                blocks::dtype(self.view.dtype).unwrap_or(DType::Int8 { group: DType::INT8_GROUP })
            }
            Form::Quantised(Quantised { codes: Codes::E4M3, .. }) => DType::E4M3,
            Form::Quantised(Quantised { codes, scheme, .. }) => {
                let group = group(scheme, self.view.shape.n_columns());
                if codes == Codes::Packed(4) { DType::Int4 { group } } else { DType::Int8 { group } }
            }
        }
    }

    /// Whether no type in memory holds the codes with their scales.
    pub(crate) fn is_encoded_again(&self) -> bool {
        match self.form {
            Form::Floats(_) => false,
            Form::Quantised(Quantised { codes, scheme, .. }) => {
                codes == Codes::E4M3 && scheme.block[1] < self.view.shape.n_columns()
            }
            #[cfg(not(target_family = "wasm"))]
            Form::Blocks => blocks::dtype(self.view.dtype).is_none(),
        }
    }
}

impl Quantised<'_> {
    /// The scales as f32, each of which must be finite.
    pub(crate) fn scales(&self, checkpoint: &Checkpoint, matrix: Shape) -> Result<Scales, WeightsError> {
        let tensor = checkpoint.load(self.scales.name, DType::F32)?;
        let [_, n_columns] = self.scheme.n_blocks([matrix.n_rows(), matrix.n_columns()]);
        Ok(Scales { values: tensor.to_f32(), n_columns, block: self.scheme.block })
    }
}

/// Columns of a group that has the scheme's scales: a power of two where one scale goes for all columns, as GPUs ask for.
fn group(scheme: Scheme, n_columns: usize) -> usize {
    const SMALLEST: usize = 16;
    match scheme.block[1] {
        Scheme::ALL => n_columns.next_power_of_two().max(SMALLEST),
        group => group,
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

/// Scales of a matrix.
#[derive(Debug)]
pub(crate) struct Scales {
    values: Vec<f32>,
    /// Scales of one row of blocks.
    n_columns: usize,
    block: [usize; 2],
}

impl Scales {
    /// The scale of each block of columns of a row.
    pub(crate) fn of_row(&self, row: usize) -> &[f32] {
        &self.values[row / self.block[0] * self.n_columns..][..self.n_columns]
    }
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
                    let width = scales.block[1].min(n_columns).max(1);
                    for (out, scale) in out.chunks_mut(width).zip(scales.of_row(row)) {
                        out.iter_mut().for_each(|x| *x *= scale);
                    }
                }
            }
        }
        self.checkpoint.release(&self.name, range);
    }
}

/// One row of codes as numbers, without their scales.
pub(crate) fn decode_codes(codes: Codes, bytes: &[u8], out: &mut [f32]) {
    match codes {
        Codes::Int8 => out.iter_mut().zip(bytes).for_each(|(x, code)| *x = f32::from(*code as i8)),
        Codes::E4M3 => out.iter_mut().zip(bytes).for_each(|(x, code)| *x = e4m3::decode(*code)),
        Codes::Packed(n_bits) => {
            let codes = unpacked(n_bits, bytes);
            out.iter_mut().zip(codes).for_each(|(x, code)| *x = f32::from(code));
        }
    }
}

/// The signed codes of one row of words.
pub(crate) fn unpacked(n_bits: u32, bytes: &[u8]) -> impl Iterator<Item = i8> {
    // Both widths divide a byte, and words are little-endian: a byte's codes are its own.
    let n_codes = 8 / n_bits;
    let (mask, offset) = ((1u32 << n_bits) - 1, 1i32 << (n_bits - 1));
    bytes.iter().flat_map(move |byte| {
        (0..n_codes).map(move |i| (((u32::from(*byte) >> (i * n_bits)) & mask) as i32 - offset) as i8)
    })
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
