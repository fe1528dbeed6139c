//! LFM2's config.json, in all the dialects that were published.

use hala_tensor::{Shape, counted};
use hala_weights::{Checkpoint, Config};

use crate::blocks::ConvolutionSizes;
use crate::error::{ModelError, unsupported};
use crate::heads::Heads;
use crate::rope::{Dialect, Rope, Turned};
use crate::settings::{at_least, eps, heads, required};

/// Base of rotary frequencies where config.json does not say.
const THETA: f64 = 1e6;

/// What a layer mixes tokens with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixer {
    /// The gated short convolution.
    Conv,
    /// Attention over all earlier tokens.
    Attention,
}

/// Sizes and settings of one LFM2 checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Lfm2Config {
    /// V, ids.
    pub n_vocab: usize,
    /// D, model width.
    pub width: usize,
    /// F, feed-forward width, after the adjustment that config.json may ask for.
    pub ff_width: usize,
    /// H, K and A.
    pub heads: Heads,
    /// The mixer of each layer.
    pub layers: Vec<Mixer>,
    /// Taps of the short convolution.
    pub n_taps: usize,
    /// Whether the convolution and its projections have biases.
    pub conv_bias: bool,
    /// ε of every norm.
    pub eps: f32,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// How heads are turned by position.
    pub rope: Rope,
}

impl Lfm2Config {
    /// Reads config.json; where it can be read in two ways, the tensors' shapes decide.
    ///
    /// # Errors
    /// Settings that are missing, unsupported, or in disagreement with the tensors.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let config = checkpoint.config()?;
        refuse_unsupported(config)?;
        let count = |keys: &[&str]| required(config.usize(keys)?, keys);
        let width = count(&["hidden_size", "block_dim"])?;
        let heads = heads(config, width, &["num_attention_heads", "num_heads"])?;
        let max_context = config.usize(&["max_position_embeddings"])?.unwrap_or(128_000);
        let (head_size, kinds) = (heads.head_size, &["full_attention"][..]);
        let turned = Turned { head_size, max_context, theta: THETA, kinds, dialect: Dialect::OfAll };
        let found = Self {
            n_vocab: count(&["vocab_size"])?,
            width,
            ff_width: ff_width(checkpoint, config, width)?,
            heads,
            layers: layers(config)?,
            n_taps: config.usize(&["conv_L_cache"])?.unwrap_or(3),
            conv_bias: config.bool(&["conv_bias"])?.unwrap_or(false),
            eps: eps(config, &["norm_eps", "block_norm_eps", "rms_norm_eps"], 1e-5)?,
            tied: config.bool(&["tie_word_embeddings", "tie_embedding"])?.unwrap_or(true),
            max_context,
            rope: Rope::read(config, &turned)?,
        };
        found.check_ranges()?;
        Ok(found)
    }

    pub(crate) fn convolution(&self) -> ConvolutionSizes {
        ConvolutionSizes { width: self.width, n_taps: self.n_taps, bias: self.conv_bias }
    }

    fn check_ranges(&self) -> Result<(), ModelError> {
        at_least("vocab_size", self.n_vocab, 1)?;
        at_least("hidden_size", self.width, 1)?;
        at_least("the feed-forward width", self.ff_width, 1)?;
        at_least("num_hidden_layers", self.layers.len(), 1)?;
        at_least("conv_L_cache", self.n_taps, 2)?;
        at_least("max_position_embeddings", self.max_context, 1)
    }
}

/// Settings that exist in published files and would change the maths.
fn refuse_unsupported(config: &Config) -> Result<(), ModelError> {
    for key in ["block_use_swiglu", "use_pos_enc"] {
        if config.bool(&[key])? == Some(false) {
            return Err(unsupported(key, "false", "only true"));
        }
    }
    if let Some(found) = config.str(&["hidden_act"])?.filter(|act| !matches!(*act, "silu" | "swish")) {
        return Err(unsupported("hidden_act", found, "silu"));
    }
    let width = config.usize(&["hidden_size", "block_dim"])?;
    for key in ["conv_dim", "conv_dim_out"] {
        let found = config.usize(&[key])?;
        if let (Some(found), Some(width)) = (found, width)
            && found != width
        {
            return Err(unsupported(key, &found.to_string(), &format!("hidden_size ({width})")));
        }
    }
    if let Some(found) = config.usize(&["sliding_window"])? {
        return Err(unsupported("sliding_window", &found.to_string(), "none"));
    }
    Ok(())
}

fn layers(config: &Config) -> Result<Vec<Mixer>, ModelError> {
    let n_layers = config.usize(&["num_hidden_layers"])?;
    if let Some(types) = config.list_str(&["layer_types"])? {
        let mixer = |name: &&str| match *name {
            "conv" => Ok(Mixer::Conv),
            "full_attention" => Ok(Mixer::Attention),
            other => Err(unsupported("layer_types", other, "conv and full_attention")),
        };
        let layers = types.iter().map(mixer).collect::<Result<Vec<_>, _>>()?;
        return match n_layers {
            Some(n) if n != layers.len() => {
                let found = counted(layers.len() as u64, "entry");
                Err(unsupported("layer_types", &found, &format!("one for each of num_hidden_layers ({n})")))
            }
            _ => Ok(layers),
        };
    }
    let n_layers = required(n_layers, &["num_hidden_layers"])?;
    let attention = config.list_usize(&["full_attn_idxs"])?.unwrap_or_else(|| (0..n_layers).collect());
    if let Some(idx) = attention.iter().find(|idx| **idx >= n_layers) {
        return Err(unsupported("full_attn_idxs", &idx.to_string(), &format!("0 to {}", n_layers - 1)));
    }
    let mixer = |i| if attention.contains(&i) { Mixer::Attention } else { Mixer::Conv };
    Ok((0..n_layers).map(mixer).collect())
}

/// The feed-forward width. Files give it raw or adjusted whatever `block_auto_adjust_ff_dim` says, so the first
/// layer's tensor decides between the two, and any third value is an error.
fn ff_width(checkpoint: &Checkpoint, config: &Config, width: usize) -> Result<usize, ModelError> {
    const NAME: &str = "model.layers.0.feed_forward.w1.weight";
    let keys = ["intermediate_size", "block_ff_dim"];
    let raw = required(config.usize(&keys)?, &keys)?;
    let adjusted = adjusted_ff_width(config, raw)?;
    if !checkpoint.contains(NAME) {
        // A model whose tensors are yet to be made is what transformers would make of its config.
        let adjusts = config.bool(&["block_auto_adjust_ff_dim"])?.unwrap_or(true);
        return Ok(if adjusts { adjusted } else { raw });
    }
    let found: Shape = checkpoint.tensor(NAME)?.shape();
    match *found.dims() {
        [ff, d] if d == width && (ff == raw || ff == adjusted) => Ok(ff),
        _ => Err(ModelError::Disagreement {
            name: NAME.to_owned(),
            found,
            setting: "intermediate_size and hidden_size".to_owned(),
            expected: if raw == adjusted {
                format!("[{raw}, {width}]")
            } else {
                format!("[{adjusted}, {width}] or [{raw}, {width}]")
            },
        }),
    }
}

/// The adjustment of transformers' `Lfm2MLP`: two thirds, times a multiplier, rounded up to a multiple.
fn adjusted_ff_width(config: &Config, raw: usize) -> Result<usize, ModelError> {
    let two_thirds = 2 * raw / 3;
    let multiplier = config.f64(&["block_ffn_dim_multiplier"])?;
    let multiple = config.usize(&["block_multiple_of"])?.unwrap_or(256).max(1);
    Ok(multiplier.map_or(two_thirds, |m| ((m * two_thirds as f64) as usize).next_multiple_of(multiple)))
}
