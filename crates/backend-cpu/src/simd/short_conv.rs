//! The gated short convolution: project, then gate and convolve 16 channels at a time.

use std::ops::Range;

use hala_plan::ops::short_conv::Params;

use super::isa::{Isa, Work};
use super::{Machine, Scratch, matmul};
use crate::ops::short_conv::projection;
use crate::shared::Shared;
use crate::weight::Stored;

/// Channels that are computed together.
const N_CHANNELS: usize = 16;

/// Taps that are kept side by side; those of a longer filter are gathered each time. LFM2 has 3.
const MAX_TAPS: usize = 4;

/// Channels × tokens that are worth another thread.
const MIN_SHARE: usize = 16 << 10;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, D]`
    pub(crate) x: &'a [f32],
    /// `[D]`
    pub(crate) norm: Option<&'a [f32]>,
    /// `[3D, D]`
    pub(crate) in_proj: &'a Stored,
    /// `[D, n_taps]`
    pub(crate) taps: &'a [f32],
    /// `[3D]` and `[D]`
    pub(crate) bias: Option<(&'a [f32], &'a [f32])>,
}

/// What is written: the carried inputs `[n_taps − 1, D]`, `[B, C, X]` as `[T, 3D]`, and `[T, D]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    pub(crate) state: &'a mut [f32],
    pub(crate) projected: &'a mut [f32],
    pub(crate) y: &'a mut [f32],
}

/// Projects all tokens, then convolves.
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
) {
    let Outputs { state, projected, y } = outputs;
    let product = matmul::Inputs {
        x: inputs.x,
        norm: inputs.norm,
        weights: [Some(inputs.in_proj), None, None],
        bias: inputs.bias.map(|(in_proj, _)| in_proj),
    };
    matmul::run(machine, scratch, &projection(params), product, projected);
    let width = params.width as usize;
    let n_blocks = width.div_ceil(N_CHANNELS);
    let n_tokens = y.len() / width;
    let piece = (MIN_SHARE / (N_CHANNELS * n_tokens.max(1))).max(1);
    let convolution = Convolution {
        width,
        n_taps: params.n_taps as usize,
        n_tokens,
        taps: inputs.taps,
        bias: inputs.bias.map(|(_, conv)| conv),
        projected,
        state: Shared::new(state),
        y: Shared::new(y),
    };
    machine.pool.share(&mut scratch.locals, n_blocks, piece, |_, blocks| {
        machine.level.run(Blocks { convolution: &convolution, blocks });
    });
}

/// The convolution of all tokens, shared out by channels.
struct Convolution<'a> {
    width: usize,
    n_taps: usize,
    n_tokens: usize,
    taps: &'a [f32],
    bias: Option<&'a [f32]>,
    projected: &'a [f32],
    state: Shared<'a, f32>,
    y: Shared<'a, f32>,
}

/// Some blocks of channels.
struct Blocks<'a> {
    convolution: &'a Convolution<'a>,
    blocks: Range<usize>,
}

impl Work for Blocks<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        self.blocks.for_each(|block| self.convolution.block(block * N_CHANNELS));
    }
}

impl Convolution<'_> {
    #[inline(always)]
    fn block(&self, first: usize) {
        if first + N_CHANNELS <= self.width {
            self.lanes::<N_CHANNELS>(first);
        } else {
            (first..self.width).for_each(|channel| self.lanes::<1>(channel));
        }
    }

    /// `W` channels.
    #[inline(always)]
    fn lanes<const W: usize>(&self, first: usize) {
        let n_kept = self.n_taps - 1;
        let gather = |k: usize| std::array::from_fn(|i| self.taps[(first + i) * self.n_taps + k]);
        let near: [[f32; W]; MAX_TAPS] =
            std::array::from_fn(|k| if k < self.n_taps { gather(k) } else { [0.0; W] });
        let bias: [f32; W] = std::array::from_fn(|i| self.bias.map_or(0.0, |bias| bias[first + i]));
        for t in 0..self.n_tokens {
            let mut sums = bias;
            for k in 0..self.n_taps {
                let taps = near.get(k).copied().unwrap_or_else(|| gather(k));
                let u = self.u::<W>(first, t + k);
                sums.iter_mut().zip(u).zip(taps).for_each(|((sum, u), tap)| *sum += u * tap);
            }
            let c = &self.projected[(3 * t + 1) * self.width + first..][..W];
            // SAFETY: the channels of a block belong to one thread.
            let y = unsafe { self.y.part(t * self.width + first..t * self.width + first + W) };
            y.iter_mut().zip(sums).zip(c).for_each(|((y, sum), c)| *y = c * sum);
        }
        for k in 0..n_kept {
            let u = self.u::<W>(first, self.n_tokens + k);
            // SAFETY: as above.
            let kept = unsafe { self.state.part(k * self.width + first..k * self.width + first + W) };
            kept.copy_from_slice(&u);
        }
    }

    /// The input of the convolution `n_taps − 1` tokens before the `i`-th.
    #[inline(always)]
    fn u<const W: usize>(&self, first: usize, i: usize) -> [f32; W] {
        match i.checked_sub(self.n_taps - 1) {
            None => {
                // SAFETY: the channels of a block belong to one thread, which holds no other part here.
                let kept = unsafe { self.state.part(i * self.width + first..i * self.width + first + W) };
                std::array::from_fn(|lane| kept[lane])
            }
            Some(t) => {
                let b = &self.projected[3 * t * self.width + first..][..W];
                let x = &self.projected[(3 * t + 2) * self.width + first..][..W];
                std::array::from_fn(|lane| b[lane] * x[lane])
            }
        }
    }
}
