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

use hala_plan::{Plan, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape};
use hala_weights::Checkpoint;

pub use config::{Lfm2Config, Mixer};

use crate::specs::Specs;
use crate::{Facts, Model, ModelError, Options, PlanShape, WeightSpec};

/// An LFM2 model: its config, weights and states.
#[derive(Debug)]
pub struct Lfm2 {
    config: Lfm2Config,
    facts: Facts,
    weights: Vec<WeightSpec>,
    states: Vec<StateSpec>,
    names: Names,
}

/// The ids of all weights, by place.
#[derive(Debug)]
struct Names {
    embed_tokens: WeightId,
    embedding_norm: WeightId,
    lm_head: WeightId,
    rope: WeightId,
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
    Attention(Attention),
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
struct Attention {
    q_proj: WeightId,
    k_proj: WeightId,
    v_proj: WeightId,
    out_proj: WeightId,
    q_layernorm: WeightId,
    k_layernorm: WeightId,
    keys: StateId,
    values: StateId,
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
        let limit = config.max_context;
        let context = options.context.unwrap_or(limit.min(Options::DEFAULT_CONTEXT));
        if context == 0 || context > limit {
            return Err(ModelError::Context { asked: context, limit });
        }
        let mut specs = Specs::default();
        let mut states = Vec::new();
        let rope = config.rope(checkpoint.config()?, context)?;
        let names = Names {
            embed_tokens: specs.matrix(
                "model.embed_tokens.weight".to_owned(),
                [config.n_vocab, config.width],
                "vocab_size, hidden_size",
            ),
            embedding_norm: specs.vector(
                "model.embedding_norm.weight".to_owned(),
                config.width,
                "hidden_size",
            ),
            lm_head: WeightId(0),
            rope: specs.rope(rope),
            layers: (0..config.layers.len()).map(|i| layer(&config, i, &mut specs)).collect(),
        };
        let names = Names { lm_head: lm_head(&config, &names, &mut specs), ..names };
        for (i, mixer) in config.layers.iter().enumerate() {
            add_states(&config, context, options.cache.unwrap_or(DType::F32), (i, *mixer), &mut states);
        }
        let weights = specs.into_list();
        check_tensors(checkpoint, &weights, config.tied)?;
        let facts = facts(&config, checkpoint, context, &states);
        Ok(Self { config, facts, weights, states, names })
    }

    /// The settings read from config.json.
    pub fn config(&self) -> &Lfm2Config {
        &self.config
    }
}

impl Model for Lfm2 {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn weights(&self) -> &[WeightSpec] {
        &self.weights
    }

    fn states(&self) -> &[StateSpec] {
        &self.states
    }

    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
        record::record(self, shape, dtypes)
    }
}

fn lm_head(config: &Lfm2Config, names: &Names, specs: &mut Specs) -> WeightId {
    if config.tied {
        return names.embed_tokens;
    }
    specs.matrix("lm_head.weight".to_owned(), [config.n_vocab, config.width], "vocab_size, hidden_size")
}

fn layer(config: &Lfm2Config, i: usize, specs: &mut Specs) -> Layer {
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
            Mixer::Attention => Operator::Attention(attention(config, i, StateId(state), specs)),
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

fn attention(config: &Lfm2Config, i: usize, state: StateId, specs: &mut Specs) -> Attention {
    let name = |part: &str| format!("model.layers.{i}.self_attn.{part}.weight");
    let (d, a) = (config.width, config.head_size);
    let (q, kv) = (config.n_heads * a, config.n_kv_heads * a);
    let (q_size, kv_size) = ("num_attention_heads, head_dim", "num_key_value_heads, head_dim");
    Attention {
        q_proj: specs.matrix(name("q_proj"), [q, d], q_size),
        k_proj: specs.matrix(name("k_proj"), [kv, d], kv_size),
        v_proj: specs.matrix(name("v_proj"), [kv, d], kv_size),
        out_proj: specs.matrix(name("out_proj"), [d, q], q_size),
        q_layernorm: specs.vector(name("q_layernorm"), a, "head_dim"),
        k_layernorm: specs.vector(name("k_layernorm"), a, "head_dim"),
        keys: state,
        values: StateId(state.0 + 1),
    }
}

fn add_states(
    config: &Lfm2Config,
    context: usize,
    cache: DType,
    (i, mixer): (usize, Mixer),
    states: &mut Vec<StateSpec>,
) {
    let spec = |part: &str, shape, dtype, kind| StateSpec {
        label: format!("layers.{i}.{part}"),
        shape,
        dtype,
        kind,
    };
    match mixer {
        Mixer::Conv => {
            let shape = Shape::matrix(config.n_taps - 1, config.width);
            states.push(spec("conv", shape, DType::F32, StateKind::Recurrent));
        }
        Mixer::Attention => {
            let shape = Shape::cube(config.n_kv_heads, context, config.head_size);
            states.push(spec("keys", shape, cache, StateKind::PerToken));
            states.push(spec("values", shape, cache, StateKind::PerToken));
        }
    }
}

/// Every weight has its tensor in the right shape, and no tensor is left over.
fn check_tensors(checkpoint: &Checkpoint, weights: &[WeightSpec], tied: bool) -> Result<(), ModelError> {
    weights.iter().try_for_each(|w| w.check(checkpoint))?;
    // A tied checkpoint may hold a copy of the embedding as its head; tables of frequencies are computed.
    let ignored = |name: &str| (tied && name == "lm_head.weight") || name.ends_with("rotary_emb.inv_freq");
    let known: std::collections::BTreeSet<&str> = weights.iter().map(|w| w.name.as_str()).collect();
    match checkpoint.tensor_names().find(|name| !known.contains(name) && !ignored(name)) {
        Some(name) => Err(ModelError::UnexpectedTensor { name: name.to_owned(), family: Lfm2::FAMILY }),
        None => Ok(()),
    }
}

fn facts(config: &Lfm2Config, checkpoint: &Checkpoint, context: usize, states: &[StateSpec]) -> Facts {
    let per_token = states.iter().filter(|s| s.kind == StateKind::PerToken);
    Facts {
        family: Lfm2::FAMILY,
        n_vocab: config.n_vocab,
        n_layers: config.layers.len(),
        width: config.width,
        max_context: config.max_context,
        context,
        n_parameters: checkpoint.n_parameters(),
        cache_bytes_per_token: per_token.map(|s| s.dtype.n_bytes(s.shape) / context).sum(),
    }
}
