//! Cohere 2 (Cohere's Command R7B and Command A, the teacher that Hala learnt from): attention and feed-forward beside each other.
//!
//! Read from top to bottom in the words of the published checkpoint; every norm takes the mean away first and has no bias:
//!
//! ```text
//! h = embed_tokens[ids]
//! each layer: n = input_layernorm(h); h += o_proj(attention(n)) + down(silu(gate n) ⊙ up n)
//! logits = norm(h) · embed_tokensᵀ · logit_scale
//! ```
//!
//! Layers of windows turn their heads by position, neighbours together; those that see everything do not turn. Source: Cohere, Command
//! A, arXiv 2504.00698, and transformers' `modeling_cohere2`.

use hala_plan::ops::rope_kv::Pairs;
use hala_plan::ops::{gate, norm};
use hala_plan::{BufferId, Plan, StateId, WeightId};
use hala_tensor::DType;
use hala_weights::{Checkpoint, Config};

use crate::blocks::{Attention, Norm, Pass};
use crate::decoder::{Decoder, Defaults, Matrices};
use crate::error::{ModelError, unsupported};
use crate::model::{Model, Parts, PlanShape};
use crate::options::Options;
use crate::rope::Rope;
use crate::settings;
use crate::specs::Specs;

/// Sizes and settings of one Cohere 2 checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohere2Config {
    /// What decoders have in common.
    pub decoder: Decoder,
    /// Factor of the logits.
    pub logit_scale: f32,
}

/// A Cohere 2 model: its config, weights and states.
#[derive(Debug)]
pub struct Cohere2 {
    config: Cohere2Config,
    parts: Parts,
    names: Names,
}

/// What stands for settings that config.json leaves out.
const DEFAULTS: Defaults =
    Defaults { eps: ("layer_norm_eps", 1e-5), full_every: 4, turned: &["sliding_attention"] };

/// The ids of all weights, by place.
#[derive(Debug)]
struct Names {
    embed_tokens: WeightId,
    norm: WeightId,
    lm_head: WeightId,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    input_layernorm: WeightId,
    attention: Attention,
    matrices: Matrices,
}

impl Cohere2Config {
    /// Reads config.json.
    ///
    /// # Errors
    /// Settings that are missing or unsupported.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let config = checkpoint.config()?;
        refuse_unsupported(config)?;
        let logit_scale = config.f64(&["logit_scale"])?.unwrap_or(0.0625) as f32;
        if !logit_scale.is_finite() {
            return Err(unsupported("logit_scale", &logit_scale.to_string(), "a number"));
        }
        Ok(Self { decoder: Decoder::read(checkpoint, DEFAULTS)?, logit_scale })
    }
}

/// Settings that exist in published files and would change the maths.
fn refuse_unsupported(config: &Config) -> Result<(), ModelError> {
    if let Some(found) = config.str(&["hidden_act"])?.filter(|act| !matches!(*act, "silu" | "swish")) {
        return Err(unsupported("hidden_act", found, "silu"));
    }
    for key in ["use_parallel_block", "use_gated_activation"] {
        if config.bool(&[key])? == Some(false) {
            return Err(unsupported(key, "false", "only true"));
        }
    }
    if config.bool(&["use_qk_norm"])? == Some(true) {
        return Err(unsupported("use_qk_norm", "true", "only false"));
    }
    if let Some(share) = config.f64(&["rotary_pct"])?.filter(|share| *share != 1.0) {
        return Err(unsupported("rotary_pct", &share.to_string(), "1"));
    }
    if let Some(found) = config.str(&["position_embedding_type"])?.filter(|found| *found != "rope_gptj") {
        return Err(unsupported("position_embedding_type", found, "rope_gptj"));
    }
    Ok(())
}

impl Cohere2 {
    /// config.json's `model_type`.
    pub const FAMILY: &'static str = "cohere2";

    /// Reads the config and checks every tensor's name and shape.
    ///
    /// # Errors
    /// Settings or tensors that are missing, unsupported or contradictory, or a context longer than the model's.
    pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Self, ModelError> {
        let config = Cohere2Config::read(checkpoint)?;
        let decoder = &config.decoder;
        let context = settings::context(options, decoder.max_context, &decoder.rope)?;
        let mut specs = Specs::default();
        let [embed_tokens, lm_head] = decoder.vocabulary(&mut specs);
        // Logits are linear in the last norm's weights, so their factor is put there.
        let affine = [config.logit_scale, 0.0];
        let norm = specs.affine("model.norm.weight".to_owned(), config.decoder.width, "hidden_size", affine);
        let rope = specs.rope("rope", Rope { n_positions: context, ..decoder.rope.clone() });
        let layers = (0..decoder.windows.len()).map(|i| layer(&config, i, rope, &mut specs)).collect();
        let parts = decoder.parts(specs, checkpoint, Self::FAMILY, options)?;
        let names = Names { embed_tokens, norm, lm_head, layers };
        Ok(Self { config, parts, names })
    }

    /// The settings read from config.json.
    pub fn config(&self) -> &Cohere2Config {
        &self.config
    }

    fn norm(&self, weight: WeightId) -> Norm {
        Norm { weight, eps: self.config.decoder.eps, kind: norm::Kind::Layer }
    }

    /// `h + o_proj(attention(n)) + down(silu(gate n) ⊙ up n)`, `n = norm(h)`.
    fn record_layer(&self, pass: &mut Pass<'_>, i: usize, h: BufferId) -> Result<BufferId, ModelError> {
        let layer = &self.names.layers[i];
        let label = |part: &str| format!("layers.{i}.{part}");
        let n = pass.norm(&label("normed"), h, self.norm(layer.input_layernorm))?;
        let attended = pass.attend(i, &layer.attention, n)?;
        let y = pass.project(&label("o"), attended, layer.matrices.o_proj, None)?;
        let h = pass.add(&label("after_attention"), h, y)?;
        let y = pass.gate(&label("gated"), n, layer.matrices.gated, gate::Activation::Silu)?;
        let y = pass.project(&label("down"), y, layer.matrices.down_proj, None)?;
        pass.add(&label("after_feed_forward"), h, y)
    }
}

impl Model for Cohere2 {
    fn parts(&self) -> &Parts {
        &self.parts
    }

    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
        let mut pass = Pass::new(shape, &self.parts, dtypes);
        let mut h = pass.embed(self.names.embed_tokens, 1.0)?;
        for i in 0..self.names.layers.len() {
            h = self.record_layer(&mut pass, i, h)?;
        }
        let n = pass.norm("normed", h, self.norm(self.names.norm))?;
        let n = pass.wanted(n)?;
        let logits = pass.head(n, self.names.lm_head)?;
        pass.finish(logits)
    }
}

fn layer(config: &Cohere2Config, i: usize, rope: WeightId, specs: &mut Specs) -> Layer {
    let Decoder { width, heads, ref windows, .. } = config.decoder;
    let matrices = config.decoder.matrices(i, specs);
    let norm = format!("model.layers.{i}.input_layernorm.weight");
    Layer {
        input_layernorm: specs.vector(norm, width, "hidden_size"),
        attention: Attention {
            heads,
            projections: matrices.qkv,
            norms: None,
            turn: windows[i].is_some().then_some((rope, Pairs::Neighbours)),
            cache: StateId(2 * i as u32),
            scale: 1.0 / (heads.head_size as f32).sqrt(),
            softcap: None,
            window: windows[i],
        },
        matrices,
    }
}
