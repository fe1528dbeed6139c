//! `swiglu`: one call where both matrices have one type and one part, else two products and a gate.

use hala_plan::ops::matmul;
use hala_plan::ops::swiglu::{Args, Params};
use hala_plan::{BackendError, Step};
use wgpu::BufferUsages;

use super::Context;
use super::matmul::Product;
use crate::choose::{Layout, Question, weight_name};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::{kernel, number};
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn swiglu(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        let (w1, w3) = (self.buffers.weight(args.w1)?, self.buffers.weight(args.w3)?);
        let ([gates], [values]) = (&w1.parts[..], &w3.parts[..]) else { return self.apart(&args, params) };
        if w1.dtype != w3.dtype {
            return self.apart(&args, params);
        }
        let (axis, n_tokens) = self.buffers.rows(args.x);
        let layout = self.layout(Question {
            op: "swiglu".to_owned(),
            dtype: w1.dtype,
            n_tokens,
            n_in: params.n_in as usize,
            n_out: params.n_out as usize,
        });
        let normed = if params.norm == 1 && layout == Layout::Rows1 { ".norm" } else { "" };
        let dtype = weight_name(w1.dtype).ok_or_else(|| self.buffers.misplaced(args.w1))?;
        let placement = Placement {
            row_blocks: w1.row_blocks as u32,
            scales: [gates.scales as u32, values.scales as u32, 0],
            row_scales: w1.row_scales as u32,
            scale_shift: w1.scale_shift,
            x_quads: (stride(params.n_in as usize) / 4) as u32,
            y_stride: stride(params.n_out as usize) as u32,
            ..Placement::default()
        };
        let kernel = kernel(&format!("swiglu.{dtype}.{}{normed}", layout.name()))?;
        let call = Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement,
            buffers: vec![
                whole("w0", gates.buffer.clone()),
                whole("w1", values.buffer.clone()),
                whole("y", self.buffers.get(args.y)?),
            ],
            states: Vec::new(),
            n_groups: layout.n_groups(kernel, &[params.n_out])?,
            tokens: Tokens::Each(number(kernel, "TOKENS")?),
            axis,
        };
        self.windowed(call, layout, args.x, args.norm)
    }

    /// The gates into a buffer of their own, the values into y, then both together.
    fn apart(&self, args: &Args, params: &Params) -> Result<Vec<Call>, BackendError> {
        let n_out = params.n_out as usize;
        let (axis, n_tokens) = self.buffers.rows(args.x);
        let gates = self.gpu.buffer("gates", n_tokens * stride(n_out) * 4, BufferUsages::STORAGE)?;
        let y = self.buffers.get(args.y)?;
        let mut calls = Vec::new();
        for (weight, y) in [(args.w1, &gates), (args.w3, &y)] {
            let Params { n_in, n_out, eps, norm, .. } = *params;
            let params = matmul::Params { n_in, n_out: [n_out, 0, 0], norm, eps, bias: 0, add: 0 };
            calls.extend(self.product(&Product {
                params,
                x: args.x,
                norm: args.norm,
                weights: &[weight],
                bias: None,
                y: y.clone(),
                n_columns: n_out as usize,
            })?);
        }
        let kernel = kernel("swiglu.gate")?;
        calls.push(Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement { y_stride: stride(n_out) as u32, ..Placement::default() },
            buffers: vec![whole("gates", gates), whole("y", y)],
            states: Vec::new(),
            n_groups: params.n_out.div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Each(1),
            axis,
        });
        Ok(calls)
    }
}
