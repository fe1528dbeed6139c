//! One tensor of a checkpoint as its file holds it.

use hala_tensor::{DType, Shape, TensorError};

use crate::error::WeightsError;
use crate::file_dtype::FileDType;

/// A tensor's name, shape, element type and bytes in its file, not yet converted.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    pub(crate) name: &'a str,
    pub(crate) file: &'a str,
    pub(crate) shape: Shape,
    pub(crate) dtype: FileDType,
    /// `None` where they were not fetched.
    pub(crate) bytes: Option<&'a [u8]>,
}

impl<'a> TensorView<'a> {
    /// The tensor's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The file that holds it, for messages.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// Its dimensions.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How the file stores its elements.
    pub fn file_dtype(&self) -> FileDType {
        self.dtype
    }

    /// Its elements as the file holds them: little-endian, row-major, at no particular alignment.
    ///
    /// # Errors
    /// They were not fetched.
    pub fn bytes(&self) -> Result<&'a [u8], WeightsError> {
        let not_fetched =
            || WeightsError::NotFetched { name: self.name.to_owned(), file: self.file.to_owned() };
        self.bytes.ok_or_else(not_fetched)
    }

    /// Checks the shape.
    ///
    /// # Errors
    /// [`WeightsError::Shape`], which names the tensor and both shapes.
    pub fn expect_shape(&self, expected: Shape) -> Result<(), WeightsError> {
        if self.shape == expected {
            return Ok(());
        }
        let (name, file) = (self.name.to_owned(), self.file.to_owned());
        Err(WeightsError::Shape { name, file, found: self.shape, expected })
    }

    /// The element type in memory that holds the elements exactly.
    ///
    /// # Errors
    /// The elements are not F32, F16 or BF16.
    pub(crate) fn float_dtype(&self) -> Result<DType, WeightsError> {
        self.dtype.as_float().ok_or_else(|| self.unsupported())
    }

    pub(crate) fn unsupported(&self) -> WeightsError {
        let (name, file) = (self.name.to_owned(), self.file.to_owned());
        WeightsError::UnsupportedDType { name, file, dtype: self.dtype }
    }

    pub(crate) fn tensor_error(&self, source: TensorError) -> WeightsError {
        WeightsError::Tensor { name: self.name.to_owned(), file: self.file.to_owned(), source }
    }
}
