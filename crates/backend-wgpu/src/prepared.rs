//! A Plan made ready: its buffers and dispatches, and how a run is recorded and submitted.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::atomic::Ordering;

use hala_plan::{Axis, BackendError, BufferId, BufferKind, Plan, Reading, Rows};
use wgpu::{CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor};

use crate::choices::Choices;
use crate::choose::Question;
use crate::dispatch::{Dispatch, Shared};
use crate::gpu::Gpu;
use crate::grid::Extent;
use crate::memory::{Buffers, Memory};
use crate::ops::Context;
use crate::pace::{Paced, cost};
use crate::padding::{stride, unpad};
use crate::pipelines::Pipelines;
use crate::read;
use crate::sizes;
use crate::state::States;
use crate::weight::Weight;
use crate::write;

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
    /// The rows of an output that the last run copied to where the host reads them.
    pub(crate) fresh: Option<Reading>,
}

impl Prepared {
    /// # Errors
    /// An op or element type that no kernel computes, a driver that refuses one, or no memory.
    pub(crate) fn new(
        gpu: &Gpu,
        pipelines: &Pipelines,
        choices: &Choices,
        plan: &Plan,
        weights: &[Weight],
    ) -> Result<Self, BackendError> {
        let memory = Memory::new(gpu, plan)?;
        let buffers = Buffers { plan, memory: &memory, weights };
        let context = Context { gpu, choices, buffers, asked: RefCell::default() };
        let (mut calls, mut asked) = (Vec::new(), Vec::new());
        for (i, step) in plan.steps().iter().enumerate() {
            calls.extend(context.calls(step)?.into_iter().map(|call| (i, call)));
            asked.extend(context.asked.take().into_iter().map(|question| (i, question)));
        }
        let shared = Shared { gpu, pipelines, run: &memory.inputs.buffer, unused: &memory.unused };
        let dispatches = shared.make(&calls)?;
        Ok(Self { plan: plan.clone(), memory, dispatches, asked, fresh: None })
    }

    /// Runs steps: one submission with one pass, or a few where a prompt takes long.
    ///
    /// # Errors
    /// As for `Backend::run_steps`.
    pub(crate) async fn run(
        &mut self,
        gpu: &Gpu,
        states: &mut States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        let steps = steps.start..steps.end.min(self.plan.steps().len());
        self.begin(gpu, states, &rows)?;
        self.bind(gpu, states, steps.clone())?;
        let is_prompt = sizes::is_for_prompts(self.plan.n_tokens());
        if let Some(paced) = gpu.paced.as_ref().filter(|_| is_prompt) {
            return self.run_paced(gpu, states, &rows, (steps, paced)).await;
        }
        let n_at_once = if gpu.is_software && is_prompt { STEPS_BETWEEN_LOOKS } else { usize::MAX };
        let mut start = steps.start;
        while start < steps.end {
            let end = steps.end.min(start.saturating_add(n_at_once));
            self.submit(gpu, states, &rows, start..end)?;
            if end < steps.end {
                gpu.settle().await?;
            }
            start = end;
        }
        // A browser's thread must see to its messages between the chunks of a long prompt.
        if cfg!(target_family = "wasm") && is_prompt { gpu.settle().await } else { gpu.check() }
    }

    /// Runs steps of a prompt in submissions of which none takes long, each timed for the next ones.
    ///
    /// # Errors
    /// As for `Backend::run_steps`.
    async fn run_paced(
        &mut self,
        gpu: &Gpu,
        states: &mut States,
        rows: &Rows<'_>,
        (steps, paced): (Range<usize>, &Paced),
    ) -> Result<(), BackendError> {
        let position = rows.spans.iter().map(|span| span.position).max().unwrap_or(0);
        let steps_of = &self.plan.steps()[steps.clone()];
        let costs: Vec<f64> = steps_of.iter().map(|step| cost(&self.plan, step, position)).collect();
        paced.with(|pace| pace.see(&costs, self.plan.n_tokens()));
        let mut n_done = 0;
        while n_done < costs.len() {
            let n = paced.with(|pace| pace.n_steps(&costs[n_done..]));
            let (start, begun) = (steps.start + n_done, paced.now());
            self.submit(gpu, states, rows, start..start + n)?;
            gpu.settle().await?;
            let cost = costs[n_done..n_done + n].iter().sum();
            let time = paced.now().saturating_sub(begun);
            paced.with(|pace| pace.note(cost, time));
            n_done += n;
        }
        Ok(())
    }

    /// Submits some steps, unless the run was stopped.
    ///
    /// # Errors
    /// It was.
    fn submit(
        &mut self,
        gpu: &Gpu,
        states: &States,
        rows: &Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        if rows.cancel.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        let mut encoder = self.encode(gpu, states, Extent::of(rows), steps.clone());
        self.copy_outputs(&mut encoder, rows, steps);
        gpu.submit(encoder);
        Ok(())
    }

    /// Checks what a run is given, and writes it to the device.
    ///
    /// # Errors
    /// Rows that do not fit, or a lost device.
    pub(crate) fn begin(&mut self, gpu: &Gpu, states: &States, rows: &Rows<'_>) -> Result<(), BackendError> {
        self.plan.check(rows, &states.size)?;
        gpu.check()?;
        self.fresh = None;
        self.memory.inputs.put(rows);
        self.memory.inputs.write(gpu);
        gpu.queue.write_buffer(&self.memory.ids, 0, bytemuck::cast_slice(rows.ids));
        Ok(())
    }

    /// The dispatches of some steps.
    fn range(&self, steps: &Range<usize>) -> Range<usize> {
        let before = |step: usize| self.dispatches.partition_point(|d| d.step < step);
        before(steps.start)..before(steps.end)
    }

    /// Makes the states of some steps seen by their kernels, whether this run needs them or a later one.
    ///
    /// # Errors
    /// A pool that lacks a state.
    pub(crate) fn bind(
        &self,
        gpu: &Gpu,
        states: &mut States,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        self.dispatches[self.range(&steps)].iter().try_for_each(|dispatch| dispatch.bind(gpu, states))
    }

    /// The commands of some steps, whose states are bound.
    pub(crate) fn encode(
        &self,
        gpu: &Gpu,
        states: &States,
        run: Extent<'_>,
        steps: Range<usize>,
    ) -> CommandEncoder {
        let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        let mut n_dispatches = 0;
        for dispatch in self.dispatches[self.range(&steps)].iter().filter(|d| d.is_needed(run)) {
            dispatch.record(&mut pass, states, run);
            n_dispatches += 1;
        }
        drop(pass);
        gpu.counters.dispatches.fetch_add(n_dispatches, Ordering::Relaxed);
        encoder
    }

    /// Copies the rows of the steps' outputs that a run computes to where the host reads them.
    fn copy_outputs(&mut self, encoder: &mut CommandEncoder, rows: &Rows<'_>, steps: Range<usize>) {
        for output in self.memory.outputs.iter().filter(|o| steps.contains(&o.step)) {
            let n_rows = match self.plan.buffer(output.id).axis {
                Axis::Fixed => 0,
                Axis::Rows | Axis::Wanted => self.plan.n_rows_of(output.id, rows),
            };
            if n_rows > 0 {
                let n_bytes = (n_rows * output.row_bytes) as u64;
                encoder.copy_buffer_to_buffer(&output.buffer, 0, &output.staging, 0, n_bytes);
                self.fresh = Some(Reading { buffer: output.id, n_rows });
            }
        }
    }

    /// Reads rows of a buffer of the last run, or a whole state.
    ///
    /// # Errors
    /// A buffer that is not there to be read, no memory, or a lost device.
    pub(crate) async fn read(
        &self,
        gpu: &Gpu,
        states: &States,
        Reading { buffer, n_rows }: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        let Self { plan, memory, fresh, .. } = self;
        let buffers = Buffers { plan, memory, weights: &[] };
        let shape = plan.buffer(buffer).shape;
        if let BufferKind::State(id, _) = plan.buffer(buffer).kind {
            let cells = states.cells.get(id.0 as usize).ok_or_else(|| buffers.misplaced(buffer))?;
            return cells.read(gpu, out).await;
        }
        let (n_rows, n_columns) = (n_rows.min(shape.n_rows()), shape.n_columns());
        let n_bytes = 4 * n_rows * stride(n_columns);
        if n_bytes == 0 {
            out.clear();
            return Ok(());
        }
        let is_there = fresh.is_some_and(|fresh| fresh.buffer == buffer && n_rows <= fresh.n_rows);
        if let Some(output) = memory.output(buffer).filter(|_| is_there) {
            return read::map(gpu, &output.staging, n_bytes, |bytes| unpad(bytes, n_columns, out)).await;
        }
        let bytes = read::fetch(gpu, &buffers.get(buffer)?, n_bytes).await?;
        unpad(&bytes, n_columns, out);
        Ok(())
    }

    /// Writes the first rows of a buffer of activations, or a whole state.
    ///
    /// # Errors
    /// A buffer that is not there to be written, elements that do not fit it, or a lost device.
    pub(crate) fn write(
        &mut self,
        gpu: &Gpu,
        states: &States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        self.fresh = None;
        let Self { plan, memory, .. } = self;
        let buffers = Buffers { plan, memory, weights: &[] };
        match plan.buffer(buffer).kind {
            BufferKind::State(id, _) => {
                let cells = states.cells.get(id.0 as usize).ok_or_else(|| buffers.misplaced(buffer))?;
                write::state(gpu, cells, values)
            }
            BufferKind::Scratch { .. } | BufferKind::Output => {
                write::rows(gpu, &buffers.get(buffer)?, plan.buffer(buffer).shape, values)
            }
            BufferKind::Weight(_)
            | BufferKind::Param(_)
            | BufferKind::Grad(_)
            | BufferKind::Input
            | BufferKind::Joined => Err(buffers.misplaced(buffer)),
        }
    }
}
