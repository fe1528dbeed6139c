//! What tells models apart for a GPU, before their weights are read.

use hala_model::{Options, WeightFormat};
use hala_tensor::DType;
use hala_weights::Checkpoint;

/// What tells models apart for a GPU: those of one class have the same kernels, sizes and speed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelClass {
    /// Family, layers, width, vocabulary, how the largest weight is held, and bytes of all weights.
    pub(crate) key: String,
    /// How its matrices are held.
    pub(crate) format: WeightFormat,
    /// Bytes of all weights.
    pub(crate) weight_bytes: usize,
}

impl ModelClass {
    /// Of a checkpoint; `None` where it cannot be run, which loading will say.
    pub(crate) fn of(checkpoint: &Checkpoint, weights: WeightFormat, options: Options) -> Option<Self> {
        let model = hala_model::open(checkpoint, options).ok()?;
        let held =
            model.weights().iter().map(|spec| Some((spec.shape, spec.dtype(checkpoint, weights).ok()?)));
        let held: Vec<_> = held.collect::<Option<_>>()?;
        let weight_bytes = held.iter().map(|(shape, dtype)| dtype.n_bytes(*shape)).sum();
        let (_, largest) = held.iter().max_by_key(|(shape, _)| shape.n_elements())?;
        let facts = model.facts();
        let (layers, width, vocabulary) = (facts.n_layers, facts.width, facts.n_vocab);
        Some(Self {
            key: format!("{} {layers}x{width} {vocabulary} {largest} {weight_bytes}", facts.family),
            format: format_of(*largest),
            weight_bytes,
        })
    }
}

/// The format that holds matrices so.
fn format_of(held: DType) -> WeightFormat {
    match held {
        DType::Int8 { .. } => WeightFormat::Int8,
        DType::Int4 { .. } => WeightFormat::Int4,
        DType::E4M3 => WeightFormat::Fp8,
        DType::BF16 => WeightFormat::BF16,
        DType::F16 => WeightFormat::F16,
        DType::F32 | DType::U32 => WeightFormat::F32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_differ_by_how_they_are_held_and_checkpoints_of_one_shape_do_not() {
        let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
        let of = |weights| ModelClass::of(&checkpoint, weights, Options::default()).unwrap();
        let (auto, int8, f32) = (of(WeightFormat::Auto), of(WeightFormat::Int8), of(WeightFormat::F32));
        assert_eq!((&auto, auto.format), (&int8, WeightFormat::Int8));
        assert!(f32.key != int8.key && f32.weight_bytes > 3 * int8.weight_bytes, "{f32:?} {int8:?}");
    }
}
