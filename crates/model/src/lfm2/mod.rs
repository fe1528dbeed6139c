//! LFM2 (Liquid AI), 350M to 2.6B: layers of gated short convolutions and of attention, each with a SwiGLU block.
//!
//! Read from top to bottom in the words of the published checkpoint:
//!
//! ```text
//! h = embed_tokens[ids]
//! each layer: h += mixer(RMS(h; operator_norm)); h += w2(silu(w1 x) ⊙ w3 x), x = RMS(h; ffn_norm)
//! logits = RMS(h; embedding_norm) · embed_tokensᵀ
//! ```

mod config;
mod names;
mod record;

use hala_plan::{Plan, StateSpec, TableSpec};
use hala_tensor::DType;
use hala_weights::Checkpoint;

pub use config::{Lfm2Config, Mixer};

use crate::blocks::{Pass, cache_states, convolution_state};
use crate::error::ModelError;
use crate::lfm2::names::Names;
use crate::model::{Model, Parts, PlanShape};
use crate::options::Options;
use crate::settings::{self, Sizes};
use crate::specs::{Found, Specs, WeightSpec};

/// The page table of all caches: every attention layer sees all positions.
const TABLE: u32 = 0;

/// An LFM2 model: its config, weights and states.
#[derive(Debug)]
pub struct Lfm2 {
    config: Lfm2Config,
    parts: Parts,
    names: Names,
}

impl Lfm2 {
    /// config.json's `model_type`.
    pub const FAMILY: &'static str = "lfm2";

    /// Reads the config and checks every tensor's name and shape.
    ///
    /// # Errors
    /// Settings or tensors that are missing, unsupported or contradictory, or a context longer than the model's.
    pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Self, ModelError> {
        let config = Lfm2Config::read(checkpoint)?;
        let context = settings::context(options, config.max_context, &config.rope)?;
        let mut specs = Specs::default();
        let names = Names::add(&config, context, &mut specs);
        let mut states = Vec::new();
        for (i, mixer) in config.layers.iter().enumerate() {
            add_states(&config, options.cache.unwrap_or(DType::F32), (i, *mixer), &mut states);
        }
        let found = Found { family: Self::FAMILY, tied: config.tied, inputs: options.inputs };
        let weights = specs.finish(checkpoint, found)?;
        let facts = settings::facts(sizes(&config, context), checkpoint, &states);
        let tables = vec![TableSpec { window: None }];
        Ok(Self { config, parts: Parts { facts, weights, states, tables }, names })
    }

    /// The weights that config.json asks for, whatever tensors there are.
    ///
    /// # Errors
    /// Settings that are missing, unsupported or contradictory.
    pub fn weights_of(checkpoint: &Checkpoint) -> Result<Vec<WeightSpec>, ModelError> {
        let config = Lfm2Config::read(checkpoint)?;
        let mut specs = Specs::default();
        Names::add(&config, 1, &mut specs);
        Ok(specs.unchecked())
    }

    /// The settings read from config.json.
    pub fn config(&self) -> &Lfm2Config {
        &self.config
    }
}

impl Model for Lfm2 {
    fn parts(&self) -> &Parts {
        &self.parts
    }

    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
        record::record(Pass::new(shape, &self.parts, dtypes), &self.config, &self.names)
    }
}

fn add_states(config: &Lfm2Config, cache: DType, (i, mixer): (usize, Mixer), states: &mut Vec<StateSpec>) {
    match mixer {
        Mixer::Conv => states.push(convolution_state(i, config.convolution())),
        Mixer::Attention => states.extend(cache_states(i, config.heads, TABLE, cache)),
    }
}

fn sizes(config: &Lfm2Config, context: usize) -> Sizes {
    Sizes {
        family: Lfm2::FAMILY,
        n_vocab: config.n_vocab,
        n_layers: config.layers.len(),
        width: config.width,
        max_context: config.rope.limit(config.max_context),
        context,
    }
}
