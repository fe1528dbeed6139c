//! LFM3 (Liquid AI), 1.7B: layers of gated short convolutions, of attention over a window and of attention over everything, each with a
//! SwiGLU block and with norms before and after.
//!
//! Read from top to bottom in the words of the published checkpoint:
//!
//! ```text
//! h = embed_tokens[ids]
//! each layer: h += post_operator_norm(operator(operator_norm(h)))
//!             h += post_ffn_norm(w2(silu(w1 x) ⊙ w3 x)), x = ffn_norm(h)
//! logits = embedding_norm(h) · embed_tokensᵀ
//! ```
//!
//! An attention multiplies each head with `sigmoid(gate_proj x)` before `o_proj`. Source: transformers' `modeling_lfm3`.

mod config;
mod mixer;
mod names;
mod record;
mod rotary;

use hala_plan::{Plan, StateSpec};
use hala_tensor::DType;
use hala_weights::{Checkpoint, Config};

pub use config::Lfm3Config;
pub use mixer::Mixer;

use crate::blocks::{Pass, cache_states, convolution_state, page_tables};
use crate::error::ModelError;
use crate::lfm3::names::Names;
use crate::model::{Model, Parts, PlanShape};
use crate::options::Options;
use crate::settings::{self, Sizes};
use crate::specs::{Found, Specs};

/// An LFM3 model: its config, weights and states.
#[derive(Debug)]
pub struct Lfm3 {
    config: Lfm3Config,
    parts: Parts,
    names: Names,
}

impl Lfm3 {
    /// config.json's `model_type`.
    pub const FAMILY: &'static str = "lfm3";

    /// Reads the config and checks every tensor's name and shape.
    ///
    /// # Errors
    /// Settings or tensors that are missing, unsupported or contradictory, or a context longer than the model's.
    pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Self, ModelError> {
        let config = Lfm3Config::read(checkpoint)?;
        let ropes = config.ropes.iter().map(|(_, rope)| rope);
        let contexts = ropes.clone().map(|rope| settings::context(options, config.max_context, rope));
        let context = contexts.reduce(|a, b| Ok(a?.min(b?))).unwrap_or(Ok(config.max_context))?;
        let max_context =
            ropes.map(|rope| rope.limit(config.max_context)).min().unwrap_or(config.max_context);
        let mut specs = Specs::default();
        let names = Names::add(&config, context, checkpoint, &mut specs);
        let found = Found { family: Self::FAMILY, tied: config.tied, inputs: options.inputs };
        let weights = specs.finish(checkpoint, found)?;
        let (tables, of_layers) = page_tables(&config.windows());
        let states = states(&config, &of_layers, options.cache.unwrap_or(DType::F32));
        let (n_layers, width) = (config.layers.len(), config.width);
        let sizes =
            Sizes { family: Self::FAMILY, n_vocab: config.n_vocab, n_layers, width, max_context, context };
        let facts = settings::facts(sizes, checkpoint, &states);
        Ok(Self { config, parts: Parts { facts, weights, states, tables }, names })
    }

    /// The settings read from config.json.
    pub fn config(&self) -> &Lfm3Config {
        &self.config
    }

    /// What a config.json of this family says that transformers' maths does not read.
    pub(crate) fn passed_over(config: &Config) -> Vec<String> {
        rotary::passed_over(config)
    }
}

impl Model for Lfm3 {
    fn parts(&self) -> &Parts {
        &self.parts
    }

    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
        record::record(Pass::new(shape, &self.parts, dtypes), &self.config, &self.names)
    }
}

/// The states, in the order of the layers; `tables` are those of the layers that attend.
fn states(config: &Lfm3Config, tables: &[u32], cache: DType) -> Vec<StateSpec> {
    let (mut states, mut tables) = (Vec::new(), tables.iter());
    for (i, mixer) in config.layers.iter().enumerate() {
        match mixer {
            Mixer::Conv => states.push(convolution_state(i, config.convolution())),
            Mixer::Sliding | Mixer::Full => {
                let table = tables.next().copied().unwrap_or(0);
                states.extend(cache_states(i, config.heads, table, cache));
            }
        }
    }
    states
}
