//! LFM2's forward pass, recorded.

use hala_plan::ops::{matmul, short_conv, swiglu};
use hala_plan::{BufferId, Plan};

use crate::blocks::Pass;
use crate::error::ModelError;
use crate::lfm2::config::Lfm2Config;
use crate::lfm2::names::{Conv, Layer, Names, Operator};

/// Records the whole forward pass.
pub(super) fn record(mut pass: Pass<'_>, config: &Lfm2Config, names: &Names) -> Result<Plan, ModelError> {
    let h = pass.embed(names.embed_tokens, 1.0)?;
    for (i, layer) in names.layers.iter().enumerate() {
        record_layer(&mut pass, config, (i, layer), h)?;
    }
    let norm = pass.norm(names.embedding_norm, config.eps);
    let logits = pass.head(h, Some(norm), names.lm_head)?;
    pass.finish(logits)
}

/// `h += operator(h); h += feed_forward(h)`
fn record_layer(
    pass: &mut Pass<'_>,
    config: &Lfm2Config,
    (i, layer): (usize, &Layer),
    h: BufferId,
) -> Result<(), ModelError> {
    let norm = pass.norm(layer.operator_norm, config.eps);
    match &layer.operator {
        Operator::Conv(conv) => record_conv(pass, (i, conv), Some(norm), h)?,
        Operator::Attention(layer) => {
            let y = pass.attend(i, &layer.attention, h, Some(norm))?;
            pass.add(y, layer.out_proj, None, h)?;
        }
    }
    let norm = Some(pass.norm(layer.ffn_norm, config.eps));
    let label = format!("layers.{i}.gated");
    let y = pass.gate(&label, (h, norm), [layer.w1, layer.w3], swiglu::Activation::Silu)?;
    pass.add(y, layer.w2, None, h)
}

/// `h += out_proj(short_conv(h))`
fn record_conv(
    pass: &mut Pass<'_>,
    (i, conv): (usize, &Conv),
    norm: Option<matmul::Norm>,
    h: BufferId,
) -> Result<(), ModelError> {
    let width = pass.recorder.shape(h).n_columns();
    let bias = conv
        .bias
        .as_ref()
        .map(|b| short_conv::Bias { in_proj: pass.weight(b.in_proj), conv: pass.weight(b.conv) });
    let (x, norm) = pass.inputs(h, norm, &[conv.in_proj])?;
    let args = short_conv::Args {
        x,
        norm,
        in_proj: pass.weight(conv.in_proj),
        taps: pass.weight(conv.taps),
        bias,
        state: pass.state(conv.state),
        projected: pass.scratch(&format!("layers.{i}.projected"), 3 * width),
        y: pass.scratch(&format!("layers.{i}.convolved"), width),
    };
    pass.recorder.add(args)?;
    pass.add(args.y, conv.out_proj, conv.bias.as_ref().map(|b| b.out_proj), h)
}
