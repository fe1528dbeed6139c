//! A tiny checkpoint with what torch gives for it, as `tests/fixtures/train/make_train.py` wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use hala_plan::training::{Activations, TrainOptions};
use hala_train::data::{Batch, IGNORE};
use hala_train::learn::{Compute, Learner, LearnerOptions, Products};
use hala_weights::Checkpoint;
use safetensors::SafeTensors;

/// The checkpoints.
pub(crate) const NAMES: [&str; 3] = ["two-taps", "groups", "biases"];

/// Fast loops with f32 products on so many threads.
pub(crate) const fn fast(n_threads: usize) -> Compute {
    Compute::Fast { n_threads, products: Products::F32 }
}

/// T of most learners here: more than any batch has.
pub(crate) const N_ROWS: usize = 96;

/// One checkpoint.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    folder: PathBuf,
    expected: Vec<u8>,
}

impl Fixture {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(Self::of)
    }

    pub(crate) fn of(name: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/train").join(name);
        let expected = fs::read(folder.join("expected.safetensors")).unwrap();
        Self { name, folder, expected }
    }

    /// A learner of the checkpoint.
    pub(crate) fn learner(&self, plan: TrainOptions, compute: Compute) -> Learner {
        self.open(&LearnerOptions { n_rows: N_ROWS, context: None, plan, compute })
    }

    /// A learner for so many rows.
    pub(crate) fn learner_for(&self, n_rows: usize, compute: Compute) -> Learner {
        self.open(&LearnerOptions { n_rows, context: None, plan: TrainOptions::default(), compute })
    }

    fn open(&self, options: &LearnerOptions) -> Learner {
        Learner::open(&Checkpoint::open(&self.folder).unwrap(), options).unwrap()
    }

    /// What torch gave under this name.
    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.expected).unwrap();
        let bytes = tensors.tensor(name).unwrap_or_else(|_| panic!("{}: {name}", self.name)).data();
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    fn integers(&self, name: &str) -> Vec<i32> {
        self.floats(name).into_iter().map(|float| float.to_bits().cast_signed()).collect()
    }

    /// The batch whose gradients torch gave, or another whose names begin so.
    pub(crate) fn batch(&self, prefix: &str) -> Batch {
        let ids = |part: &str| self.integers(&format!("{prefix}{part}"));
        let id = |label: i32| u32::try_from(label).unwrap_or(IGNORE);
        Batch {
            tokens: ids("tokens").into_iter().map(id).collect(),
            labels: ids("labels").into_iter().map(id).collect(),
            weights: self.floats(&format!("{prefix}weights")),
            starts: ids("starts").into_iter().map(id).collect(),
        }
    }
}

/// Every layer computed again.
pub(crate) fn recomputed() -> TrainOptions {
    TrainOptions { activations: Activations::Recomputed, ..TrainOptions::default() }
}

/// ‖a − b‖ / ‖b‖
pub(crate) fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len(), "as many elements");
    let square = |x: f64| x * x;
    let pairs = || found.iter().zip(expected).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let error: f64 = pairs().map(|(a, b)| square(a - b)).sum();
    let magnitude: f64 = pairs().map(|(_, b)| square(b)).sum();
    (error / magnitude).sqrt()
}

/// The part of a batch that is one document.
pub(crate) fn document(batch: &Batch, idx: usize) -> Batch {
    let end = batch.starts.get(idx + 1).map_or(batch.n_rows(), |end| *end as usize);
    let rows = batch.starts[idx] as usize..end;
    Batch {
        tokens: batch.tokens[rows.clone()].to_vec(),
        labels: batch.labels[rows.clone()].to_vec(),
        weights: batch.weights[rows].to_vec(),
        starts: vec![0],
    }
}
