//! What config.json of Gemma 2 and Cohere 2 says in the same words.

use hala_plan::WeightId;
use hala_tensor::{DType, counted};
use hala_weights::{Checkpoint, Config};

use crate::blocks::{cache_states, page_tables};
use crate::error::{ModelError, unsupported};
use crate::heads::Heads;
use crate::model::Parts;
use crate::options::Options;
use crate::rope::{Dialect, Rope, Turned};
use crate::settings::{self, Sizes, at_least, eps, heads, required};
use crate::specs::{Found, Specs};

/// The embedding's name.
pub(crate) const EMBED_TOKENS: &str = "model.embed_tokens.weight";

/// Sizes of a decoder of attention and gated feed-forward blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoder {
    /// V, ids: rows of the embedding, whatever config.json says.
    pub n_vocab: usize,
    /// D, model width.
    pub width: usize,
    /// F, feed-forward width.
    pub ff_width: usize,
    /// H, K and A.
    pub heads: Heads,
    /// Of each layer, the positions that its attention sees at most; `None` for all.
    pub windows: Vec<Option<u32>>,
    /// ε of every norm.
    pub eps: f32,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// How heads are turned by position, in layers that turn them.
    pub rope: Rope,
}

/// What stands for settings that config.json leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// The key of ε, and its value.
    pub(crate) eps: (&'static str, f64),
    /// Every so many layers one sees all positions.
    pub(crate) full_every: usize,
    /// The `layer_types` whose heads are turned by position.
    pub(crate) turned: &'static [&'static str],
}

/// Positions of a window where config.json does not say.
const WINDOW: usize = 4096;

/// Base of rotary frequencies where config.json does not say.
const THETA: f64 = 10_000.0;

impl Decoder {
    /// Reads config.json; the embedding's rows are counted in its tensor.
    ///
    /// # Errors
    /// Settings that are missing or unsupported, no embedding.
    pub(crate) fn read(checkpoint: &Checkpoint, defaults: Defaults) -> Result<Self, ModelError> {
        let config = checkpoint.config()?;
        if config.bool(&["attention_bias"])? == Some(true) {
            return Err(unsupported("attention_bias", "true", "only false"));
        }
        let count = |key: &str| required(config.usize(&[key])?, &[key]);
        let width = count("hidden_size")?;
        let heads = heads(config, width, &["num_attention_heads"])?;
        let max_context = config.usize(&["max_position_embeddings"])?.unwrap_or(8192);
        let (head_size, kinds) = (heads.head_size, defaults.turned);
        let turned = Turned { head_size, max_context, theta: THETA, kinds, dialect: Dialect::OfAll };
        let found = Self {
            n_vocab: checkpoint.tensor(EMBED_TOKENS)?.shape().n_rows(),
            width,
            ff_width: count("intermediate_size")?,
            heads,
            windows: windows(config, defaults.full_every)?,
            eps: eps(config, &[defaults.eps.0], defaults.eps.1)?,
            tied: config.bool(&["tie_word_embeddings"])?.unwrap_or(true),
            max_context,
            rope: Rope::read(config, &turned)?,
        };
        at_least("hidden_size", found.width, 1)?;
        at_least("intermediate_size", found.ff_width, 1)?;
        at_least("num_hidden_layers", found.windows.len(), 1)?;
        at_least("max_position_embeddings", found.max_context, 1)?;
        Ok(found)
    }
}

/// The matrices of one layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrices {
    /// Of queries, keys and values.
    pub(crate) qkv: [WeightId; 3],
    pub(crate) o_proj: WeightId,
    /// Gate and up.
    pub(crate) gated: [WeightId; 2],
    pub(crate) down_proj: WeightId,
}

impl Decoder {
    /// The embedding and the output head, which may be one.
    pub(crate) fn vocabulary(&self, specs: &mut Specs) -> [WeightId; 2] {
        let dims = [self.n_vocab, self.width];
        let embed_tokens = specs.vocabulary(EMBED_TOKENS, dims);
        let lm_head = if self.tied { embed_tokens } else { specs.vocabulary("lm_head.weight", dims) };
        [embed_tokens, lm_head]
    }

    /// The matrices of layer `i`.
    pub(crate) fn matrices(&self, i: usize, specs: &mut Specs) -> Matrices {
        let (d, f) = (self.width, self.ff_width);
        let (q, kv) = (self.heads.q_width(), self.heads.kv_width());
        let mut matrix = |part: &str, dims, setting| {
            specs.matrix(format!("model.layers.{i}.{part}.weight"), dims, setting)
        };
        let (q_size, kv_size) = ("num_attention_heads, head_dim", "num_key_value_heads, head_dim");
        let ff_size = "intermediate_size, hidden_size";
        Matrices {
            qkv: [
                matrix("self_attn.q_proj", [q, d], q_size),
                matrix("self_attn.k_proj", [kv, d], kv_size),
                matrix("self_attn.v_proj", [kv, d], kv_size),
            ],
            o_proj: matrix("self_attn.o_proj", [d, q], q_size),
            gated: [matrix("mlp.gate_proj", [f, d], ff_size), matrix("mlp.up_proj", [f, d], ff_size)],
            down_proj: matrix("mlp.down_proj", [d, f], ff_size),
        }
    }

    /// The weights, checked against the checkpoint, with the states and what a user may want to know.
    ///
    /// # Errors
    /// Tensors that are missing, left over or of other shapes, or a context longer than the model's.
    pub(crate) fn parts(
        &self,
        specs: Specs,
        checkpoint: &Checkpoint,
        family: &'static str,
        options: Options,
    ) -> Result<Parts, ModelError> {
        let context = settings::context(options, self.max_context, &self.rope)?;
        let found = Found { family, tied: self.tied, inputs: options.inputs };
        let weights = specs.finish(checkpoint, found)?;
        let (n_layers, cache) = (self.windows.len(), options.cache.unwrap_or(DType::F32));
        let (tables, of_layers) = page_tables(&self.windows);
        let layers = of_layers.into_iter().enumerate();
        let states: Vec<_> =
            layers.flat_map(|(i, table)| cache_states(i, self.heads, table, cache)).collect();
        let (&Self { n_vocab, width, .. }, max_context) = (self, self.rope.limit(self.max_context));
        let sizes = Sizes { family, n_vocab, n_layers, width, max_context, context };
        let facts = settings::facts(sizes, checkpoint, &states);
        Ok(Parts { facts, weights, states, tables })
    }
}

/// The window of each layer, by `layer_types` or, before there were any, one layer in so many that sees all.
fn windows(config: &Config, full_every: usize) -> Result<Vec<Option<u32>>, ModelError> {
    let n_layers = required(config.usize(&["num_hidden_layers"])?, &["num_hidden_layers"])?;
    let is_sliding: Vec<bool> = match config.list_str(&["layer_types"])? {
        Some(types) => {
            let is_sliding = |name: &&str| match *name {
                "sliding_attention" => Ok(true),
                "full_attention" => Ok(false),
                other => Err(unsupported("layer_types", other, "sliding_attention and full_attention")),
            };
            types.iter().map(is_sliding).collect::<Result<_, _>>()?
        }
        None => {
            let every = config.usize(&["sliding_window_pattern"])?.unwrap_or(full_every);
            at_least("sliding_window_pattern", every, 1)?;
            (1..=n_layers).map(|n| n % every != 0).collect()
        }
    };
    if is_sliding.len() != n_layers {
        let expected = format!("one for each of num_hidden_layers ({n_layers})");
        let found = counted(is_sliding.len() as u64, "entry");
        return Err(unsupported("layer_types", &found, &expected));
    }
    let window = match (config.usize(&["sliding_window"])?, config.map().contains_key("sliding_window")) {
        (Some(window), _) => window,
        (None, false) => WINDOW,
        (None, true) => return Err(unsupported("sliding_window", "null", "a number above 0")),
    };
    at_least("sliding_window", window, 1)?;
    let window = u32::try_from(window).unwrap_or(u32::MAX - 1);
    Ok(is_sliding.into_iter().map(|is_sliding| is_sliding.then_some(window)).collect())
}
