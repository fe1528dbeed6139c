//! The weights that a model needs, and how each is made from a checkpoint.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use hala_plan::WeightId;
use hala_tensor::{DType, Rounding, Shape, Tensor};
use hala_weights::Checkpoint;

use crate::error::ModelError;
use crate::options::Inputs;
use crate::rope::Rope;

/// How a weight may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A matrix that products read: quantised as the user asks.
    Matrix,
    /// A matrix with a row for each id: the embedding, the head. As [`Role::Matrix`], but int8 where int4 is asked for, which is too
    /// coarse for what decides each token.
    Vocabulary,
    /// Norms, taps, biases, tables: always f32.
    Vector,
}

/// Where a weight's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The tensor of the weight's name.
    Checkpoint,
    /// The tensor of the weight's name, each value times `factor` and plus `offset`.
    Affine {
        /// The factor.
        factor: f32,
        /// What is added after.
        offset: f32,
    },
    /// Computed.
    Rope(Rope),
}

/// One weight of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSpec {
    /// The checkpoint's name for it.
    pub name: String,
    /// Its shape as ops see it.
    pub shape: Shape,
    /// How it may be held.
    pub role: Role,
    /// Where its values come from.
    pub source: Source,
    /// How what it is multiplied with is rounded first.
    pub rounding: Option<Rounding>,
    /// The dimensions that the tensor has in a checkpoint, and the settings that decide them.
    pub(crate) stored: Stored,
}

/// A tensor's dimensions in the checkpoint, and the settings of config.json that decide them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) dims: Vec<usize>,
    pub(crate) setting: &'static str,
}

/// How a user wants matrices to be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightFormat {
    /// As the checkpoint stores them where it is quantised, else int8.
    #[default]
    Auto,
    /// 32-bit floats: exact, four bytes a weight.
    F32,
    /// bfloat16, as most checkpoints are published.
    BF16,
    /// IEEE half floats.
    F16,
    /// int8 in groups of [`DType::INT8_GROUP`].
    Int8,
    /// E4M3 with one scale a row.
    Fp8,
    /// int4 in groups of [`DType::INT4_GROUP`]; the embedding and the head are int8.
    Int4,
}

impl WeightFormat {
    /// All formats, by the names that users give.
    pub const ALL: [Self; 7] =
        [Self::Auto, Self::F32, Self::BF16, Self::F16, Self::Int8, Self::Fp8, Self::Int4];

    /// The name that users give.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::BF16 => "bf16",
            Self::F16 => "f16",
            Self::Int8 => "int8",
            Self::Fp8 => "fp8",
            Self::Int4 => "int4",
        }
    }

    /// The element type for a weight that the checkpoint stores as `stored`.
    pub fn dtype(self, role: Role, stored: DType) -> DType {
        match self {
            _ if role == Role::Vector => DType::F32,
            Self::Int4 if role == Role::Matrix => DType::Int4 { group: DType::INT4_GROUP },
            Self::Auto if stored.is_quantised() => stored,
            Self::Auto | Self::Int8 | Self::Int4 => DType::Int8 { group: DType::INT8_GROUP },
            Self::F32 => DType::F32,
            Self::BF16 => DType::BF16,
            Self::F16 => DType::F16,
            Self::Fp8 => DType::E4M3,
        }
    }
}

impl fmt::Display for WeightFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WeightFormat {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|format| format.name() == s)
            .ok_or_else(|| format!("{s:?} is no weight format; there are: {}", names()))
    }
}

impl WeightSpec {
    /// The element type that the weight is held in; no value is read to know it.
    ///
    /// # Errors
    /// A tensor that is missing, or of a type that is not supported.
    pub fn dtype(&self, checkpoint: &Checkpoint, format: WeightFormat) -> Result<DType, ModelError> {
        Ok(match self.source {
            Source::Rope(_) | Source::Affine { .. } => DType::F32,
            Source::Checkpoint => format.dtype(self.role, checkpoint.stored_dtype(&self.name)?),
        })
    }

    /// Makes the weight: reads and converts the checkpoint's tensor, or computes it.
    ///
    /// # Errors
    /// A tensor that is missing, damaged, or holds values that are no finite numbers.
    pub fn load(&self, checkpoint: &Checkpoint, format: WeightFormat) -> Result<Tensor, ModelError> {
        let named = |source| ModelError::Tensor { name: self.name.clone(), source };
        let tensor = match &self.source {
            Source::Rope(rope) => return rope.table().map_err(named),
            &Source::Affine { factor, offset } => {
                let values = checkpoint.load(&self.name, DType::F32)?.to_f32();
                let values = values.into_iter().map(|w| factor * w + offset).collect();
                return Tensor::from_f32(self.shape, values).map_err(named);
            }
            Source::Checkpoint => checkpoint.load(&self.name, self.dtype(checkpoint, format)?)?,
        };
        if tensor.shape() == self.shape {
            return Ok(tensor);
        }
        Tensor::new(self.shape, tensor.into_data()).map_err(named)
    }

    /// The dimensions that its tensor has in a checkpoint; none where the weight is computed.
    pub fn stored_dims(&self) -> &[usize] {
        &self.stored.dims
    }

    /// Compares the checkpoint's tensor with what the config asks for.
    pub(crate) fn check(&self, checkpoint: &Checkpoint) -> Result<(), ModelError> {
        if matches!(self.source, Source::Rope(_)) {
            return Ok(());
        }
        let found = checkpoint.tensor(&self.name)?.shape();
        if found.dims() == self.stored.dims {
            return Ok(());
        }
        Err(ModelError::Disagreement {
            name: self.name.clone(),
            found,
            setting: self.stored.setting.to_owned(),
            expected: format!("{:?}", self.stored.dims),
        })
    }
}

/// The list of a model's weights while it is put together.
#[derive(Debug, Default)]
pub(crate) struct Specs {
    list: Vec<WeightSpec>,
}

impl Specs {
    fn add(&mut self, name: String, shape: Shape, role: Role, stored: Stored) -> WeightId {
        let source = Source::Checkpoint;
        self.list.push(WeightSpec { name, shape, role, source, rounding: None, stored });
        WeightId(self.list.len() as u32 - 1)
    }

    /// A matrix `[rows, columns]`.
    pub(crate) fn matrix(&mut self, name: String, dims: [usize; 2], setting: &'static str) -> WeightId {
        let stored = Stored { dims: dims.to_vec(), setting };
        self.add(name, Shape::matrix(dims[0], dims[1]), Role::Matrix, stored)
    }

    /// A matrix with a row for each id.
    pub(crate) fn vocabulary(&mut self, name: &str, dims: [usize; 2]) -> WeightId {
        let id = self.matrix(name.to_owned(), dims, "vocab_size, hidden_size");
        self.list[id.0 as usize].role = Role::Vocabulary;
        id
    }

    /// A vector `[n]`.
    pub(crate) fn vector(&mut self, name: String, n: usize, setting: &'static str) -> WeightId {
        self.add(name, Shape::vector(n), Role::Vector, Stored { dims: vec![n], setting })
    }

    /// A vector `[n]` of `factor · w + offset`.
    pub(crate) fn affine(
        &mut self,
        name: String,
        n: usize,
        setting: &'static str,
        [factor, offset]: [f32; 2],
    ) -> WeightId {
        let id = self.vector(name, n, setting);
        self.list[id.0 as usize].source = Source::Affine { factor, offset };
        id
    }

    /// Depthwise taps, `[D, 1, n_taps]` in the checkpoint and `[D, n_taps]` in ops.
    pub(crate) fn taps(&mut self, name: String, dims: [usize; 2], setting: &'static str) -> WeightId {
        let stored = Stored { dims: vec![dims[0], 1, dims[1]], setting };
        self.add(name, Shape::matrix(dims[0], dims[1]), Role::Vector, stored)
    }

    /// A table of rotary angles.
    pub(crate) fn rope(&mut self, name: &str, rope: Rope) -> WeightId {
        let shape = Shape::matrix(rope.n_positions, rope.head_size);
        let stored = Stored { dims: Vec::new(), setting: "" };
        let (name, role, source) = (name.to_owned(), Role::Vector, Source::Rope(rope));
        self.list.push(WeightSpec { name, shape, role, source, rounding: None, stored });
        WeightId(self.list.len() as u32 - 1)
    }

    /// The weights, in the order of their ids, whatever tensors there are.
    pub(crate) fn unchecked(self) -> Vec<WeightSpec> {
        self.list
    }

    /// The weights, in the order of their ids, each checked against its tensor; none is left over.
    pub(crate) fn finish(self, checkpoint: &Checkpoint, found: Found) -> Result<Vec<WeightSpec>, ModelError> {
        let mut list = self.list;
        check_tensors(checkpoint, &list, found)?;
        if found.inputs == Inputs::Rounded {
            for weight in list.iter_mut().filter(|weight| weight.role != Role::Vector) {
                weight.rounding = checkpoint.input_rounding(&weight.name)?;
            }
        }
        Ok(list)
    }
}

/// What is known of a model besides its weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) family: &'static str,
    pub(crate) tied: bool,
    pub(crate) inputs: Inputs,
}

/// Every weight has its tensor in the right shape, and no tensor is left over.
fn check_tensors(
    checkpoint: &Checkpoint,
    weights: &[WeightSpec],
    Found { family, tied, .. }: Found,
) -> Result<(), ModelError> {
    weights.iter().try_for_each(|w| w.check(checkpoint))?;
    // A tied checkpoint may hold a copy of the embedding as its head; tables of frequencies are computed.
    let ignored = |name: &str| (tied && name == "lm_head.weight") || name.ends_with("rotary_emb.inv_freq");
    let known: BTreeSet<&str> = weights.iter().map(|w| w.name.as_str()).collect();
    match checkpoint.tensor_names().find(|name| !known.contains(name) && !ignored(name)) {
        Some(name) => Err(ModelError::UnexpectedTensor { name: name.to_owned(), family }),
        None => Ok(()),
    }
}
