//! What config.json of several families says in the same words.

use hala_plan::{PAGE, StateKind, StateSpec};
use hala_weights::{Checkpoint, Config};

use crate::error::{ModelError, unsupported};
use crate::heads::Heads;
use crate::model::Facts;
use crate::options::Options;
use crate::rope::Rope;

/// H, K and A.
///
/// # Errors
/// None are named, heads are no multiple of key/value heads, the width is none of heads, or their size is odd.
pub(crate) fn heads(config: &Config, width: usize, keys: &[&str]) -> Result<Heads, ModelError> {
    let n_heads = required(config.usize(keys)?, keys)?;
    let n_kv_heads = config.usize(&["num_key_value_heads"])?.unwrap_or(n_heads);
    if n_heads == 0 || n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) {
        let found = format!("{n_heads} / {n_kv_heads}");
        return Err(unsupported("num_attention_heads / num_key_value_heads", &found, "a whole ratio"));
    }
    let named = config.usize(&["head_dim"])?;
    if named.is_none() && !width.is_multiple_of(n_heads) {
        let found = format!("{width} / {n_heads}");
        return Err(unsupported("hidden_size / num_attention_heads", &found, "a whole ratio"));
    }
    let head_size = named.unwrap_or(width / n_heads);
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

/// S, the tokens that a sequence can hold, of a model made for `max_context`.
///
/// # Errors
/// None, more than the model was made for, or more than its rotary frequencies are the same for.
pub(crate) fn context(options: Options, max_context: usize, rope: &Rope) -> Result<usize, ModelError> {
    let limit = rope.limit(max_context);
    let asked = options.context.unwrap_or(limit.min(Options::DEFAULT_CONTEXT));
    if asked > limit && asked <= max_context {
        let found = format!("longrope in a context of {asked} tokens, within which its factors change");
        let supported = format!("a context of {limit} tokens at most");
        return Err(unsupported("rope_type", &found, &supported));
    }
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
    let paged = states.iter().filter(|s| matches!(s.kind, StateKind::Paged { .. }));
    let cache_bytes_per_token = paged.map(|s| s.dtype.n_bytes(s.shape) / PAGE).sum();
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
