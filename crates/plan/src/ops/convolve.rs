//! LFM2's gated convolution, of what was projected before.
//!
//! `[B, C, X]` are the columns of `projected`; `u = B ⊙ X`; `v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k] + c`, channel by channel and
//! sequence by sequence; `y = C ⊙ v`. The values of `u` before a sequence's first row come from its slot of `state`, which afterwards
//! holds the last `n_taps − 1` of them, oldest first.
//!
//! With the projection before it, it is one step, `short_conv`, where a backend has the kernel. Source: Liquid AI, LFM2, as published in
//! transformers' `Lfm2ShortConv`. Inputs: `projected [T, 3D]`, `taps [D, n_taps]`, slots of `state [n_taps − 1, D]`, then `bias [D]` where
//! present. Outputs: `y [T, D]`, `state`.

use bytemuck::{Pod, Zeroable};
use hala_tensor::counted;

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "convolve";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, channels.
    pub width: u32,
    /// Taps of the convolution, at least 2.
    pub n_taps: u32,
    /// 1 where a bias is added.
    pub bias: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, 3D]`: B, then C, then X.
    pub projected: BufferId,
    /// `[D, n_taps]`, f32, the newest input on the last tap.
    pub taps: BufferId,
    /// `[D]`, f32.
    pub bias: Option<BufferId>,
    /// Slots `[n_taps − 1, D]`, f32.
    pub state: BufferId,
    /// `[T, D]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        let [projected, taps, state] = [0, 1, 2].map(|i| io.inputs[i]);
        Self { projected, taps, bias: io.inputs.get(3).copied(), state, y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or fewer than 2 taps.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { projected, taps, bias, state, y } = self;
        let (width, n_taps) = (declared.shape(y).n_columns(), declared.shape(taps).n_columns());
        expect_taps(NAME, n_taps)?;
        declared.expect_activations(NAME, projected, [declared.n_tokens(), 3 * width])?;
        declared.expect(NAME, taps, &[width, n_taps])?;
        declared.expect(NAME, state, &[n_taps - 1, width])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), width])?;
        let mut inputs = vec![projected, taps, state];
        if let Some(bias) = bias {
            declared.expect(NAME, bias, &[width])?;
            inputs.push(bias);
        }
        let params = Params { width: width as u32, n_taps: n_taps as u32, bias: bias.is_some().into() };
        Ok(Recorded { params, inputs, outputs: vec![y, state] })
    }
}

/// Refuses a convolution that carries nothing.
pub(super) fn expect_taps(op: &'static str, n_taps: usize) -> Result<(), PlanError> {
    if n_taps >= 2 {
        return Ok(());
    }
    let what = format!("{}, and at least 2 are needed", counted(n_taps as u64, "tap"));
    Err(PlanError::Parameter { op, what })
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.width.to_string(), ..Work::default() }
    }
}
