//! The ids of an LFM2 model's weights, and the names and shapes that its checkpoints give them.

use hala_plan::ops::rope_kv::Pairs;
use hala_plan::{StateId, WeightId};

use crate::blocks::{Attention, Convolution};
use crate::lfm2::config::{Lfm2Config, Mixer};
use crate::rope::Rope;
use crate::specs::Specs;

/// The ids of all weights, by place.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) embed_tokens: WeightId,
    pub(super) embedding_norm: WeightId,
    pub(super) lm_head: WeightId,
    pub(super) layers: Vec<Layer>,
}

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) operator_norm: WeightId,
    pub(super) operator: Operator,
    pub(super) ffn_norm: WeightId,
    pub(super) w1: WeightId,
    pub(super) w2: WeightId,
    pub(super) w3: WeightId,
}

#[derive(Debug)]
pub(super) enum Operator {
    Conv(Convolution),
    Attention(Attending),
}

#[derive(Debug)]
pub(super) struct Attending {
    pub(super) attention: Attention,
    pub(super) out_proj: WeightId,
}

impl Names {
    /// Adds all weights of a model with this context, in tokens.
    pub(super) fn add(config: &Lfm2Config, context: usize, specs: &mut Specs) -> Self {
        let (v, d) = (config.n_vocab, config.width);
        let embed_tokens = specs.vocabulary("model.embed_tokens.weight", [v, d]);
        let embedding_norm = specs.vector("model.embedding_norm.weight".to_owned(), d, "hidden_size");
        let rope = specs.rope("rope", Rope { n_positions: context, ..config.rope.clone() });
        let layers = (0..config.layers.len()).map(|i| layer(config, i, rope, specs)).collect();
        let lm_head = if config.tied { embed_tokens } else { specs.vocabulary("lm_head.weight", [v, d]) };
        Self { embed_tokens, embedding_norm, lm_head, layers }
    }
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
            Mixer::Conv => Operator::Conv(Convolution::add(config.convolution(), (i, StateId(state)), specs)),
            Mixer::Attention => Operator::Attention(attention(config, (i, StateId(state)), rope, specs)),
        },
        ffn_norm: specs.vector(name("ffn_norm"), d, "hidden_size"),
        w1: specs.matrix(name("feed_forward.w1"), [f, d], sizes),
        w2: specs.matrix(name("feed_forward.w2"), [d, f], sizes),
        w3: specs.matrix(name("feed_forward.w3"), [f, d], sizes),
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
