//! The gated convolution, 16 channels at a time.

use std::ops::Range;

use hala_plan::Span;
use hala_plan::ops::convolve::Params;

use super::isa::{Isa, Work};
use super::{Machine, Scratch};
use crate::ops::convolve::Outputs;
use crate::shared::Shared;

/// Channels that are computed together.
const N_CHANNELS: usize = 16;

/// Taps that are kept side by side; those of a longer filter are gathered each time. LFM2 has 3, LFM3 7.
const MAX_TAPS: usize = 8;

/// Channels × rows that are worth another thread.
const MIN_SHARE: usize = 16 << 10;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, 3D]`
    pub(crate) projected: &'a [f32],
    /// `[D, n_taps]`
    pub(crate) taps: &'a [f32],
    /// `[D]`
    pub(crate) bias: Option<&'a [f32]>,
    /// Whose rows they are.
    pub(crate) spans: &'a [Span<'a>],
}

/// Convolves each sequence's rows.
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
) {
    let Outputs { slots, y } = outputs;
    let width = params.width as usize;
    let n_blocks = width.div_ceil(N_CHANNELS);
    let n_rows = y.len() / width;
    let piece = (MIN_SHARE / (N_CHANNELS * n_rows.max(1))).max(1);
    let convolution = Convolution {
        width,
        n_taps: params.n_taps as usize,
        taps: inputs.taps,
        bias: inputs.bias,
        projected: inputs.projected,
        spans: inputs.spans,
        slots: Shared::new(slots),
        y: Shared::new(y),
    };
    machine.pool.share(&mut scratch.locals, n_blocks, piece, |_, blocks| {
        machine.level.run(Blocks { convolution: &convolution, blocks });
    });
}

/// The convolution of all rows, shared out by channels.
struct Convolution<'a> {
    width: usize,
    n_taps: usize,
    taps: &'a [f32],
    bias: Option<&'a [f32]>,
    projected: &'a [f32],
    spans: &'a [Span<'a>],
    slots: Shared<'a, f32>,
    y: Shared<'a, f32>,
}

/// The rows of one sequence.
#[derive(Clone, Copy)]
struct Part {
    /// Of the run's rows.
    first_row: usize,
    n_rows: usize,
    /// Where its slot begins.
    slot: usize,
}

/// Some blocks of channels.
struct Blocks<'a> {
    convolution: &'a Convolution<'a>,
    blocks: Range<usize>,
}

impl Work for Blocks<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        for block in self.blocks {
            self.convolution.block(block * N_CHANNELS);
        }
    }
}

impl Convolution<'_> {
    #[inline(always)]
    fn block(&self, first: usize) {
        if first + N_CHANNELS <= self.width {
            self.lanes::<N_CHANNELS>(first);
        } else {
            for channel in first..self.width {
                self.lanes::<1>(channel);
            }
        }
    }

    /// `W` channels of all rows.
    #[inline(always)]
    fn lanes<const W: usize>(&self, first: usize) {
        let gather = |k: usize| std::array::from_fn(|i| self.taps[(first + i) * self.n_taps + k]);
        let near: [[f32; W]; MAX_TAPS] =
            std::array::from_fn(|k| if k < self.n_taps { gather(k) } else { [0.0; W] });
        let bias: [f32; W] = std::array::from_fn(|i| self.bias.map_or(0.0, |bias| bias[first + i]));
        let mut first_row = 0;
        for span in self.spans {
            let slot = span.slot as usize * (self.n_taps - 1) * self.width;
            let part = Part { first_row, n_rows: span.n_rows, slot };
            first_row += span.n_rows;
            for t in 0..part.n_rows {
                let mut sums = bias;
                for k in 0..self.n_taps {
                    let taps = near.get(k).copied().unwrap_or_else(|| gather(k));
                    let u = self.u::<W>(part, first, t + k);
                    for ((sum, u), tap) in sums.iter_mut().zip(u).zip(taps) {
                        *sum += u * tap;
                    }
                }
                let row = part.first_row + t;
                let c = &self.projected[(3 * row + 1) * self.width + first..][..W];
                // SAFETY: the channels of a block belong to one thread.
                let y = unsafe { self.y.part(row * self.width + first..row * self.width + first + W) };
                for ((y, sum), c) in y.iter_mut().zip(sums).zip(c) {
                    *y = c * sum;
                }
            }
            for k in 0..self.n_taps - 1 {
                let u = self.u::<W>(part, first, part.n_rows + k);
                let start = part.slot + k * self.width + first;
                // SAFETY: as above; no two sequences of a run share a slot, which is checked before.
                let kept = unsafe { self.slots.part(start..start + W) };
                kept.copy_from_slice(&u);
            }
        }
    }

    /// The input of the convolution `n_taps − 1` rows before the `i`-th of a sequence's.
    #[inline(always)]
    fn u<const W: usize>(&self, part: Part, first: usize, i: usize) -> [f32; W] {
        // Loops, not closures: what is not inlined is not compiled for the instruction set.
        let mut u = [0.0; W];
        match i.checked_sub(self.n_taps - 1) {
            None => {
                let start = part.slot + i * self.width + first;
                // SAFETY: the channels of a block belong to one thread, which holds no other part here.
                u.copy_from_slice(unsafe { self.slots.part(start..start + W) });
            }
            Some(t) => {
                let row = part.first_row + t;
                let b = &self.projected[3 * row * self.width + first..][..W];
                let x = &self.projected[(3 * row + 2) * self.width + first..][..W];
                for ((u, b), x) in u.iter_mut().zip(b).zip(x) {
                    *u = b * x;
                }
            }
        }
        u
    }
}
