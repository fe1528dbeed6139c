//! What makes values of a matrix's codes: scales, zero points, and the groups of columns that are not neighbours.

use hala_tensor::Shape;

use crate::checkpoint::Checkpoint;
use crate::codes::unpacked;
use crate::error::WeightsError;
use crate::file_dtype::FileDType;
use crate::quantisation::{Codes, ORDER_SUFFIX, Scheme, ZERO_SUFFIX};
use crate::view::TensorView;

/// Zero points of a matrix, one for each scale.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Zeros<'a> {
    /// A signed byte for each scale.
    Bytes(TensorView<'a>),
    /// Packed along the rows: `[⌈rows · bits / 32⌉, columns of scales]`.
    Packed(TensorView<'a>),
}

impl Checkpoint {
    /// The zero points of a weight whose scheme has them, and their layout.
    ///
    /// # Errors
    /// There are none; they have another shape or element type.
    pub(crate) fn zeros(&self, name: &str, codes: Codes, scales: Shape) -> Result<Zeros<'_>, WeightsError> {
        let view = self.companion(name, ZERO_SUFFIX, "symmetric is false")?;
        match (view.dtype, codes) {
            (FileDType::I8, _) if view.shape.dims() == scales.dims() => Ok(Zeros::Bytes(view)),
            (FileDType::I32, Codes::Packed(n_bits)) => {
                let n_words = scales.n_rows().div_ceil(32 / n_bits as usize);
                view.expect_shape(Shape::matrix(n_words, scales.n_columns()))?;
                Ok(Zeros::Packed(view))
            }
            (FileDType::I8, _) => view.expect_shape(scales).map(|()| Zeros::Bytes(view)),
            _ => Err(view.unsupported()),
        }
    }

    /// Zero points of a weight whose scheme is symmetric, which early versions of compressed-tensors wrote too: counted as they count them,
    /// where they are not 0.
    ///
    /// # Errors
    /// They have another shape or element type.
    pub(crate) fn stray_zeros(
        &self,
        name: &str,
        codes: Codes,
        scales: Shape,
    ) -> Result<Option<Zeros<'_>>, WeightsError> {
        let view = self.tensor(&format!("{name}{ZERO_SUFFIX}"))?;
        let is_nothing = view.bytes.is_none_or(|bytes| bytes.iter().all(|byte| *byte == 0));
        if is_nothing { Ok(None) } else { self.zeros(name, codes, scales).map(Some) }
    }

    /// The tensor that gives each of a weight's columns its group; `None` where they are in their own order.
    ///
    /// # Errors
    /// The scheme asks for one and there is none; it has another shape or element type.
    pub(crate) fn order(
        &self,
        name: &str,
        scheme: Scheme,
        n_columns: usize,
    ) -> Result<Option<TensorView<'_>>, WeightsError> {
        if !scheme.is_ordered && !self.contains(&format!("{name}{ORDER_SUFFIX}")) {
            return Ok(None);
        }
        let view = self.companion(name, ORDER_SUFFIX, "actorder is group")?;
        if view.dtype != FileDType::I32 || scheme.block[1] == Scheme::ALL {
            return Err(view.unsupported());
        }
        view.expect_shape(Shape::vector(n_columns))?;
        // Before columns are ordered, compressed-tensors fills the tensor with −1.
        let is_unused = view.bytes.is_some_and(|bytes| bytes.starts_with(&(-1i32).to_le_bytes()));
        Ok((!is_unused).then_some(view))
    }
}

impl Checkpoint {
    /// A tensor beside a weight's codes, which a setting asks for.
    fn companion(
        &self,
        name: &str,
        suffix: &str,
        setting: &'static str,
    ) -> Result<TensorView<'_>, WeightsError> {
        let missing = format!("{name}{suffix}");
        if self.contains(&missing) {
            return self.tensor(&missing);
        }
        Err(WeightsError::MissingCompanion { name: name.to_owned(), setting, missing })
    }
}

impl Zeros<'_> {
    /// The values, in the order of the scales.
    pub(crate) fn values(&self, codes: Codes, scales: Shape) -> Result<Vec<f32>, WeightsError> {
        match (self, codes) {
            (Self::Packed(view), Codes::Packed(n_bits)) => {
                let (bytes, n_columns) = (view.bytes()?, scales.n_columns());
                let mut values = vec![0.0; scales.n_elements()];
                let per_word = 32 / n_bits as usize;
                for (word, bytes) in bytes.as_chunks::<4>().0.iter().enumerate() {
                    let (row, column) = (word / n_columns * per_word, word % n_columns);
                    for (i, zero) in unpacked(n_bits, bytes).enumerate() {
                        if let Some(value) = values.get_mut((row + i) * n_columns + column) {
                            *value = f32::from(zero);
                        }
                    }
                }
                Ok(values)
            }
            (Self::Bytes(view) | Self::Packed(view), _) => {
                Ok(view.bytes()?.iter().map(|zero| f32::from(*zero as i8)).collect())
            }
        }
    }
}

/// The group of each column, below `n_groups`.
///
/// # Errors
/// A number is no group.
pub(crate) fn groups(order: &TensorView<'_>, n_groups: usize) -> Result<Vec<usize>, WeightsError> {
    let words = order.bytes()?.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word));
    let group = |found: i32| match usize::try_from(found) {
        Ok(group) if group < n_groups => Ok(group),
        _ => Err(WeightsError::Order { name: order.name.to_owned(), found, n_groups }),
    };
    words.map(group).collect()
}

/// Scales of a matrix.
#[derive(Debug)]
pub(crate) struct Scales {
    pub(crate) values: Vec<f32>,
    /// What is taken from codes first, for each scale.
    pub(crate) zeros: Option<Vec<f32>>,
    /// Each column's group, where groups are not of neighbours.
    pub(crate) order: Option<Vec<usize>>,
    /// Scales of one row of blocks.
    pub(crate) n_columns: usize,
    /// Rows and columns that share a scale.
    pub(crate) block: [usize; 2],
}

impl Scales {
    /// The scale of each block of columns of a row.
    pub(crate) fn of_row(&self, row: usize) -> &[f32] {
        &self.values[row / self.block[0] * self.n_columns..][..self.n_columns]
    }

    /// Makes values of a row's codes.
    pub(crate) fn apply(&self, row: usize, codes: &mut [f32]) {
        let scales = self.of_row(row);
        let zeros = self.zeros.as_ref().map(|zeros| &zeros[row / self.block[0] * self.n_columns..]);
        let zero = |group: usize| zeros.map_or(0.0, |zeros| zeros[group]);
        if let Some(order) = &self.order {
            codes.iter_mut().zip(order).for_each(|(x, group)| *x = (*x - zero(*group)) * scales[*group]);
            return;
        }
        let width = self.block[1].min(codes.len()).max(1);
        for (group, (codes, scale)) in codes.chunks_mut(width).zip(scales).enumerate() {
            let zero = zero(group);
            codes.iter_mut().for_each(|x| *x = (*x - zero) * scale);
        }
    }
}
