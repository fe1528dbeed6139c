//! The memory that a model will take, from the headers of its files alone.

use hala_backend_cpu::CpuBackend;
#[cfg(feature = "wgpu")]
use hala_backend_wgpu::WgpuBackend;
use hala_model::Options;
use hala_tensor::DType;
use hala_weights::Checkpoint;
use serde::Serialize;

use crate::device::BackendName;
use crate::error::Error;
use crate::loading::RuntimeOptions;

/// Bytes that a model will take at most. No weight is read to know them. The tokenizer and tables of names, a few megabytes, are not
/// among them, nor are the activations of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Of all weights as they are held.
    pub weight_bytes: usize,
    /// Of the largest weight, which is there twice while it is brought into the order that kernels read.
    pub largest_weight_bytes: usize,
    /// Of caches for one token.
    pub cache_bytes_per_token: usize,
    /// Of caches and recurrent states of a session that fills its context, with the earlier states that it can go back to.
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
            sequence_bytes: hala_engine::session_bytes(model.as_ref(), n_rows(options.device.backend)),
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

/// The most rows of a prompt that a backend computes at once.
fn n_rows(backend: BackendName) -> usize {
    let sizes: &[usize] = match backend {
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu => &WgpuBackend::PREFILL_SIZES,
        _ => &CpuBackend::PREFILL_SIZES,
    };
    sizes.last().copied().unwrap_or(1)
}
