//! The ids of an LFM3 model's weights, and the names and shapes that its checkpoints give them.

use hala_plan::ops::rope_kv::Pairs;
use hala_plan::{StateId, WeightId};
use hala_weights::Checkpoint;

use crate::blocks::{Attention, Convolution};
use crate::lfm3::config::Lfm3Config;
use crate::lfm3::mixer::Mixer;
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
    pub(super) post_operator_norm: Option<WeightId>,
    pub(super) ffn_norm: WeightId,
    pub(super) w1: WeightId,
    pub(super) w2: WeightId,
    pub(super) w3: WeightId,
    pub(super) post_ffn_norm: Option<WeightId>,
}

#[derive(Debug)]
pub(super) enum Operator {
    Conv(Convolution),
    Attention(Attending),
}

#[derive(Debug)]
pub(super) struct Attending {
    pub(super) attention: Attention,
    /// Of heads.
    pub(super) gate_proj: Option<WeightId>,
    pub(super) o_proj: WeightId,
}

/// What the weights of all layers are read by.
struct Source<'a> {
    config: &'a Lfm3Config,
    checkpoint: &'a Checkpoint,
    ropes: Vec<(Mixer, WeightId)>,
}

impl Names {
    /// Adds all weights of a model with this context, in tokens.
    pub(super) fn add(
        config: &Lfm3Config,
        context: usize,
        checkpoint: &Checkpoint,
        specs: &mut Specs,
    ) -> Self {
        let (v, d) = (config.n_vocab, config.width);
        let embed_tokens = specs.vocabulary("model.embed_tokens.weight", [v, d]);
        let embedding_norm = specs.vector("model.embedding_norm.weight".to_owned(), d, "hidden_size");
        let mut table = |(mixer, rope): &(Mixer, Rope)| {
            let name =
                if *mixer == Mixer::Full { "rope of full_attention" } else { "rope of sliding_attention" };
            (*mixer, specs.rope(name, Rope { n_positions: context, ..rope.clone() }))
        };
        let ropes = config.ropes.iter().map(&mut table).collect();
        let source = Source { config, checkpoint, ropes };
        // States come in the order of the layers: two for attention, one for a convolution.
        let mut n_states = 0;
        let mut layers = Vec::with_capacity(config.layers.len());
        for (i, mixer) in config.layers.iter().enumerate() {
            layers.push(source.layer((i, *mixer), StateId(n_states), specs));
            n_states += if *mixer == Mixer::Conv { 1 } else { 2 };
        }
        let lm_head = if config.tied { embed_tokens } else { specs.vocabulary("lm_head.weight", [v, d]) };
        Self { embed_tokens, embedding_norm, lm_head, layers }
    }
}

impl Source<'_> {
    fn layer(&self, (i, mixer): (usize, Mixer), state: StateId, specs: &mut Specs) -> Layer {
        let name = |part: &str| format!("model.layers.{i}.{part}.weight");
        let (d, f) = (self.config.width, self.config.ff_width);
        let sizes = "intermediate_size, hidden_size";
        let norm = |part: &str, specs: &mut Specs| specs.vector(name(part), d, "hidden_size");
        let sandwich = |part: &str, specs: &mut Specs| self.config.sandwich_norm.then(|| norm(part, specs));
        Layer {
            operator_norm: norm("operator_norm", specs),
            operator: match mixer {
                Mixer::Conv => Operator::Conv(Convolution::add(self.config.convolution(), (i, state), specs)),
                Mixer::Sliding | Mixer::Full => Operator::Attention(self.attention((i, mixer), state, specs)),
            },
            post_operator_norm: sandwich("post_operator_norm", specs),
            ffn_norm: norm("ffn_norm", specs),
            w1: specs.matrix(name("feed_forward.w1"), [f, d], sizes),
            w2: specs.matrix(name("feed_forward.w2"), [d, f], sizes),
            w3: specs.matrix(name("feed_forward.w3"), [f, d], sizes),
            post_ffn_norm: sandwich("post_ffn_norm", specs),
        }
    }

    fn attention(&self, (i, mixer): (usize, Mixer), cache: StateId, specs: &mut Specs) -> Attending {
        let name = |part: &str| format!("model.layers.{i}.self_attn.{part}.weight");
        let (heads, d) = (self.config.heads, self.config.width);
        let (q, kv, a) = (heads.q_width(), heads.kv_width(), heads.head_size);
        let (q_size, kv_size) = ("num_attention_heads, head_dim", "num_key_value_heads, head_dim");
        let projections = [
            specs.matrix(name("q_proj"), [q, d], q_size),
            specs.matrix(name("k_proj"), [kv, d], kv_size),
            specs.matrix(name("v_proj"), [kv, d], kv_size),
        ];
        let gate_proj = self.config.attention_gate.then(|| {
            // Published files have the one name, and models in transformers' memory the other.
            let names = ["gate_proj", "g_proj"].map(name);
            let is_there = |name: &String| self.checkpoint.tensor(name).is_ok();
            let found = names.iter().find(|name| is_there(name)).unwrap_or(&names[0]);
            specs.matrix(found.clone(), [heads.n_heads, d], "num_attention_heads, hidden_size")
        });
        let o_proj = specs.matrix(name("o_proj"), [d, q], q_size);
        let norms = ["q_norm", "k_norm"].map(|part| specs.vector(name(part), a, "head_dim"));
        let table = self.ropes.iter().find(|(kind, _)| *kind == mixer).map(|(_, table)| *table);
        let attention = Attention {
            heads,
            projections,
            norms: Some((norms, self.config.eps)),
            turn: table.map(|table| (table, Pairs::Halves)),
            cache,
            scale: 1.0 / (a as f32).sqrt(),
            softcap: None,
            window: (mixer == Mixer::Sliding).then_some(self.config.window),
        };
        Attending { attention, gate_proj, o_proj }
    }
}
