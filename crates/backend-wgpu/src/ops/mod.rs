//! From steps of a Plan to calls of kernels: one module an op.

mod add;
mod attention;
mod concat;
mod convolve;
mod embed;
mod gate;
mod gather;
mod matmul;
mod norm;
mod rope_kv;
mod round;
mod sample;
mod short_conv;
mod softcap;
mod swiglu;
mod windows;

use std::cell::RefCell;

use bytemuck::Pod;
use hala_plan::{BackendError, Buffer, BufferId, Candidate, Io, Kernel, Op, OpSpec, Step};
use hala_tensor::DType;

use crate::capabilities::Preset;
use crate::choices::Choices;
use crate::choose::{Layout, Question};
use crate::dispatch::{Call, whole};
use crate::gpu::Gpu;
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::memory::Buffers;
use crate::padding::stride;
use crate::placement::Placement;
use crate::weight;

/// What an op is computed with.
trait Kernels {
    /// The calls that compute a step.
    ///
    /// # Errors
    /// An element type or size that no kernel computes.
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError>;

    /// What the step that is asked for needs beside its buffers; `None` where no kernel computes it as one.
    fn kernel(&self, _asked: &Asked<'_>) -> Option<Kernel> {
        Some(Kernel::default())
    }
}

fn kernels(op: &Op) -> &dyn Kernels {
    match op {
        Op::Add(params) => params,
        Op::Attention(params) => params,
        Op::Concat(params) => params,
        Op::Convolve(params) => params,
        Op::Embed(params) => params,
        Op::Gate(params) => params,
        Op::Gather(params) => params,
        Op::Matmul(params) => params,
        Op::Norm(params) => params,
        Op::RopeKv(params) => params,
        Op::Round(params) => params,
        Op::Sample(params) => params,
        Op::ShortConv(params) => params,
        Op::Softcap(params) => params,
        Op::Swiglu(params) => params,
    }
}

/// A step that a Plan may have, and the device that would compute it.
pub(crate) struct Asked<'a> {
    pub(crate) gpu: &'a Gpu,
    /// How products go that were measured.
    pub(crate) choices: &'a Choices,
    pub(crate) candidate: Candidate<'a>,
}

impl<'a> Asked<'a> {
    /// What the step needs beside its buffers; `None` where no kernel computes it as one.
    pub(crate) fn kernel(&self) -> Option<Kernel> {
        kernels(&self.candidate.step.op).kernel(self)
    }

    /// The buffers of the step.
    fn io(&self) -> Io<'a> {
        self.candidate.step.io()
    }

    fn n_tokens(&self) -> usize {
        self.candidate.declared.n_tokens()
    }

    fn preset(&self) -> Preset {
        self.gpu.abilities.preset
    }

    fn buffer(&self, id: BufferId) -> &'a Buffer {
        self.candidate.declared.buffer(id)
    }

    /// Whether a weight is held in one part.
    fn is_whole(&self, id: BufferId) -> bool {
        let weight = self.buffer(id);
        weight::is_whole(self.gpu, weight.dtype, weight.shape)
    }

    /// The product of `x` with matrices side by side, without a norm.
    fn question(&self, x: BufferId, weights: &[BufferId]) -> Question {
        let weights = weights.iter().map(|id| self.buffer(*id));
        let n_out: usize = weights.clone().map(|weight| weight.shape.n_rows()).sum();
        let n_matrices = weights.len();
        let (x, dtype) = (self.buffer(x).shape, weights.map(|weight| weight.dtype).next());
        Question {
            op: hala_plan::ops::matmul::NAME,
            is_normed: false,
            n_matrices,
            dtype: dtype.unwrap_or(DType::F32),
            n_tokens: x.n_rows(),
            n_in: x.n_columns(),
            n_out,
        }
    }

    /// Whether a product goes such a way that its kernel holds a norm.
    fn holds_norm(&self, question: &Question) -> bool {
        self.choices.answer(self.gpu.abilities, question).holds_norm()
    }
}

/// What the calls of a step are made from.
pub(crate) struct Context<'a> {
    pub(crate) gpu: &'a Gpu,
    /// How products go that were measured.
    pub(crate) choices: &'a Choices,
    pub(crate) buffers: Buffers<'a>,
    /// Products that were asked for since this was taken.
    pub(crate) asked: RefCell<Vec<Question>>,
}

impl Context<'_> {
    /// The calls that compute a step.
    ///
    /// # Errors
    /// An op, element type or size that no kernel computes.
    pub(crate) fn calls(&self, step: &Step) -> Result<Vec<Call>, BackendError> {
        kernels(&step.op).calls(self, step)
    }

    /// The call of the kernel of an op that has a thread for each element of `y`; buffers with their names in it, of which the first may be of other columns.
    ///
    /// # Errors
    /// A buffer that is not there, or no kernel of the op's name.
    fn elementwise<P: OpSpec + Pod>(
        &self,
        params: &P,
        inputs: &[(&'static str, BufferId)],
        y: (&'static str, BufferId),
    ) -> Result<Vec<Call>, BackendError> {
        let kernel = kernel(params.name())?;
        let buffers = inputs.iter().chain([&y]).map(|(name, id)| Ok(whole(name, self.buffers.get(*id)?)));
        let (_, y) = y;
        let n_columns = self.buffers.n_columns(y);
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                x_quads: inputs.first().map_or(0, |(_, x)| stride(self.buffers.n_columns(*x)) / 4) as u32,
                y_stride: stride(n_columns) as u32,
                ..Placement::default()
            },
            buffers: buffers.collect::<Result<_, BackendError>>()?,
            states: Vec::new(),
            n_groups: (n_columns as u32).div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Each(1),
            axis: self.buffers.rows(y).0,
        }])
    }

    /// How a product is laid out: as it was tuned for this device, or else as the table has it.
    fn layout(&self, question: Question) -> Layout {
        let layout = self.choices.answer(self.gpu.abilities, &question);
        self.asked.borrow_mut().push(question);
        layout
    }

    /// T of the Plan.
    fn n_tokens(&self) -> usize {
        self.buffers.plan.n_tokens()
    }
}
