//! LFM3's forward pass, recorded.

use hala_plan::ops::gate;
use hala_plan::{BufferId, Plan, WeightId};

use crate::blocks::{Norm, Pass};
use crate::error::ModelError;
use crate::lfm3::config::Lfm3Config;
use crate::lfm3::names::{Attending, Layer, Names, Operator};

/// Records the whole forward pass.
pub(super) fn record(mut pass: Pass<'_>, config: &Lfm3Config, names: &Names) -> Result<Plan, ModelError> {
    let mut h = pass.embed(names.embed_tokens, 1.0)?;
    for (i, layer) in names.layers.iter().enumerate() {
        h = record_layer(&mut pass, config.eps, (i, layer), h)?;
    }
    let h = pass.wanted(h)?;
    let n = pass.norm("embedding_norm", h, Norm::rms(names.embedding_norm, config.eps))?;
    let logits = pass.head(n, names.lm_head)?;
    pass.finish(logits)
}

/// `h + post_operator_norm(operator(operator_norm(h)))`, and that `+ post_ffn_norm(feed_forward(ffn_norm(h)))`.
fn record_layer(
    pass: &mut Pass<'_>,
    eps: f32,
    (i, layer): (usize, &Layer),
    h: BufferId,
) -> Result<BufferId, ModelError> {
    let label = |part: &str| format!("layers.{i}.{part}");
    let sandwich = |pass: &mut Pass<'_>, part: &str, x: BufferId, weight: Option<WeightId>| match weight {
        Some(weight) => pass.norm(&label(part), x, Norm::rms(weight, eps)),
        None => Ok(x),
    };
    let n = pass.norm(&label("operator_norm"), h, Norm::rms(layer.operator_norm, eps))?;
    let y = match &layer.operator {
        Operator::Conv(conv) => pass.convolve(i, conv, n)?,
        Operator::Attention(layer) => record_attention(pass, (i, layer), n)?,
    };
    let y = sandwich(pass, "post_operator_norm", y, layer.post_operator_norm)?;
    let h = pass.add(&label("after_operator"), h, y)?;
    let n = pass.norm(&label("ffn_norm"), h, Norm::rms(layer.ffn_norm, eps))?;
    let y = pass.gate(&label("gated"), n, [layer.w1, layer.w3], gate::Activation::Silu)?;
    let y = pass.project(&label("w2"), y, layer.w2, None)?;
    let y = sandwich(pass, "post_ffn_norm", y, layer.post_ffn_norm)?;
    pass.add(&label("after_feed_forward"), h, y)
}

/// `o_proj(sigmoid(gate_proj(x)) ⊙ attention(x))`, a gate for each head.
fn record_attention(
    pass: &mut Pass<'_>,
    (i, layer): (usize, &Attending),
    x: BufferId,
) -> Result<BufferId, ModelError> {
    let label = |part: &str| format!("layers.{i}.{part}");
    let mut y = pass.attend(i, &layer.attention, x)?;
    if let Some(gate_proj) = layer.gate_proj {
        let a = pass.project(&label("gates"), x, gate_proj, None)?;
        let gated = pass.scratch(&label("gated_heads"), pass.recorder.shape(y).n_columns());
        pass.recorder.add(gate::Args { a, b: y, activation: gate::Activation::Sigmoid, y: gated })?;
        y = gated;
    }
    pass.project(&label("o_proj"), y, layer.o_proj, None)
}
