//! What config.json of several families says in the same words.

use hala_plan::{StateKind, StateSpec};
use hala_weights::{Checkpoint, Config};

use crate::blocks::Heads;
use crate::{Facts, ModelError, Options};

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
}

/// What stands for settings that config.json leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// The key of ε, and its value.
    pub(crate) eps: (&'static str, f64),
    /// Every so many layers one sees all positions.
    pub(crate) full_every: usize,
}

/// Positions of a window where config.json does not say.
const WINDOW: usize = 4096;

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
        let found = Self {
            n_vocab: checkpoint.tensor(EMBED_TOKENS)?.shape().n_rows(),
            width,
            ff_width: count("intermediate_size")?,
            heads: heads(config, width, &["num_attention_heads"])?,
            windows: windows(config, defaults.full_every)?,
            eps: eps(config, &[defaults.eps.0], defaults.eps.1)?,
            tied: config.bool(&["tie_word_embeddings"])?.unwrap_or(true),
            max_context: config.usize(&["max_position_embeddings"])?.unwrap_or(8192),
        };
        at_least("hidden_size", found.width, 1)?;
        at_least("intermediate_size", found.ff_width, 1)?;
        at_least("num_hidden_layers", found.windows.len(), 1)?;
        at_least("max_position_embeddings", found.max_context, 1)?;
        Ok(found)
    }
}

/// The embedding's name.
pub(crate) const EMBED_TOKENS: &str = "model.embed_tokens.weight";

/// H, K and A.
///
/// # Errors
/// None are named, heads are no multiple of key/value heads, or of an odd size.
pub(crate) fn heads(config: &Config, width: usize, keys: &[&str]) -> Result<Heads, ModelError> {
    let n_heads = required(config.usize(keys)?, keys)?;
    let n_kv_heads = config.usize(&["num_key_value_heads"])?.unwrap_or(n_heads);
    if n_heads == 0 || n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) {
        let found = format!("{n_heads} / {n_kv_heads}");
        return Err(unsupported("num_attention_heads / num_key_value_heads", &found, "a whole ratio"));
    }
    let head_size = config.usize(&["head_dim"])?.unwrap_or(width / n_heads);
    if head_size == 0 || !head_size.is_multiple_of(2) {
        return Err(unsupported("head_dim", &head_size.to_string(), "an even number"));
    }
    Ok(Heads { n_heads, n_kv_heads, head_size })
}

/// ε of the norms.
///
/// # Errors
/// No number above 0.
pub(crate) fn eps(config: &Config, keys: &[&str], default: f64) -> Result<f32, ModelError> {
    let eps = config.f64(keys)?.unwrap_or(default) as f32;
    if eps.is_finite() && eps > 0.0 {
        return Ok(eps);
    }
    Err(unsupported(keys[0], &eps.to_string(), "a number above 0"))
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
        return Err(unsupported("layer_types", &format!("{} entries", is_sliding.len()), &expected));
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

/// S, the tokens that a session can hold, of a model made for `limit`.
///
/// # Errors
/// None, or more than the model was made for.
pub(crate) fn context(options: Options, limit: usize) -> Result<usize, ModelError> {
    let asked = options.context.unwrap_or(limit.min(Options::DEFAULT_CONTEXT));
    if asked == 0 || asked > limit { Err(ModelError::Context { asked, limit }) } else { Ok(asked) }
}

/// Sizes of a family's model that [`Facts`] tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) family: &'static str,
    pub(crate) n_vocab: usize,
    pub(crate) n_layers: usize,
    pub(crate) width: usize,
    pub(crate) max_context: usize,
    pub(crate) context: usize,
}

/// Those sizes with what the checkpoint and the states add.
pub(crate) fn facts(sizes: Sizes, checkpoint: &Checkpoint, states: &[StateSpec]) -> Facts {
    let Sizes { family, n_vocab, n_layers, width, max_context, context } = sizes;
    let per_token = states.iter().filter(|s| s.kind == StateKind::PerToken);
    let cache_bytes_per_token = per_token.map(|s| s.dtype.n_bytes(s.shape) / context).sum();
    let n_parameters = checkpoint.n_parameters();
    Facts { family, n_vocab, n_layers, width, max_context, context, n_parameters, cache_bytes_per_token }
}

/// A setting that the model cannot do without.
pub(crate) fn required<T>(value: Option<T>, keys: &[&str]) -> Result<T, ModelError> {
    value.ok_or_else(|| ModelError::MissingSetting { key: keys.join(" (or ") + &")".repeat(keys.len() - 1) })
}

/// A count that must not be less.
pub(crate) fn at_least(key: &str, found: usize, least: usize) -> Result<(), ModelError> {
    if found >= least {
        return Ok(());
    }
    Err(unsupported(key, &found.to_string(), &format!("{least} or more")))
}

/// The error for a value that would change the maths.
pub(crate) fn unsupported(key: &str, found: &str, supported: &str) -> ModelError {
    ModelError::UnsupportedSetting {
        key: key.to_owned(),
        found: found.to_owned(),
        supported: supported.to_owned(),
    }
}
