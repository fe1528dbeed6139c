//! `attention`: one call for prompts; else one for short caches, and two for long ones: parts, and their merge.

use hala_plan::ops::attention::{Args, Params};
use hala_plan::{Axis, BackendError, Kernel, Step};
use wgpu::Buffer;

use super::{Asked, Context, Kernels};
use crate::choose::cache_name;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::{kernel, number};
use crate::padding::stride;
use crate::placement::Placement;
use crate::spread::{Short, Spread};

/// The largest head that kernels hold.
const MAX_HEAD: u32 = hala_shaders::constant("attention.simple.f32", "MAX_HEAD");

/// Positions of a part of a long cache.
const PART: u32 = hala_shaders::constant("attention.merge", "PART");

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        if self.head_size > MAX_HEAD || !self.head_size.is_multiple_of(2) {
            return Err(context.buffers.misplaced(args.q));
        }
        let cache = cache_name(context.buffers.plan.buffer(args.keys).dtype);
        let row = stride(context.buffers.n_columns(args.q)) as u32;
        let n_sharing = self.n_heads / self.n_kv_heads;
        let simple = Call {
            kernel: kernel(&format!("attention.simple.{cache}"))?,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement { x_quads: row / 4, y_stride: row, ..Placement::default() },
            buffers: vec![whole("q", context.buffers.get(args.q)?), whole("y", context.buffers.get(args.y)?)],
            states: vec![context.buffers.state(args.keys)?, context.buffers.state(args.values)?],
            n_groups: self.n_heads,
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        };
        match Spread::of(context.gpu.abilities.preset, context.n_tokens(), self) {
            Spread::Simple => Ok(vec![simple]),
            Spread::Tiles => {
                let kernel = kernel(&format!("attention.tiles.{cache}"))?;
                let tokens = Tokens::Tiles { n_rows: number(kernel, "ROWS")?, n_sharing };
                Ok(vec![Call { kernel, n_groups: self.n_kv_heads, tokens, ..simple }])
            }
            Spread::Token { name, short } => {
                let kernel = kernel(&format!("attention.token.{cache}.{name}"))?;
                let n_groups = self.n_kv_heads * n_sharing.div_ceil(number(kernel, "HEADS")?);
                let token = Call { kernel, n_groups, ..simple.clone() };
                let first = if short == Short::Simple { simple } else { token.clone() };
                let mut calls = vec![Call { tokens: Tokens::Short(short.n_seen()), ..first }];
                if self.n_positions > short.n_seen() {
                    let parts = step.outputs.get(1).ok_or_else(|| context.buffers.misplaced(args.y))?;
                    let parts = context.buffers.get(*parts)?;
                    calls.extend(split(token, parts, [self.n_heads, short.n_seen()])?);
                }
                Ok(calls)
            }
        }
    }

    fn kernel(&self, asked: &Asked<'_>) -> Option<Kernel> {
        let room = match Spread::of(asked.preset(), asked.n_tokens(), self) {
            Spread::Token { short, .. } if self.n_positions > short.n_seen() => {
                // Elements of a head, its largest score, the sum of its shares, padding.
                let n_part = self.head_size as usize + 4;
                let n_parts = self.n_heads as usize * self.n_positions.div_ceil(PART) as usize;
                stride(n_parts * n_part)
            }
            Spread::Token { .. } | Spread::Simple | Spread::Tiles => 0,
        };
        Some(Kernel { room })
    }
}

/// The calls of tokens of which one sees more than so many positions: the parts into their room, and their merge.
fn split(token: Call, parts: Buffer, [n_heads, n_short]: [u32; 2]) -> Result<[Call; 2], BackendError> {
    let of_parts = kernel(&format!("{}.split", token.kernel.name))?;
    let mut split = Call { kernel: of_parts, tokens: Tokens::Parts { n_positions: PART, n_short }, ..token };
    split.buffers.push(whole("parts", parts));
    let kernel = kernel("attention.merge")?;
    let merge = Call { kernel, n_groups: n_heads, tokens: Tokens::Long(n_short), ..split.clone() };
    Ok([split, merge])
}
