//! The memory that a model will take, from the headers of its files alone.

use hala_backend_cpu::CpuBackend;
#[cfg(feature = "wgpu")]
use hala_backend_wgpu::WgpuBackend;
use hala_model::Options;
use hala_tensor::DType;
use hala_text::Footprint;
use hala_weights::Checkpoint;
use serde::Serialize;

use crate::device::BackendName;
use crate::error::Error;
use crate::event::Event;
use crate::loading::RuntimeOptions;
use crate::source::ModelSource;

/// Bytes that a model will take at most. Headers, config.json and tokenizer.json are read to know them, and no weight. The activations of a run
/// are not among them, nor are tables of names, and the pages of the files that the system keeps in its own cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Of all weights as they are held.
    pub weight_bytes: usize,
    /// Of the largest weight, which is there twice while it is brought into the order that kernels read.
    pub largest_weight_bytes: usize,
    /// Of the tokenizer; see [`Footprint`] for where the figure comes from. 0 where there is none.
    pub tokenizer_bytes: usize,
    /// The most while the tokenizer is read, which is before the weights are: its file, and the values in it.
    pub tokenizer_reading_bytes: usize,
    /// Of caches for one token.
    pub cache_bytes_per_token: usize,
    /// Of caches and recurrent states of a session that fills its context, with the earlier states that it can go back to.
    pub sequence_bytes: usize,
}

/// What a model will take, wherever it is: of one on the Hub nothing but headers, config.json and tokenizer.json come, where it is not in the
/// cache. `options.cancel` stops that from any thread.
///
/// # Errors
/// No such model, a damaged one or one that is not supported, or stopped.
pub fn estimate(source: ModelSource, options: &RuntimeOptions) -> Result<Estimate, Error> {
    Estimate::of(&source.peek(&mut |_: Event<'_>| {}, options)?, options)
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
        let tokenizer = tokenizer(checkpoint)?;
        let mut estimate = Self {
            weight_bytes: 0,
            largest_weight_bytes: 0,
            tokenizer_bytes: tokenizer.held_bytes,
            tokenizer_reading_bytes: tokenizer.reading_bytes,
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

    /// The most while the model is loaded: all weights, the largest once more, and the tokenizer; of a small model with a large vocabulary,
    /// what it takes to read the tokenizer.
    pub fn peak_bytes(&self) -> usize {
        let loading = self.tokenizer_bytes + self.weight_bytes + self.largest_weight_bytes;
        loading.max(self.tokenizer_reading_bytes)
    }
}

/// Nothing for a checkpoint that has no tokenizer.
fn tokenizer(checkpoint: &Checkpoint) -> Result<Footprint, Error> {
    let Some(json) = checkpoint.file("tokenizer.json")? else { return Ok(Footprint::default()) };
    Ok(Footprint::of(&json)?)
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
