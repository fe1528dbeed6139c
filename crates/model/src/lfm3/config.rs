//! LFM3's config.json, as it is published and as transformers writes it.

use hala_tensor::counted;
use hala_weights::{Checkpoint, Config};

use crate::blocks::ConvolutionSizes;
use crate::error::{ModelError, unsupported};
use crate::heads::Heads;
use crate::lfm3::mixer::Mixer;
use crate::lfm3::rotary;
use crate::rope::Rope;
use crate::settings::{at_least, eps, heads, required};

/// Sizes and settings of one LFM3 checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Lfm3Config {
    /// V, ids.
    pub n_vocab: usize,
    /// D, model width.
    pub width: usize,
    /// F, feed-forward width.
    pub ff_width: usize,
    /// H, K and A.
    pub heads: Heads,
    /// The mixer of each layer.
    pub layers: Vec<Mixer>,
    /// Positions that a layer with a window sees at most, its own among them.
    pub window: u32,
    /// Taps of the short convolution.
    pub n_taps: usize,
    /// Whether the convolution and its projections have biases.
    pub conv_bias: bool,
    /// Whether what operators and feed-forward blocks give is normalised before it is added.
    pub sandwich_norm: bool,
    /// Whether each head of an attention passes a gate.
    pub attention_gate: bool,
    /// ε of every norm.
    pub eps: f32,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// How heads are turned by position in each kind of layer that has heads.
    pub ropes: Vec<(Mixer, Rope)>,
}

impl Lfm3Config {
    /// Reads config.json. What it leaves out is as in transformers' `Lfm3Config`, but sizes must be told.
    ///
    /// # Errors
    /// Settings that are missing or unsupported.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let config = checkpoint.config()?;
        refuse_unsupported(config)?;
        let count = |key: &str| required(config.usize(&[key])?, &[key]);
        let flag = |key: &str| Ok::<_, ModelError>(config.bool(&[key])?.unwrap_or(true));
        // Without these transformers has those of the 1.7B, which no other size can mean.
        for key in ["num_key_value_heads", "head_dim"] {
            count(key)?;
        }
        let width = count("hidden_size")?;
        let heads = heads(config, width, &["num_attention_heads"])?;
        let layers = layers(config)?;
        let max_context = config.usize(&["max_position_embeddings"])?.unwrap_or(128_000);
        let found = Self {
            n_vocab: count("vocab_size")?,
            width,
            ff_width: count("intermediate_size")?,
            heads,
            window: window(config, &layers)?,
            n_taps: config.usize(&["conv_L_cache"])?.unwrap_or(7),
            conv_bias: config.bool(&["conv_bias"])?.unwrap_or(false),
            sandwich_norm: flag("use_sandwich_norm")?,
            attention_gate: flag("use_attention_gate")?,
            eps: eps(config, &["norm_eps", "rms_norm_eps"], 1e-5)?,
            tied: flag("tie_word_embeddings")?,
            max_context,
            ropes: rotary::read(config, &layers, (heads.head_size, max_context))?,
            layers,
        };
        found.check_ranges()?;
        Ok(found)
    }

    fn check_ranges(&self) -> Result<(), ModelError> {
        at_least("vocab_size", self.n_vocab, 1)?;
        at_least("hidden_size", self.width, 1)?;
        at_least("intermediate_size", self.ff_width, 1)?;
        at_least("num_hidden_layers", self.layers.len(), 1)?;
        at_least("conv_L_cache", self.n_taps, 2)?;
        at_least("max_position_embeddings", self.max_context, 1)
    }

    pub(super) fn convolution(&self) -> ConvolutionSizes {
        ConvolutionSizes { width: self.width, n_taps: self.n_taps, bias: self.conv_bias }
    }

    /// The windows of the layers that attend, in their order.
    pub(super) fn windows(&self) -> Vec<Option<u32>> {
        let window = |mixer: &Mixer| match mixer {
            Mixer::Conv => None,
            Mixer::Sliding => Some(Some(self.window)),
            Mixer::Full => Some(None),
        };
        self.layers.iter().filter_map(window).collect()
    }
}

/// Settings that would change the maths.
fn refuse_unsupported(config: &Config) -> Result<(), ModelError> {
    if config.bool(&["attention_bias"])? == Some(true) {
        return Err(unsupported("attention_bias", "true", "only false"));
    }
    if let Some(found) = config.str(&["hidden_act"])?.filter(|act| !matches!(*act, "silu" | "swish")) {
        return Err(unsupported("hidden_act", found, "silu"));
    }
    Ok(())
}

/// By `layer_types`, or as the 1.7B has them.
fn layers(config: &Config) -> Result<Vec<Mixer>, ModelError> {
    let n_layers = required(config.usize(&["num_hidden_layers"])?, &["num_hidden_layers"])?;
    let layers = match config.list_str(&["layer_types"])? {
        Some(types) => types.iter().map(|name| mixer(name)).collect::<Result<Vec<_>, _>>()?,
        None => (0..n_layers).map(usual).collect(),
    };
    if layers.len() != n_layers {
        let found = counted(layers.len() as u64, "entry");
        let expected = format!("one for each of num_hidden_layers ({n_layers})");
        return Err(unsupported("layer_types", &found, &expected));
    }
    if layers.iter().all(|mixer| *mixer == Mixer::Conv) {
        return Err(unsupported("layer_types", "conv alone", "at least one layer of attention"));
    }
    Ok(layers)
}

fn mixer(name: &str) -> Result<Mixer, ModelError> {
    match name {
        "conv" => Ok(Mixer::Conv),
        "sliding_attention" => Ok(Mixer::Sliding),
        "full_attention" => Ok(Mixer::Full),
        other => Err(unsupported("layer_types", other, "conv, sliding_attention and full_attention")),
    }
}

fn usual(i: usize) -> Mixer {
    match i % 4 {
        2 => Mixer::Full,
        0 if i > 0 => Mixer::Sliding,
        _ => Mixer::Conv,
    }
}

/// Positions of a window, which matter where a layer has one.
fn window(config: &Config, layers: &[Mixer]) -> Result<u32, ModelError> {
    const KEY: &str = "sliding_window";
    let window = match config.usize(&[KEY])? {
        None if config.map().contains_key(KEY) && layers.contains(&Mixer::Sliding) => {
            return Err(unsupported(KEY, "null", "a number above 0"));
        }
        window => window.unwrap_or(256),
    };
    at_least(KEY, window, 1)?;
    Ok(u32::try_from(window).unwrap_or(u32::MAX - 1))
}
