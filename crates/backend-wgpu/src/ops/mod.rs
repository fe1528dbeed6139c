//! From steps of a Plan to calls of kernels: one module an op.

mod attention;
mod embed;
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
use std::collections::BTreeMap;

use hala_plan::{BackendError, Op, Step};
use wgpu::Buffer;

use crate::choices::Choices;
use crate::choose::{Layout, Question};
use crate::dispatch::Call;
use crate::gpu::Gpu;
use crate::memory::Buffers;

/// What the calls of a step are made from.
pub(crate) struct Context<'a> {
    pub(crate) gpu: &'a Gpu,
    /// How products go that were measured.
    pub(crate) choices: &'a Choices,
    pub(crate) buffers: Buffers<'a>,
    /// Products that were asked for since this was taken.
    pub(crate) asked: RefCell<Vec<Question>>,
    /// Room for the parts of long caches' attention, with its bytes: one for all steps, which run one after the other.
    pub(crate) parts: RefCell<Option<(usize, Buffer)>>,
    /// Room for activations that are normed before a product, by their dimensions: as shared as `parts`.
    pub(crate) normed: RefCell<BTreeMap<Vec<usize>, Buffer>>,
}

impl Context<'_> {
    /// The calls that compute a step.
    ///
    /// # Errors
    /// An op, element type or size that no kernel computes.
    pub(crate) fn calls(&self, step: &Step) -> Result<Vec<Call>, BackendError> {
        match &step.op {
            Op::Embed(params) => self.embed(step, params),
            Op::Gather(params) => self.gather(step, params),
            Op::Matmul(params) => self.matmul(step, params),
            Op::Norm(params) => self.norm(step, params),
            Op::Round(params) => self.round(step, params),
            Op::Swiglu(params) => self.swiglu(step, params),
            Op::ShortConv(params) => self.short_conv(step, params),
            Op::RopeKv(params) => self.rope_kv(step, params),
            Op::Attention(params) => self.attention(step, params),
            Op::Softcap(params) => self.softcap(step, params),
            Op::Sample(params) => self.sample(step, params),
        }
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
