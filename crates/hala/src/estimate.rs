//! The memory that a model will take, from the headers of its files alone.

use hala_model::Options;
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::device::BackendName;
use crate::error::Error;
use crate::loading::RuntimeOptions;

/// Bytes that a model will take. No weight is read to know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Of all weights as they are held.
    pub weight_bytes: usize,
    /// Of the largest weight, which is there twice while it is brought into the order that kernels read.
    pub largest_weight_bytes: usize,
    /// Of caches for one token.
    pub cache_bytes_per_token: usize,
    /// Of caches and recurrent states of one sequence that fills its context.
    pub sequence_bytes: usize,
}

impl Estimate {
    /// What a checkpoint's model will take; with [`BackendName::Auto`] as on the CPU, since no device is looked for.
    ///
    /// # Errors
    /// A model that is damaged or not supported.
    pub fn of(checkpoint: &Checkpoint, options: &RuntimeOptions) -> Result<Self, Error> {
        let cache = options.model.cache.unwrap_or(match options.device.backend {
            BackendName::Wgpu => DType::F16,
            BackendName::Auto | BackendName::Cpu | BackendName::Plain => DType::F32,
        });
        let model = hala_model::open(checkpoint, Options { cache: Some(cache), ..options.model })?;
        let mut estimate = Self {
            weight_bytes: 0,
            largest_weight_bytes: 0,
            cache_bytes_per_token: model.facts().cache_bytes_per_token,
            sequence_bytes: model.state_bytes(1, model.facts().context),
        };
        for spec in model.weights() {
            let n_bytes = spec.dtype(checkpoint, options.weights)?.n_bytes(spec.shape);
            estimate.weight_bytes += n_bytes;
            estimate.largest_weight_bytes = estimate.largest_weight_bytes.max(n_bytes);
        }
        Ok(estimate)
    }

    /// The most while the model is loaded: all weights, and the largest once more.
    pub fn peak_bytes(&self) -> usize {
        self.weight_bytes + self.largest_weight_bytes
    }
}
