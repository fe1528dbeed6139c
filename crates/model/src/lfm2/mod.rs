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
mod record;

use hala_plan::ops::rope_kv::Pairs;
use hala_plan::{Plan, StateId, StateKind, StateSpec, TableSpec, WeightId};
use hala_tensor::{DType, Shape};
use hala_weights::Checkpoint;

pub use config::{Lfm2Config, Mixer};

use crate::blocks::{Attention, cache_states};
use crate::error::ModelError;
use crate::model::{Model, Options, Parts, PlanShape};
use crate::rope::Rope;
use crate::settings::{self, Sizes};
use crate::specs::{Found, Specs};

/// The page table of all caches: every attention layer sees all positions.
const TABLE: u32 = 0;

/// An LFM2 model: its config, weights and states.
#[derive(Debug)]
pub struct Lfm2 {
    config: Lfm2Config,
    parts: Parts,
    names: Names,
}

/// The ids of all weights, by place.
#[derive(Debug)]
struct Names {
    embed_tokens: WeightId,
    embedding_norm: WeightId,
    lm_head: WeightId,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    operator_norm: WeightId,
    operator: Operator,
    ffn_norm: WeightId,
    w1: WeightId,
    w2: WeightId,
    w3: WeightId,
}

#[derive(Debug)]
enum Operator {
    Conv(Conv),
    Attention(Attending),
}

#[derive(Debug)]
struct Conv {
    in_proj: WeightId,
    taps: WeightId,
    out_proj: WeightId,
    bias: Option<ConvBias>,
    state: StateId,
}

#[derive(Debug)]
struct ConvBias {
    in_proj: WeightId,
    conv: WeightId,
    out_proj: WeightId,
}

#[derive(Debug)]
struct Attending {
    attention: Attention,
    out_proj: WeightId,
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
        let mut states = Vec::new();
        let names = Names {
            embed_tokens: specs.vocabulary("model.embed_tokens.weight", [config.n_vocab, config.width]),
            embedding_norm: specs.vector(
                "model.embedding_norm.weight".to_owned(),
                config.width,
                "hidden_size",
            ),
            lm_head: WeightId(0),
            layers: Vec::new(),
        };
        let table = specs.rope(Rope { n_positions: context, ..config.rope.clone() });
        let layers = (0..config.layers.len()).map(|i| layer(&config, i, table, &mut specs)).collect();
        let names = Names { lm_head: lm_head(&config, &names, &mut specs), layers, ..names };
        for (i, mixer) in config.layers.iter().enumerate() {
            add_states(&config, options.cache.unwrap_or(DType::F32), (i, *mixer), &mut states);
        }
        let found = Found { family: Self::FAMILY, tied: config.tied, inputs: options.inputs };
        let weights = specs.finish(checkpoint, found)?;
        let facts = settings::facts(sizes(&config, context), checkpoint, &states);
        let tables = vec![TableSpec { window: None }];
        Ok(Self { config, parts: Parts { facts, weights, states, tables }, names })
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
        record::record(self, shape, dtypes)
    }
}

fn lm_head(config: &Lfm2Config, names: &Names, specs: &mut Specs) -> WeightId {
    if config.tied {
        return names.embed_tokens;
    }
    specs.vocabulary("lm_head.weight", [config.n_vocab, config.width])
}

fn layer(config: &Lfm2Config, i: usize, rope: WeightId, specs: &mut Specs) -> Layer {
    let name = |part: &str| format!("model.layers.{i}.{part}.weight");
    let (d, f) = (config.width, config.ff_width);
    let sizes = "intermediate_size, hidden_size";
    // States come in the order of the layers: two for attention, one for a convolution.
    let n_states = |m: &Mixer| if *m == Mixer::Attention { 2 } else { 1 };
    let state = config.layers[..i].iter().map(n_states).sum();
    Layer {
        operator_norm: specs.vector(name("operator_norm"), d, "hidden_size"),
        operator: match config.layers[i] {
            Mixer::Conv => Operator::Conv(conv(config, i, StateId(state), specs)),
            Mixer::Attention => Operator::Attention(attention(config, (i, StateId(state)), rope, specs)),
        },
        ffn_norm: specs.vector(name("ffn_norm"), d, "hidden_size"),
        w1: specs.matrix(name("feed_forward.w1"), [f, d], sizes),
        w2: specs.matrix(name("feed_forward.w2"), [d, f], sizes),
        w3: specs.matrix(name("feed_forward.w3"), [f, d], sizes),
    }
}

fn conv(config: &Lfm2Config, i: usize, state: StateId, specs: &mut Specs) -> Conv {
    let name = |part: &str| format!("model.layers.{i}.conv.{part}");
    let d = config.width;
    let bias = config.conv_bias.then(|| ConvBias {
        in_proj: specs.vector(name("in_proj.bias"), 3 * d, "conv_bias"),
        conv: specs.vector(name("conv.bias"), d, "conv_bias"),
        out_proj: specs.vector(name("out_proj.bias"), d, "conv_bias"),
    });
    Conv {
        in_proj: specs.matrix(name("in_proj.weight"), [3 * d, d], "hidden_size"),
        taps: specs.taps(name("conv.weight"), [d, config.n_taps], "hidden_size, conv_L_cache"),
        out_proj: specs.matrix(name("out_proj.weight"), [d, d], "hidden_size"),
        bias,
        state,
    }
}

fn attention(
    config: &Lfm2Config,
    (i, cache): (usize, StateId),
    rope: WeightId,
    specs: &mut Specs,
) -> Attending {
    let name = |part: &str| format!("model.layers.{i}.self_attn.{part}.weight");
    let (heads, d) = (config.heads, config.width);
    let (q, kv, a) = (heads.q_width(), heads.kv_width(), heads.head_size);
    let (q_size, kv_size) = ("num_attention_heads, head_dim", "num_key_value_heads, head_dim");
    let projections = [
        specs.matrix(name("q_proj"), [q, d], q_size),
        specs.matrix(name("k_proj"), [kv, d], kv_size),
        specs.matrix(name("v_proj"), [kv, d], kv_size),
    ];
    let out_proj = specs.matrix(name("out_proj"), [d, q], q_size);
    let norms = ["q_layernorm", "k_layernorm"].map(|part| specs.vector(name(part), a, "head_dim"));
    let attention = Attention {
        heads,
        projections,
        norms: Some((norms, config.eps)),
        turn: Some((rope, Pairs::Halves)),
        cache,
        scale: 1.0 / (a as f32).sqrt(),
        softcap: None,
        window: None,
    };
    Attending { attention, out_proj }
}

fn add_states(config: &Lfm2Config, cache: DType, (i, mixer): (usize, Mixer), states: &mut Vec<StateSpec>) {
    match mixer {
        Mixer::Conv => states.push(StateSpec {
            label: format!("layers.{i}.conv"),
            shape: Shape::matrix(config.n_taps - 1, config.width),
            dtype: DType::F32,
            kind: StateKind::Recurrent,
        }),
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
