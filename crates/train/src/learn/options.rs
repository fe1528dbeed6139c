//! How a model is made ready to learn.

use hala_backend_cpu::CpuBackend;
pub use hala_backend_cpu::training::Products;
use hala_plan::BackendError;
use hala_plan::training::TrainOptions;

/// What a learner is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerOptions {
    /// T, the most rows of a batch: memory for activations grows with it.
    pub n_rows: usize,
    /// The most tokens of a document; `None` for the model's own limit, or what inference takes where none is asked for.
    pub context: Option<usize>,
    /// Label smoothing, dropout, and what becomes of activations.
    pub plan: TrainOptions,
    /// What computes.
    pub compute: Compute,
}

/// What computes losses and gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compute {
    /// Plain loops with f64 sums on one thread: slow, and the truth that all else is tested against.
    Plain,
    /// Fast loops; results have the same bits with any number of threads.
    Fast {
        /// Threads; 0 for as many as the machine runs at once.
        n_threads: usize,
        /// What products with parameters are of.
        products: Products,
    },
}

impl Compute {
    /// The backend, and what its products are of.
    ///
    /// # Errors
    /// The system refuses the threads.
    pub(super) fn backend(self) -> Result<(CpuBackend, Products), BackendError> {
        Ok(match self {
            Self::Plain => (CpuBackend::plain(), Products::F32),
            Self::Fast { n_threads, products } => (CpuBackend::threaded(n_threads)?, products),
        })
    }
}
