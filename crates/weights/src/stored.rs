//! How a tensor's values are stored: floats, or codes with the scales that rows and columns share.

use hala_tensor::{DType, Rounding, Shape, TensorError};

use crate::checkpoint::Checkpoint;
use crate::error::WeightsError;
use crate::file_dtype::FileDType;
#[cfg(not(target_family = "wasm"))]
use crate::gguf::blocks;
use crate::quantisation::{
    Codes, INPUT_SCALE, Inputs, PACKED_SUFFIX, Quantisation, SCALE_SUFFIX, Scheme, UNREAD_SUFFIX, ZERO_SUFFIX,
};
use crate::scales::{Scales, Zeros, groups};
use crate::view::TensorView;

/// A tensor and how its bytes become values.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) view: TensorView<'a>,
    pub(crate) form: Form<'a>,
}

/// What the bytes are.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for the tensor that is being read")]
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
    zeros: Option<Zeros<'a>>,
    /// Each column's group, where groups are not of neighbours.
    order: Option<TensorView<'a>>,
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
        if let Some(unread) = Some(companion(UNREAD_SUFFIX)).filter(|name| self.contains(name)) {
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
        // Zero points in the file decide between schemes with and without.
        let has_zeros = self.contains(&companion(ZERO_SUFFIX));
        let is_either = quantisation.schemes(view.dtype).any(|scheme| scheme.has_zeros == has_zeros);
        let mut schemes =
            quantisation.schemes(view.dtype).filter(|scheme| !is_either || scheme.has_zeros == has_zeros);
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
        let zeros = if scheme.has_zeros {
            Some(self.zeros(name, codes, scales.shape)?)
        } else if has_zeros {
            self.stray_zeros(name, codes, scales.shape)?
        } else {
            None
        };
        let order = self.order(name, scheme, matrix[1])?;
        Ok(Stored { view, form: Form::Quantised(Quantised { codes, scales, zeros, order, scheme }) })
    }

    /// Elements of a row as the file has it: words, where codes are packed.
    fn n_stored_columns(&self, name: &str) -> Result<usize, WeightsError> {
        Ok(self.at(self.place(name)?).1.dims.last().copied().unwrap_or(1))
    }

    pub(crate) fn quantisation(&self) -> Result<Option<Quantisation>, WeightsError> {
        self.config().ok().map(Quantisation::of).transpose().map(Option::flatten)
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
            Form::Quantised(Quantised { zeros, order, .. }) if zeros.is_some() || order.is_some() => true,
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
        let zeros = self.zeros.map(|zeros| zeros.values(self.codes, self.scales.shape)).transpose()?;
        let order = self.order.map(|order| groups(&order, n_columns)).transpose()?;
        Ok(Scales { values: tensor.to_f32(), zeros, order, n_columns, block: self.scheme.block })
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
