//! Gemma 2 (Google), 2B to 27B, of which Hala-9B is made: attention over windows and over everything in turn, four norms a layer.
//!
//! Read from top to bottom in the words of the published checkpoint; every norm is `RMS(x) · (1 + w)`:
//!
//! ```text
//! h = embed_tokens[ids] · √D
//! each layer: h += post_attention_layernorm(o_proj(attention(input_layernorm(h))))
//!             h += post_feedforward_layernorm(down(gelu(gate x) ⊙ up x)), x = pre_feedforward_layernorm(h)
//! logits = softcap(norm(h) · embed_tokensᵀ)
//! ```
//!
//! Source: arXiv 2408.00118, and transformers' `modeling_gemma2`.

use hala_plan::ops::rope_kv::Pairs;
use hala_plan::ops::{gate, softcap};
use hala_plan::{BufferId, Plan, StateId, WeightId};
use hala_tensor::DType;
use hala_weights::{Checkpoint, Config};

use crate::blocks::{Attention, Norm, Pass};
use crate::decoder::{Decoder, Defaults, EMBED_TOKENS, Matrices};
use crate::error::{ModelError, unsupported};
use crate::model::{Model, Parts, PlanShape};
use crate::options::Options;
use crate::rope::Rope;
use crate::settings;
use crate::specs::Specs;

/// Sizes and settings of one Gemma 2 checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Gemma2Config {
    /// What decoders have in common.
    pub decoder: Decoder,
    /// Factor of the embedding, √D: rounded to bf16 or f16 where the model is computed so, as transformers does.
    pub embed_scale: f32,
    /// Factor of the scores, `query_pre_attn_scalar^-½`.
    pub attention_scale: f32,
    /// Bound of the scores.
    pub attention_softcap: Option<f32>,
    /// Bound of the logits.
    pub final_softcap: Option<f32>,
}

/// A Gemma 2 model: its config, weights and states.
#[derive(Debug)]
pub struct Gemma2 {
    config: Gemma2Config,
    parts: Parts,
    names: Names,
}

/// What stands for settings that config.json leaves out.
const DEFAULTS: Defaults =
    Defaults { eps: ("rms_norm_eps", 1e-6), full_every: 2, turned: &["sliding_attention", "full_attention"] };

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
    post_attention_layernorm: WeightId,
    pre_feedforward_layernorm: WeightId,
    post_feedforward_layernorm: WeightId,
    matrices: Matrices,
}

impl Gemma2Config {
    /// Reads config.json.
    ///
    /// # Errors
    /// Settings that are missing or unsupported.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let config = checkpoint.config()?;
        // Files have the activation under its old name, its new one, or both.
        for key in ["hidden_activation", "hidden_act"] {
            if let Some(found) = config.str(&[key])?.filter(|act| *act != "gelu_pytorch_tanh") {
                return Err(unsupported(key, found, "gelu_pytorch_tanh"));
            }
        }
        if config.bool(&["use_bidirectional_attention"])? == Some(true) {
            return Err(unsupported("use_bidirectional_attention", "true", "only false"));
        }
        let decoder = Decoder::read(checkpoint, DEFAULTS)?;
        let scalar = config.f64(&["query_pre_attn_scalar"])?.unwrap_or(256.0);
        if !(scalar.is_finite() && scalar > 0.0) {
            return Err(unsupported("query_pre_attn_scalar", &scalar.to_string(), "a number above 0"));
        }
        Ok(Self {
            embed_scale: embed_scale(decoder.width, computed_in(checkpoint)?),
            decoder,
            attention_scale: scalar.powf(-0.5) as f32,
            attention_softcap: cap(config, "attn_logit_softcapping", 50.0)?,
            final_softcap: cap(config, "final_logit_softcapping", 30.0)?,
        })
    }
}

/// The type that transformers computes the model in: config.json's, or else that in which the embedding is stored.
fn computed_in(checkpoint: &Checkpoint) -> Result<DType, ModelError> {
    Ok(match checkpoint.config()?.str(&["dtype", "torch_dtype"])? {
        Some("float32") => DType::F32,
        Some("float16") => DType::F16,
        Some("bfloat16") => DType::BF16,
        _ => checkpoint.stored_dtype(EMBED_TOKENS)?,
    })
}

/// √D in the type that the embedding is computed in.
fn embed_scale(width: usize, computed_in: DType) -> f32 {
    let scale = (width as f64).sqrt() as f32;
    match computed_in {
        DType::F32 => scale,
        DType::F16 => half::f16::from_f32(scale).to_f32(),
        _ => half::bf16::from_f32(scale).to_f32(),
    }
}

/// A bound: null is none, and a file without the key has the published one.
fn cap(config: &Config, key: &str, default: f64) -> Result<Option<f32>, ModelError> {
    let found = match config.f64(&[key])? {
        None if config.map().contains_key(key) => return Ok(None),
        found => found.unwrap_or(default),
    };
    if found.is_finite() && found > 0.0 {
        return Ok(Some(found as f32));
    }
    Err(unsupported(key, &found.to_string(), "null or a number above 0"))
}

impl Gemma2 {
    /// config.json's `model_type`.
    pub const FAMILY: &'static str = "gemma2";

    /// Reads the config and checks every tensor's name and shape.
    ///
    /// # Errors
    /// Settings or tensors that are missing, unsupported or contradictory, or a context longer than the model's.
    pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Self, ModelError> {
        let config = Gemma2Config::read(checkpoint)?;
        let decoder = &config.decoder;
        let context = settings::context(options, decoder.max_context, &decoder.rope)?;
        let mut specs = Specs::default();
        let [embed_tokens, lm_head] = decoder.vocabulary(&mut specs);
        let norm = rms(&mut specs, "model.norm.weight".to_owned(), config.decoder.width);
        let rope = specs.rope("rope", Rope { n_positions: context, ..decoder.rope.clone() });
        let layers = (0..decoder.windows.len()).map(|i| layer(&config, i, rope, &mut specs)).collect();
        let parts = decoder.parts(specs, checkpoint, Self::FAMILY, options)?;
        let names = Names { embed_tokens, norm, lm_head, layers };
        Ok(Self { config, parts, names })
    }

    /// The settings read from config.json.
    pub fn config(&self) -> &Gemma2Config {
        &self.config
    }

    /// `h + post_attention(o_proj(attention(…)))`, and that `+ post_feedforward(mlp(…))`.
    fn record_layer(&self, pass: &mut Pass<'_>, i: usize, h: BufferId) -> Result<BufferId, ModelError> {
        let (layer, eps) = (&self.names.layers[i], self.config.decoder.eps);
        let label = |part: &str| format!("layers.{i}.{part}");
        let norm = |pass: &mut Pass<'_>, part: &str, x: BufferId, weight: WeightId| {
            pass.norm(&label(part), x, Norm::rms(weight, eps))
        };
        let n = norm(pass, "input_layernorm", h, layer.input_layernorm)?;
        let y = pass.attend(i, &layer.attention, n)?;
        let x = pass.project(&label("o"), y, layer.matrices.o_proj, None)?;
        let x = norm(pass, "post_attention_layernorm", x, layer.post_attention_layernorm)?;
        let h = pass.add(&label("after_attention"), h, x)?;

        let n = norm(pass, "pre_feedforward_layernorm", h, layer.pre_feedforward_layernorm)?;
        let y = pass.gate(&label("gated"), n, layer.matrices.gated, gate::Activation::GeluTanh)?;
        let x = pass.project(&label("down"), y, layer.matrices.down_proj, None)?;
        let x = norm(pass, "post_feedforward_layernorm", x, layer.post_feedforward_layernorm)?;
        pass.add(&label("after_feed_forward"), h, x)
    }
}

impl Model for Gemma2 {
    fn parts(&self) -> &Parts {
        &self.parts
    }

    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
        let mut pass = Pass::new(shape, &self.parts, dtypes);
        let mut h = pass.embed(self.names.embed_tokens, self.config.embed_scale)?;
        for i in 0..self.names.layers.len() {
            h = self.record_layer(&mut pass, i, h)?;
        }
        let h = pass.wanted(h)?;
        let n = pass.norm("norm", h, Norm::rms(self.names.norm, self.config.decoder.eps))?;
        let logits = pass.head(n, self.names.lm_head)?;
        if let Some(cap) = self.config.final_softcap {
            pass.recorder.add(softcap::Args { x: logits, cap })?;
        }
        pass.finish(logits)
    }
}

/// The weights of a norm, of which the checkpoint holds what they are beyond 1.
fn rms(specs: &mut Specs, name: String, width: usize) -> WeightId {
    specs.affine(name, width, "hidden_size", [1.0, 1.0])
}

fn layer(config: &Gemma2Config, i: usize, rope: WeightId, specs: &mut Specs) -> Layer {
    let Decoder { width, heads, ref windows, .. } = config.decoder;
    let matrices = config.decoder.matrices(i, specs);
    let mut norm = |part: &str| rms(specs, format!("model.layers.{i}.{part}.weight"), width);
    Layer {
        input_layernorm: norm("input_layernorm"),
        attention: Attention {
            heads,
            projections: matrices.qkv,
            norms: None,
            turn: Some((rope, Pairs::Halves)),
            cache: StateId(2 * i as u32),
            scale: config.attention_scale,
            softcap: config.attention_softcap,
            window: windows[i],
        },
        post_attention_layernorm: norm("post_attention_layernorm"),
        pre_feedforward_layernorm: norm("pre_feedforward_layernorm"),
        post_feedforward_layernorm: norm("post_feedforward_layernorm"),
        matrices,
    }
}
