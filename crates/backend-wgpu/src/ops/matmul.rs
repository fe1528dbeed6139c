//! `matmul`: one call where all matrices have one type and one part, else a call for each part of each matrix.

use hala_plan::ops::matmul::{Args, MAX_WEIGHTS, NAME, Params};
use hala_plan::{BackendError, BufferId, Kernel, Step};

use super::{Asked, Context, Kernels};
use crate::choose::{Layout, Question, weight_name};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::{kernel, number};
use crate::padding::stride;
use crate::placement::Placement;
use crate::weight::{Part, Stored};

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        context.product(&Args::of(step.io(), self), self)
    }

    fn kernel(&self, asked: &Asked<'_>) -> Option<Kernel> {
        let args = Args::of(asked.io(), self);
        let dtypes = args.weights.iter().map(|id| asked.buffer(*id).dtype);
        let are_alike = dtypes.clone().zip(dtypes.skip(1)).all(|(one, next)| one == next)
            && args.weights.iter().all(|id| asked.is_whole(*id));
        let holds_norm = |weights: &[BufferId]| asked.holds_norm(&asked.question(args.x, weights));
        let together = if are_alike { args.weights.len() } else { 1 };
        (args.norm.is_none() || args.weights.chunks(together).all(holds_norm)).then(Kernel::default)
    }
}

impl Context<'_> {
    /// The calls of a product.
    fn product(&self, product: &Args<'_>, params: &Params) -> Result<Vec<Call>, BackendError> {
        let stored: Vec<&Stored> =
            product.weights.iter().map(|id| self.buffers.weight(*id)).collect::<Result<_, _>>()?;
        let first = stored[0];
        let are_alike = stored.iter().all(|s| s.dtype == first.dtype && s.parts.len() == 1);
        if are_alike {
            let parts: Vec<&Part> = stored.iter().flat_map(|s| &s.parts).collect();
            return self.one((product, params), first, &parts, 0);
        }
        if product.bias.is_some() && stored.iter().any(|s| s.parts.len() > 1) {
            return Err(self.buffers.misplaced(product.weights[0]));
        }
        let mut calls = Vec::new();
        let mut offset = 0;
        for stored in stored {
            for part in &stored.parts {
                calls.extend(self.one((product, params), stored, &[part], offset)?);
                offset += part.n_rows;
            }
        }
        Ok(calls)
    }

    /// The calls for parts of matrices of one type, whose results begin at column `offset` of y.
    fn one(
        &self,
        (product, params): (&Args<'_>, &Params),
        stored: &Stored,
        parts: &[&Part],
        offset: usize,
    ) -> Result<Vec<Call>, BackendError> {
        let (mut params, n_columns) = (*params, params.n_out_total());
        let (mut scales, mut n_out) = ([0; MAX_WEIGHTS], [0; MAX_WEIGHTS]);
        for (i, part) in parts.iter().enumerate() {
            (scales[i], n_out[i]) = (part.scales as u32, part.n_rows as u32);
        }
        params.n_out = n_out;
        let layout = self.layout(self.asked_of(product, stored, &n_out));
        let dtype = weight_name(stored.dtype).ok_or_else(|| self.buffers.misplaced(product.weights[0]))?;
        let normed = if params.norm == 1 && layout == Layout::Rows1 { ".norm" } else { "" };
        let many = if parts.len() > 1 { ".three" } else { "" };
        let mut buffers = vec![whole("y", self.buffers.get(product.y)?)];
        if let Some(bias) = product.bias {
            buffers.push(whole("bias", self.buffers.get(bias)?));
        }
        let weights = ["w0", "w1", "w2"].into_iter().zip(parts);
        buffers.extend(weights.map(|(name, part)| whole(name, part.buffer.clone())));
        let kernel = kernel(&format!("matmul.{dtype}.{}{normed}{many}", layout.name()))?;
        let call = Call {
            kernel,
            params: bytemuck::bytes_of(&params).to_vec(),
            placement: Placement {
                row_blocks: stored.row_blocks as u32,
                scales,
                row_scales: stored.row_scales as u32,
                scale_shift: stored.scale_shift,
                x_quads: (stride(self.buffers.n_columns(product.x)) / 4) as u32,
                y_stride: stride(n_columns) as u32,
                y_offset: offset as u32,
                ..Placement::default()
            },
            buffers,
            states: Vec::new(),
            n_groups: layout.n_groups(kernel, &n_out)?,
            tokens: Tokens::Each(number(kernel, "TOKENS")?),
            axis: self.buffers.rows(product.x).0,
        };
        self.windowed(call, layout, product.x, product.norm)
    }

    fn asked_of(&self, product: &Args<'_>, stored: &Stored, n_out: &[u32]) -> Question {
        Question {
            op: NAME,
            is_normed: product.norm.is_some(),
            n_matrices: n_out.iter().filter(|n| **n > 0).count(),
            dtype: stored.dtype,
            n_tokens: self.buffers.rows(product.x).1,
            n_in: self.buffers.n_columns(product.x),
            n_out: n_out.iter().sum::<u32>() as usize,
        }
    }
}
