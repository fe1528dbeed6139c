//! LFM2's forward pass, recorded.

use hala_plan::ops::gate;
use hala_plan::{BufferId, Plan};

use crate::blocks::{Norm, Pass};
use crate::error::ModelError;
use crate::lfm2::config::Lfm2Config;
use crate::lfm2::names::{Layer, Names, Operator};

/// Records the whole forward pass.
pub(super) fn record(mut pass: Pass<'_>, config: &Lfm2Config, names: &Names) -> Result<Plan, ModelError> {
    let mut h = pass.embed(names.embed_tokens, 1.0)?;
    for (i, layer) in names.layers.iter().enumerate() {
        h = record_layer(&mut pass, config.eps, (i, layer), h)?;
    }
    let h = pass.wanted(h)?;
    let n = pass.norm("embedding_norm", h, Norm::rms(names.embedding_norm, config.eps))?;
    let logits = pass.head(n, names.lm_head)?;
    pass.finish(logits)
}

/// `h + operator(norm(h))`, and that `+ feed_forward(norm(h))`.
fn record_layer(
    pass: &mut Pass<'_>,
    eps: f32,
    (i, layer): (usize, &Layer),
    h: BufferId,
) -> Result<BufferId, ModelError> {
    let label = |part: &str| format!("layers.{i}.{part}");
    let n = pass.norm(&label("operator_norm"), h, Norm::rms(layer.operator_norm, eps))?;
    let y = match &layer.operator {
        Operator::Conv(conv) => pass.convolve(i, conv, n)?,
        Operator::Attention(layer) => {
            let y = pass.attend(i, &layer.attention, n)?;
            pass.project(&label("out_proj"), y, layer.out_proj, None)?
        }
    };
    let h = pass.add(&label("after_operator"), h, y)?;
    let n = pass.norm(&label("ffn_norm"), h, Norm::rms(layer.ffn_norm, eps))?;
    let y = pass.gate(&label("gated"), n, [layer.w1, layer.w3], gate::Activation::Silu)?;
    let y = pass.project(&label("w2"), y, layer.w2, None)?;
    pass.add(&label("after_feed_forward"), h, y)
}
