//! What was loaded and what runs it.

use serde::Serialize;

use crate::engine::Engine;
use crate::reply::SamplingReport;
use crate::why::Why;

/// What was loaded and what runs it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The family, as config.json's `model_type` has it.
    pub family: &'static str,
    /// Elements in all weights.
    pub parameters: usize,
    /// L, layers.
    pub layers: usize,
    /// D, model width.
    pub width: usize,
    /// V, ids that the model knows.
    pub vocabulary: usize,
    /// S, tokens that a sequence can hold.
    pub context: usize,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// Bytes of all weights as they are held.
    pub weight_bytes: usize,
    /// Bytes of KV cache for one token.
    pub cache_bytes_per_token: usize,
    /// How a chat chooses tokens where its request does not say; none where the checkpoint's own settings mean nothing.
    pub sampling: Option<SamplingReport>,
    /// The backend, as `cpu` or `wgpu`.
    pub backend: &'static str,
    /// The device in its maker's words.
    pub device: String,
    /// Why it is this one, in words. A browser's page tells its own reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same as a word for programs: [`Why::code`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<&'static str>,
    /// Whether the GPU's kernels let lanes that run together add up by themselves.
    pub subgroups: bool,
    /// Threads that compute.
    pub threads: usize,
}

impl Info {
    /// What an engine is, on a device that was chosen for a reason.
    pub fn of(engine: &Engine, why: &Why) -> Self {
        let facts = engine.model().facts();
        Self {
            family: facts.family,
            parameters: facts.n_parameters,
            layers: facts.n_layers,
            width: facts.width,
            vocabulary: facts.n_vocab,
            context: facts.context,
            max_context: facts.max_context,
            weight_bytes: engine.weight_bytes(),
            cache_bytes_per_token: facts.cache_bytes_per_token,
            sampling: SamplingReport::new(engine.sampling_defaults()),
            backend: engine.device().backend,
            device: engine.device().name.clone(),
            reason: Some(why.to_string()),
            reason_code: Some(why.code()),
            subgroups: engine.backend().has_subgroups(),
            threads: engine.backend().n_threads(),
        }
    }
}
