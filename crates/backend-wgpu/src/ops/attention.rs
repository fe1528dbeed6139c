//! `attention`: one call for prompts; else one for short caches, and two for long ones: parts, and their merge.

use hala_plan::ops::attention::{Args, Params};
use hala_plan::{Axis, BackendError, Step};
use wgpu::{Buffer, BufferUsages};

use super::Context;
use crate::choose::cache_name;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::{kernel, number};
use crate::padding::stride;
use crate::placement::Placement;
use crate::spread::{Short, Spread};

/// The largest head that kernels hold.
const MAX_HEAD: u32 = hala_shaders::constant("attention.simple.f32", "MAX_HEAD");

impl Context<'_> {
    pub(super) fn attention(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        if params.head_size > MAX_HEAD || !params.head_size.is_multiple_of(2) {
            return Err(self.buffers.misplaced(args.q));
        }
        let cache = cache_name(self.buffers.plan.buffer(args.keys).dtype);
        let row = stride(self.buffers.n_columns(args.q)) as u32;
        let n_sharing = params.n_heads / params.n_kv_heads;
        let simple = Call {
            kernel: kernel(&format!("attention.simple.{cache}"))?,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement { x_quads: row / 4, y_stride: row, ..Placement::default() },
            buffers: vec![whole("q", self.buffers.get(args.q)?), whole("y", self.buffers.get(args.y)?)],
            states: vec![self.buffers.state(args.keys)?, self.buffers.state(args.values)?],
            n_groups: params.n_heads,
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        };
        match Spread::of(self.gpu.abilities.preset, self.n_tokens(), params) {
            Spread::Simple => Ok(vec![simple]),
            Spread::Tiles => {
                let kernel = kernel(&format!("attention.tiles.{cache}"))?;
                let tokens = Tokens::Tiles { n_rows: number(kernel, "ROWS")?, n_sharing };
                Ok(vec![Call { kernel, n_groups: params.n_kv_heads, tokens, ..simple }])
            }
            Spread::Token { name, short } => {
                let kernel = kernel(&format!("attention.token.{cache}.{name}"))?;
                let n_groups = params.n_kv_heads * n_sharing.div_ceil(number(kernel, "HEADS")?);
                let token = Call { kernel, n_groups, ..simple.clone() };
                let first = if short == Short::Simple { simple } else { token.clone() };
                let mut calls = vec![Call { tokens: Tokens::Short(short.n_seen()), ..first }];
                if params.n_positions > short.n_seen() {
                    calls.extend(self.split(token, params, short.n_seen())?);
                }
                Ok(calls)
            }
        }
    }

    /// The calls of tokens of which one sees more than so many positions: the parts, and their merge.
    fn split(&self, token: Call, params: &Params, n_short: u32) -> Result<[Call; 2], BackendError> {
        // Elements of a head, its largest score, the sum of its shares, padding.
        let n_part = params.head_size as usize + 4;
        let merge = kernel("attention.merge")?;
        let n_positions = number(merge, "PART")?;
        let n_parts = params.n_heads as usize * params.n_positions.div_ceil(n_positions) as usize;
        let parts = self.parts(4 * n_parts * n_part * self.n_tokens())?;
        let kernel = kernel(&format!("{}.split", token.kernel.name))?;
        let mut split = Call { kernel, tokens: Tokens::Parts { n_positions, n_short }, ..token };
        split.buffers.push(whole("parts", parts));
        let merge =
            Call { kernel: merge, n_groups: params.n_heads, tokens: Tokens::Long(n_short), ..split.clone() };
        Ok([split, merge])
    }

    /// Room for so many bytes of parts.
    fn parts(&self, n_bytes: usize) -> Result<Buffer, BackendError> {
        let mut parts = self.parts.borrow_mut();
        if let Some((held, buffer)) = &*parts
            && *held >= n_bytes
        {
            return Ok(buffer.clone());
        }
        let buffer = self.gpu.buffer("parts", n_bytes, BufferUsages::STORAGE)?;
        *parts = Some((n_bytes, buffer.clone()));
        Ok(buffer)
    }
}
