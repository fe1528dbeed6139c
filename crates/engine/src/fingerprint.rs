//! What tells a model's weights from those of any other, without reading all of them.

use hala_model::{Source, WeightSpec};
use hala_tensor::{DType, Data, Tensor};

use crate::checksum::Checksum;

/// Words of 8 bytes that are looked at in each tensor: fine-tunes change most of their numbers.
const N_SAMPLES: usize = 4096;

/// What tells a model's weights from those of any other, as they are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    sum: u64,
    /// How the largest weight is held.
    pub(crate) weights: DType,
}

impl Fingerprint {
    /// Of weights in the order of their ids: the sum of each, how many elements it has, and how it is held.
    pub(crate) fn of(weights: impl Iterator<Item = (u64, usize, DType)>) -> Self {
        let (mut all, mut largest) = (Checksum::default(), (0, DType::F32));
        for (sum, n_elements, dtype) in weights {
            all.add(&sum.to_le_bytes());
            if n_elements > largest.0 {
                largest = (n_elements, dtype);
            }
        }
        Self { sum: all.sum(), weights: largest.1 }
    }

    /// The same as 16 digits.
    pub(crate) fn code(&self) -> String {
        format!("{:016x}", self.sum)
    }
}

/// Rows of a rotary table that tell its angles. How many it has is the context's business.
const N_ROPE_ROWS: usize = 2;

/// The sum of one weight, of its name, shape, type, and numbers all over it; and how many elements it has, none where they are computed.
pub(crate) fn sample(spec: &WeightSpec, tensor: &Tensor) -> (u64, usize) {
    let mut sum = Checksum::default();
    let (name, dtype, shape) = (&spec.name, tensor.dtype(), tensor.shape());
    if let (Source::Rope(_), Data::F32(table)) = (&spec.source, tensor.data()) {
        let n = table.len().min(N_ROPE_ROWS * shape.n_columns());
        sum.add(bytemuck::cast_slice(&table[..n]));
        return (sum.sum(), 0);
    }
    sum.add(format!("{name} {dtype} {shape}").as_bytes());
    let (elements, scales): (&[u8], &[f32]) = match tensor.data() {
        Data::F32(x) => (bytemuck::cast_slice(x), &[]),
        Data::F16(x) => (bytemuck::cast_slice(x), &[]),
        Data::BF16(x) => (bytemuck::cast_slice(x), &[]),
        Data::U32(x) => (bytemuck::cast_slice(x), &[]),
        Data::E4M3 { codes, scales } | Data::Int4 { codes, scales, .. } => (codes, scales),
        Data::Int8 { codes, scales, .. } => (bytemuck::cast_slice(codes), scales),
    };
    for bytes in [elements, bytemuck::cast_slice(scales)] {
        // Odd, so that not all are of the same columns.
        let words = bytes.chunks(8);
        let step = words.len().div_ceil(N_SAMPLES) | 1;
        words.step_by(step).for_each(|word| sum.add(word));
    }
    (sum.sum(), shape.n_elements())
}
