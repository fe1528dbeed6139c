//! A Plan made ready: its buffers and dispatches, and how a run is recorded and submitted.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::atomic::Ordering;

use hala_plan::{BackendError, BufferId, Plan, StepInput};
use wgpu::{CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor};

use crate::choose::Question;
use crate::dispatch::{Dispatch, Extent, Shared};
use crate::gpu::Gpu;
use crate::memory::{Buffers, Memory};
use crate::ops::Context;
use crate::pipelines::Pipelines;
use crate::state::State;
use crate::weight::Weight;

/// Steps of a prompt that a software device runs between two looks at the flag that stops it: about two layers.
const STEPS_BETWEEN_LOOKS: usize = 8;

/// A Plan with its buffers and dispatches.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) plan: Plan,
    pub(crate) memory: Memory,
    pub(crate) dispatches: Vec<Dispatch>,
    /// Products with the steps that they belong to.
    pub(crate) asked: Vec<(usize, Question)>,
    /// The output whose last run was copied to where the host reads it.
    pub(crate) fresh: Option<BufferId>,
}

impl Prepared {
    /// # Errors
    /// An op or element type that no kernel computes, a driver that refuses one, or no memory.
    pub(crate) fn new(
        gpu: &Gpu,
        pipelines: &Pipelines,
        plan: &Plan,
        weights: &[Weight],
        state: &State,
    ) -> Result<Self, BackendError> {
        let memory = Memory::new(gpu, plan)?;
        let buffers = Buffers { plan, memory: &memory, state, weights };
        let context = Context { gpu, buffers, asked: RefCell::default() };
        let (mut calls, mut asked) = (Vec::new(), Vec::new());
        for (i, step) in plan.steps().iter().enumerate() {
            calls.extend(context.calls(step)?.into_iter().map(|call| (i, call)));
            asked.extend(context.asked.take().into_iter().map(|question| (i, question)));
        }
        let shared = Shared { gpu, pipelines, step: &memory.step, unused: &memory.unused };
        let dispatches = shared.make(&calls)?;
        Ok(Self { plan: plan.clone(), memory, dispatches, asked, fresh: None })
    }

    /// Runs steps: one submission with one pass, or a few with looks at the flag between where a prompt takes long.
    ///
    /// # Errors
    /// As for `Backend::run_steps`.
    pub(crate) async fn run(
        &mut self,
        gpu: &Gpu,
        input: StepInput<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        self.begin(gpu, input)?;
        let steps = steps.start..steps.end.min(self.plan.steps().len());
        let is_slow = gpu.is_software && self.plan.n_tokens() > 1;
        let n_at_once = if is_slow { STEPS_BETWEEN_LOOKS } else { usize::MAX };
        let mut start = steps.start;
        while start < steps.end {
            if input.cancel.is_cancelled() {
                return Err(BackendError::Cancelled);
            }
            let end = steps.end.min(start.saturating_add(n_at_once));
            let encoder = self.encode(gpu, Extent::of(input), start..end);
            gpu.submit(encoder);
            if end < steps.end {
                gpu.settle().await?;
            }
            start = end;
        }
        // A browser's thread must see to its messages between the chunks of a long prompt.
        if cfg!(target_family = "wasm") && self.plan.n_tokens() > 1 {
            gpu.settle().await
        } else {
            gpu.check()
        }
    }

    /// Checks what a run is given, and writes it to the device.
    ///
    /// # Errors
    /// Ids or a position that do not fit, or a lost device.
    pub(crate) fn begin(&mut self, gpu: &Gpu, input: StepInput<'_>) -> Result<(), BackendError> {
        self.plan.check(input)?;
        gpu.check()?;
        self.fresh = None;
        self.write_step(gpu, input.position, input.ids.len());
        gpu.queue.write_buffer(&self.memory.ids, 0, bytemuck::cast_slice(input.ids));
        Ok(())
    }

    /// Writes the uniform `step`, for what is submitted next.
    pub(crate) fn write_step(&self, gpu: &Gpu, position: usize, n_tokens: usize) {
        let step = [position as u32, n_tokens as u32];
        gpu.queue.write_buffer(&self.memory.step, 0, bytemuck::cast_slice(&step));
    }

    /// The commands of some steps, with the outputs copied to where the host reads them.
    pub(crate) fn encode(&mut self, gpu: &Gpu, run: Extent, steps: Range<usize>) -> CommandEncoder {
        let first = self.dispatches.partition_point(|d| d.step < steps.start);
        let end = self.dispatches.partition_point(|d| d.step < steps.end);
        let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        let mut n_dispatches = 0;
        for dispatch in self.dispatches[first..end].iter().filter(|d| d.is_needed(run)) {
            dispatch.record(&mut pass, run);
            n_dispatches += 1;
        }
        drop(pass);
        for output in self.memory.outputs.iter().filter(|o| steps.contains(&o.step)) {
            let n_bytes = output.n_bytes as u64;
            encoder.copy_buffer_to_buffer(&output.buffer, 0, &output.staging, 0, n_bytes);
            self.fresh = Some(output.id);
        }
        gpu.counters.dispatches.fetch_add(n_dispatches, Ordering::Relaxed);
        encoder
    }
}
