//! The gated short convolution between its projections, which LFM2 and LFM3 have in the same words.

use hala_plan::ops::convolve;
use hala_plan::{BufferId, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape};

use crate::blocks::pass::Pass;
use crate::error::ModelError;
use crate::specs::Specs;

/// One layer's convolution, with both projections.
#[derive(Debug)]
pub(crate) struct Convolution {
    in_proj: WeightId,
    taps: WeightId,
    out_proj: WeightId,
    bias: Option<Bias>,
    state: StateId,
}

#[derive(Debug)]
struct Bias {
    in_proj: WeightId,
    conv: WeightId,
    out_proj: WeightId,
}

/// What config.json says of convolutions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// D
    pub(crate) width: usize,
    pub(crate) n_taps: usize,
    /// Whether the convolution and its projections have biases.
    pub(crate) bias: bool,
}

impl Convolution {
    /// Adds the weights of layer `i`.
    pub(crate) fn add(sizes: Sizes, (i, state): (usize, StateId), specs: &mut Specs) -> Self {
        let name = |part: &str| format!("model.layers.{i}.conv.{part}");
        let d = sizes.width;
        let bias = sizes.bias.then(|| Bias {
            in_proj: specs.vector(name("in_proj.bias"), 3 * d, "conv_bias"),
            conv: specs.vector(name("conv.bias"), d, "conv_bias"),
            out_proj: specs.vector(name("out_proj.bias"), d, "conv_bias"),
        });
        Self {
            in_proj: specs.matrix(name("in_proj.weight"), [3 * d, d], "hidden_size"),
            taps: specs.taps(name("conv.weight"), [d, sizes.n_taps], "hidden_size, conv_L_cache"),
            out_proj: specs.matrix(name("out_proj.weight"), [d, d], "hidden_size"),
            bias,
            state,
        }
    }
}

/// What layer `i` carries from token to token: the last inputs of its convolution.
pub(crate) fn convolution_state(i: usize, sizes: Sizes) -> StateSpec {
    StateSpec {
        label: format!("layers.{i}.conv"),
        shape: Shape::matrix(sizes.n_taps - 1, sizes.width),
        dtype: DType::F32,
        kind: StateKind::Recurrent,
    }
}

impl Pass<'_> {
    /// `out_proj(convolve(in_proj(x)))`
    pub(crate) fn convolve(
        &mut self,
        i: usize,
        conv: &Convolution,
        x: BufferId,
    ) -> Result<BufferId, ModelError> {
        let bias = conv.bias.as_ref();
        let width = self.recorder.shape(x).n_columns();
        let in_bias = bias.map(|b| b.in_proj);
        let projected = self.project(&format!("layers.{i}.projected"), x, conv.in_proj, in_bias)?;
        let args = convolve::Args {
            projected,
            taps: self.weight(conv.taps),
            bias: bias.map(|b| self.weight(b.conv)),
            state: self.state(conv.state),
            y: self.scratch(&format!("layers.{i}.convolved"), width),
        };
        self.recorder.add(args)?;
        self.project(&format!("layers.{i}.out_proj"), args.y, conv.out_proj, bias.map(|b| b.out_proj))
    }
}
