//! A tensor on the host: a shape and its elements, built row by row.

use half::{bf16, f16};

use crate::dtype::DType;
use crate::error::TensorError;
use crate::shape::Shape;
use crate::{e4m3, int4, int8};

/// The elements of a [`Tensor`]; quantised ones keep codes and scales apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// [`DType::F32`]
    F32(Vec<f32>),
    /// [`DType::F16`]
    F16(Vec<f16>),
    /// [`DType::BF16`]
    BF16(Vec<bf16>),
    /// [`DType::U32`]
    U32(Vec<u32>),
    /// [`DType::E4M3`]
    E4M3 {
        /// One code an element, row-major.
        codes: Vec<u8>,
        /// One scale a row.
        scales: Vec<f32>,
    },
    /// [`DType::Int8`]
    Int8 {
        /// One code an element, row-major.
        codes: Vec<i8>,
        /// `[rows, ⌈columns / group⌉]`, row-major.
        scales: Vec<f32>,
        /// Columns that share a scale.
        group: usize,
    },
    /// [`DType::Int4`]
    Int4 {
        /// `[rows, ⌈columns / 2⌉]`, two codes each; see [`int4`].
        codes: Vec<u8>,
        /// `[rows, ⌈columns / group⌉]`, row-major.
        scales: Vec<f32>,
        /// Columns that share a scale.
        group: usize,
    },
}

/// A tensor on the host, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Shape,
    data: Data,
}

impl Tensor {
    /// A tensor of these elements.
    ///
    /// # Errors
    /// The elements or scales do not fill the shape, a scale is not finite, or a code is NaN.
    pub fn new(shape: Shape, data: Data) -> Result<Self, TensorError> {
        let count = |found: usize, expected: usize| {
            if found == expected { Ok(()) } else { Err(TensorError::Elements { found, expected, shape }) }
        };
        let n = shape.n_elements();
        match &data {
            Data::F32(x) => count(x.len(), n)?,
            Data::F16(x) => count(x.len(), n)?,
            Data::BF16(x) => count(x.len(), n)?,
            Data::U32(x) => count(x.len(), n)?,
            Data::E4M3 { codes, scales } => {
                count(codes.len(), n)?;
                count(scales.len(), shape.n_rows())?;
                finite(scales, 1)?;
                if let Some(i) = codes.iter().position(|&c| e4m3::is_nan(c)) {
                    return Err(TensorError::NanCode { row: i / shape.n_columns(), code: codes[i] });
                }
            }
            Data::Int8 { codes, scales, group } => {
                let n_groups = shape.n_columns().div_ceil((*group).max(1));
                count(codes.len(), n)?;
                count(scales.len(), shape.n_rows() * n_groups)?;
                finite(scales, n_groups)?;
            }
            Data::Int4 { codes, scales, group } => {
                let n_groups = shape.n_columns().div_ceil((*group).max(1));
                count(codes.len(), shape.n_rows() * int4::n_row_bytes(shape.n_columns()))?;
                count(scales.len(), shape.n_rows() * n_groups)?;
                finite(scales, n_groups)?;
            }
        }
        Ok(Self { shape, data })
    }

    /// A float tensor from its values.
    ///
    /// # Errors
    /// The values do not fill the shape.
    pub fn from_f32(shape: Shape, values: Vec<f32>) -> Result<Self, TensorError> {
        Self::new(shape, Data::F32(values))
    }

    /// The dimensions.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The elements.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The elements, by value.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        match &self.data {
            Data::F32(_) => DType::F32,
            Data::F16(_) => DType::F16,
            Data::BF16(_) => DType::BF16,
            Data::U32(_) => DType::U32,
            Data::E4M3 { .. } => DType::E4M3,
            Data::Int8 { group, .. } => DType::Int8 { group: *group },
            Data::Int4 { group, .. } => DType::Int4 { group: *group },
        }
    }

    /// Bytes held, scales included.
    pub fn n_bytes(&self) -> usize {
        self.dtype().n_bytes(self.shape)
    }

    /// Decodes one row into `out` (`out.len()` = columns); token ids are converted to floats.
    ///
    /// # Panics
    /// `row` or `out` does not fit the shape: a fault of the caller.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        let n = self.shape.n_columns();
        assert_eq!(out.len(), n, "a row of {} has {n} columns", self.shape);
        let range = row * n..(row + 1) * n;
        match &self.data {
            Data::F32(x) => out.copy_from_slice(&x[range]),
            Data::F16(x) => out.iter_mut().zip(&x[range]).for_each(|(o, x)| *o = x.to_f32()),
            Data::BF16(x) => out.iter_mut().zip(&x[range]).for_each(|(o, x)| *o = x.to_f32()),
            Data::U32(x) => out.iter_mut().zip(&x[range]).for_each(|(o, x)| *o = *x as f32),
            Data::E4M3 { codes, scales } => {
                let scale = scales[row];
                out.iter_mut().zip(&codes[range]).for_each(|(o, c)| *o = e4m3::decode(*c) * scale);
            }
            Data::Int8 { codes, scales, group } => {
                let n_groups = n.div_ceil(*group);
                int8::decode_row(&codes[range], &scales[row * n_groups..(row + 1) * n_groups], *group, out);
            }
            Data::Int4 { codes, scales, group } => {
                let (n_bytes, n_groups) = (int4::n_row_bytes(n), n.div_ceil(*group));
                let scales = &scales[row * n_groups..(row + 1) * n_groups];
                int4::decode_row(&codes[row * n_bytes..(row + 1) * n_bytes], scales, *group, out);
            }
        }
    }

    /// All elements as floats.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.shape.n_elements()];
        let n = self.shape.n_columns().max(1);
        out.chunks_mut(n).enumerate().for_each(|(i, row)| self.row(i, row));
        out
    }
}

fn finite(scales: &[f32], per_row: usize) -> Result<(), TensorError> {
    match scales.iter().position(|s| !s.is_finite()) {
        Some(i) => Err(TensorError::NotFinite { row: i / per_row.max(1), value: scales[i] }),
        None => Ok(()),
    }
}

/// Builds a [`Tensor`] of any float element type from rows of f32, holding only the encoded result.
#[derive(Debug)]
pub struct TensorBuilder {
    shape: Shape,
    data: Data,
    n_rows: usize,
}

impl TensorBuilder {
    /// An empty tensor of this shape and element type, its memory reserved.
    ///
    /// # Errors
    /// A quantised type for a tensor that is no matrix, or a type that is not for floats.
    pub fn new(shape: Shape, dtype: DType) -> Result<Self, TensorError> {
        if dtype.is_quantised() && shape.rank() != 2 {
            return Err(TensorError::NotAMatrix { dtype, shape });
        }
        let n = shape.n_elements();
        let data = match dtype {
            DType::F32 => Data::F32(Vec::with_capacity(n)),
            DType::F16 => Data::F16(Vec::with_capacity(n)),
            DType::BF16 => Data::BF16(Vec::with_capacity(n)),
            DType::U32 => return Err(TensorError::NotAFloat { dtype }),
            DType::E4M3 => {
                Data::E4M3 { codes: Vec::with_capacity(n), scales: Vec::with_capacity(shape.n_rows()) }
            }
            DType::Int8 { group } => {
                let n_scales = shape.n_rows() * shape.n_columns().div_ceil(group);
                Data::Int8 { codes: Vec::with_capacity(n), scales: Vec::with_capacity(n_scales), group }
            }
            DType::Int4 { group } => {
                let n_scales = shape.n_rows() * shape.n_columns().div_ceil(group);
                let codes = Vec::with_capacity(shape.n_rows() * int4::n_row_bytes(shape.n_columns()));
                Data::Int4 { codes, scales: Vec::with_capacity(n_scales), group }
            }
        };
        Ok(Self { shape, data, n_rows: 0 })
    }

    /// Encodes the next row.
    ///
    /// # Errors
    /// The row's length is not the shape's, or a value is not finite in the element type.
    pub fn push_row(&mut self, row: &[f32]) -> Result<(), TensorError> {
        let expected = self.shape.n_columns();
        if row.len() != expected {
            return Err(TensorError::Row { found: row.len(), expected, shape: self.shape });
        }
        let max = if let Data::F16(_) = self.data { f16::MAX.to_f32() } else { f32::MAX };
        if let Some(&value) = row.iter().find(|x| !x.is_finite() || x.abs() > max) {
            return Err(TensorError::NotFinite { row: self.n_rows, value });
        }
        match &mut self.data {
            Data::F32(x) => x.extend_from_slice(row),
            Data::F16(x) => x.extend(row.iter().map(|v| f16::from_f32(*v))),
            Data::BF16(x) => x.extend(row.iter().map(|v| bf16::from_f32(*v))),
            Data::E4M3 { codes, scales } => scales.push(e4m3::encode_row(row, codes)),
            Data::Int8 { codes, scales, group } => int8::encode_row(row, *group, codes, scales),
            Data::Int4 { codes, scales, group } => int4::encode_row(row, *group, codes, scales),
            Data::U32(_) => return Err(TensorError::NotAFloat { dtype: DType::U32 }),
        }
        self.n_rows += 1;
        Ok(())
    }

    /// The tensor.
    ///
    /// # Errors
    /// Fewer or more rows were pushed than the shape has.
    pub fn finish(self) -> Result<Tensor, TensorError> {
        Tensor::new(self.shape, self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [DType; 6] = [
        DType::F32,
        DType::F16,
        DType::BF16,
        DType::E4M3,
        DType::Int8 { group: 64 },
        DType::Int4 { group: 32 },
    ];

    fn build(shape: Shape, dtype: DType, values: &[f32]) -> Tensor {
        let mut builder = TensorBuilder::new(shape, dtype).unwrap();
        values.chunks(shape.n_columns()).for_each(|row| builder.push_row(row).unwrap());
        builder.finish().unwrap()
    }

    #[test]
    fn every_type_keeps_rows_within_its_precision() {
        for columns in [1, 31, 129] {
            let shape = Shape::matrix(3, columns);
            let values: Vec<f32> = (0..3 * columns).map(|i| ((i * 29 % 97) as f32 - 48.0) / 48.0).collect();
            for dtype in ALL {
                let tensor = build(shape, dtype, &values);
                assert_eq!(tensor.dtype(), dtype);
                let error =
                    values.iter().zip(tensor.to_f32()).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
                // E4M3 has 3 mantissa bits: at most 1/16 of values up to 1. Int4 has 16 values, and may be a step off at one end.
                let most = if matches!(dtype, DType::Int4 { .. }) { 1.0 / 8.0 } else { 1.0 / 16.0 };
                assert!(error <= most, "{dtype}: {error}");
            }
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused_by_row() {
        for dtype in ALL {
            let mut builder = TensorBuilder::new(Shape::matrix(2, 2), dtype).unwrap();
            builder.push_row(&[0.0, 1.0]).unwrap();
            let error = builder.push_row(&[f32::NAN, 1.0]).unwrap_err();
            assert!(matches!(error, TensorError::NotFinite { row: 1, .. }), "{error}");
        }
    }

    #[test]
    fn a_value_beyond_f16_is_refused_rather_than_made_infinite() {
        let mut builder = TensorBuilder::new(Shape::vector(1), DType::F16).unwrap();
        assert!(matches!(builder.push_row(&[1e6]), Err(TensorError::NotFinite { row: 0, .. })));
    }

    #[test]
    fn a_nan_code_is_refused() {
        let data = Data::E4M3 { codes: vec![0, 1, 2, 0xff], scales: vec![1.0; 2] };
        let error = Tensor::new(Shape::matrix(2, 2), data).unwrap_err();
        assert_eq!(error, TensorError::NanCode { row: 1, code: 0xff });
    }

    #[test]
    fn too_few_rows_or_scales_are_refused() {
        let builder = TensorBuilder::new(Shape::matrix(2, 2), DType::F32).unwrap();
        assert!(matches!(builder.finish(), Err(TensorError::Elements { found: 0, expected: 4, .. })));
        let data = Data::Int8 { codes: vec![0; 4], scales: vec![1.0], group: 2 };
        assert!(Tensor::new(Shape::matrix(2, 2), data).is_err());
    }

    #[test]
    fn vectors_are_not_quantised() {
        assert!(TensorBuilder::new(Shape::vector(8), DType::E4M3).is_err());
    }
}
