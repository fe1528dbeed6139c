//! `norm`: a workgroup for each token. Products that do not hold their norm have it done as this op, into room that they share.

use hala_plan::ops::matmul::Norm;
use hala_plan::ops::norm::{Args, Params};
use hala_plan::{BackendError, BufferId, Step};
use wgpu::Buffer;

use super::Context;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn norm(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        let y = self.buffers.get(args.y)?;
        Ok(vec![self.norm_call(params, args.x, args.norm.weight, y)?])
    }

    fn norm_call(
        &self,
        params: &Params,
        x: BufferId,
        weight: BufferId,
        y: Buffer,
    ) -> Result<Call, BackendError> {
        Ok(Call {
            kernel: kernel("norm")?,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement { y_stride: stride(params.width as usize) as u32, ..Placement::default() },
            buffers: vec![
                whole("x", self.buffers.get(x)?),
                whole("norm", self.buffers.get(weight)?),
                whole("y", y),
            ],
            n_groups: 1,
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: self.buffers.rows(x).0,
        })
    }

    /// The call that norms `x` for a product, and the room where the result is.
    pub(super) fn normed(&self, x: BufferId, norm: Norm) -> Result<(Call, Buffer), BackendError> {
        let shape = self.buffers.plan.buffer(x).shape;
        let mut rooms = self.normed.borrow_mut();
        let room = match rooms.get(&shape.dims().to_vec()) {
            Some(room) => room.clone(),
            None => self.buffers.memory.activations(self.gpu, "normed", shape)?,
        };
        rooms.insert(shape.dims().to_vec(), room.clone());
        let params = Params { width: shape.n_columns() as u32, eps: norm.eps, layer: 0, add: 0 };
        Ok((self.norm_call(&params, x, norm.weight, room.clone())?, room))
    }
}
