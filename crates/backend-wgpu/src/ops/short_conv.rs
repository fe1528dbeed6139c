//! `short_conv`: one call for one token without biases, else a product and a call that goes along the tokens of each span.
//!
//! A Plan for more tokens has the product apart even where each is another sequence's: it may be given several of one, and its kernels
//! read the matrix once for them all.

use hala_plan::ops::matmul;
use hala_plan::ops::short_conv::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::Context;
use super::matmul::Product;
use crate::choose::{Question, weight_name};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

/// Taps that the fused kernels are made for.
const FUSED_TAPS: u32 = hala_shaders::constant("short_conv.f32.lanes", "FUSED_TAPS");

impl Context<'_> {
    pub(super) fn short_conv(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        let in_proj = self.buffers.weight(args.in_proj)?;
        match &in_proj.parts[..] {
            [part] if self.is_fused(&args, params) => {
                let (n_in, n_out) = (params.width as usize, 3 * params.width as usize);
                let (op, dtype) = ("short_conv".to_owned(), in_proj.dtype);
                let layout = self.layout(Question { op, dtype, n_tokens: 1, n_in, n_out });
                let dtype = weight_name(in_proj.dtype).ok_or_else(|| self.buffers.misplaced(args.in_proj))?;
                let mut call = self.convolve(&args, params)?;
                call.kernel = kernel(&format!("short_conv.{dtype}.{}", layout.name()))?;
                call.placement = Placement {
                    row_blocks: in_proj.row_blocks as u32,
                    scales: [part.scales as u32, 0, 0],
                    row_scales: in_proj.row_scales as u32,
                    scale_shift: in_proj.scale_shift,
                    x_quads: (stride(params.width as usize) / 4) as u32,
                    ..call.placement
                };
                call.buffers.push(whole("w0", part.buffer.clone()));
                call.n_groups = layout.n_groups(call.kernel, &[params.width])?;
                self.windowed(call, layout, args.x, args.norm)
            }
            _ => self.projected(&args, params),
        }
    }

    /// Whether the kernels that project and convolve at once are made for it.
    fn is_fused(&self, args: &Args, params: &Params) -> bool {
        let is_plain = args.bias.is_none() && args.norm.is_some();
        self.n_tokens() == 1 && is_plain && params.n_taps == FUSED_TAPS
    }

    /// The projection into its buffer, then the convolution.
    fn projected(&self, args: &Args, params: &Params) -> Result<Vec<Call>, BackendError> {
        let n_out = 3 * params.width;
        let product = matmul::Params {
            n_in: params.width,
            n_out: [n_out, 0, 0],
            norm: params.norm,
            eps: params.eps,
            bias: params.bias,
            add: 0,
        };
        let mut calls = self.product(&Product {
            params: product,
            x: args.x,
            norm: args.norm,
            weights: &[args.in_proj],
            bias: args.bias.map(|b| b.in_proj),
            y: self.buffers.get(args.projected)?,
            n_columns: n_out as usize,
        })?;
        calls.push(self.convolve(args, params)?);
        Ok(calls)
    }

    fn convolve(&self, args: &Args, params: &Params) -> Result<Call, BackendError> {
        let mut buffers = vec![
            whole("taps", self.buffers.get(args.taps)?),
            whole("y", self.buffers.get(args.y)?),
            whole("projected", self.buffers.get(args.projected)?),
        ];
        if let Some(bias) = args.bias {
            buffers.push(whole("conv_bias", self.buffers.get(bias.conv)?));
        }
        let kernel = kernel("short_conv.convolve")?;
        Ok(Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                x_quads: (stride(3 * params.width as usize) / 4) as u32,
                y_stride: stride(params.width as usize) as u32,
                ..Placement::default()
            },
            buffers,
            states: vec![self.buffers.state(args.state)?],
            n_groups: params.width.div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Spans,
            axis: Axis::Rows,
        })
    }
}
