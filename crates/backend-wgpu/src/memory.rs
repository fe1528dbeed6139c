//! The buffers of one prepared Plan: slots of scratch, outputs, and the inputs of a run.
//!
//! Rows of activations are padded with zeros, so that kernels read whole blocks, and windows of rows begin where a uniform
//! may. Padding stays zero because nothing writes it: buffers share memory only where neither has any, or both are as wide.

use std::collections::BTreeMap;

use hala_plan::{Axis, BackendError, BufferId, BufferKind, Plan, StateId};
use hala_tensor::Shape;
use wgpu::{Buffer, BufferUsages};

use crate::capabilities::Preset;
use crate::choosing::Choosing;
use crate::gpu::Gpu;
use crate::inputs::Inputs;
use crate::kernel::N_WINDOWED_ROWS;
use crate::padding::{WINDOW_BYTES, padded_bytes, stride};
use crate::weight::{Stored, Weight};

/// What decides which scratch memory a buffer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Home {
    slot: usize,
    /// 0 where rows have no padding.
    n_columns: usize,
}

impl Home {
    fn of(slot: usize, shape: Shape) -> Self {
        let n_columns = shape.n_columns();
        Self { slot, n_columns: if stride(n_columns) == n_columns { 0 } else { n_columns } }
    }
}

fn usage(gpu: &Gpu) -> BufferUsages {
    let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    if gpu.abilities.preset == Preset::Software { storage | BufferUsages::UNIFORM } else { storage }
}

/// Bytes of a buffer of activations. Software devices' kernels look through windows, and the last must not end outside.
fn allocated_bytes(gpu: &Gpu, shape: Shape) -> usize {
    match gpu.abilities.preset {
        Preset::Software => {
            let n_rows = shape.n_rows().next_multiple_of(*N_WINDOWED_ROWS as usize);
            n_rows * stride(shape.n_columns()) * 4 + WINDOW_BYTES as usize
        }
        Preset::Gpu | Preset::Portable => padded_bytes(shape),
    }
}

/// An output and where the host reads it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) id: BufferId,
    pub(crate) buffer: Buffer,
    pub(crate) staging: Buffer,
    /// Bytes of a row.
    pub(crate) row_bytes: usize,
    /// The last step that writes it.
    pub(crate) step: usize,
}

/// The buffers that a prepared Plan owns.
#[derive(Debug)]
pub(crate) struct Memory {
    /// The scratch buffers, with the slot and the columns that each is for.
    scratch: Vec<(Home, Buffer)>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) ids: Buffer,
    pub(crate) inputs: Inputs,
    /// Where the Plan chooses tokens.
    pub(crate) choosing: Option<Choosing>,
    pub(crate) unused: Buffer,
}

impl Memory {
    /// # Errors
    /// No memory.
    pub(crate) fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, BackendError> {
        let storage = usage(gpu);
        let mut n_bytes: BTreeMap<Home, usize> = BTreeMap::new();
        for buffer in plan.buffers() {
            if let BufferKind::Scratch { slot } = buffer.kind {
                let largest = n_bytes.entry(Home::of(slot, buffer.shape)).or_default();
                *largest = allocated_bytes(gpu, buffer.shape).max(*largest);
            }
        }
        let scratch = n_bytes.into_iter().map(|(home, n)| Ok((home, gpu.buffer("scratch", n, storage)?)));
        let scratch = scratch.collect::<Result<_, BackendError>>()?;
        let mut outputs = Vec::new();
        for (idx, buffer) in plan.buffers().iter().enumerate() {
            if buffer.kind == BufferKind::Output {
                let (id, n_bytes) = (BufferId(idx as u32), padded_bytes(buffer.shape));
                let readable = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
                outputs.push(Output {
                    id,
                    buffer: gpu.buffer(&buffer.label, allocated_bytes(gpu, buffer.shape), storage)?,
                    staging: gpu.buffer(&buffer.label, n_bytes, readable)?,
                    row_bytes: 4 * stride(buffer.shape.n_columns()),
                    step: plan.steps().iter().rposition(|s| s.outputs.contains(&id)).unwrap_or(0),
                });
            }
        }
        let choosing = plan.n_chosen_from().map(|n_vocab| Choosing::new(gpu, n_vocab, plan.n_tokens()));
        Ok(Self {
            scratch,
            outputs,
            ids: gpu.buffer("ids", 4 * plan.n_tokens(), storage)?,
            inputs: Inputs::new(gpu, plan)?,
            choosing: choosing.transpose()?,
            unused: gpu.buffer(
                "unused",
                WINDOW_BYTES as usize,
                BufferUsages::STORAGE | BufferUsages::UNIFORM,
            )?,
        })
    }

    fn scratch(&self, home: Home) -> Option<&Buffer> {
        self.scratch.iter().find(|(found, _)| *found == home).map(|(_, buffer)| buffer)
    }

    pub(crate) fn output(&self, id: BufferId) -> Option<&Output> {
        self.outputs.iter().find(|output| output.id == id)
    }
}

/// A Plan's buffers wherever they live, while dispatches are made or one is read.
pub(crate) struct Buffers<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) memory: &'a Memory,
    pub(crate) weights: &'a [Weight],
}

impl Buffers<'_> {
    /// The weight behind a buffer.
    ///
    /// # Errors
    /// It is no weight.
    pub(crate) fn weight(&self, id: BufferId) -> Result<&Stored, BackendError> {
        match self.plan.buffer(id).kind {
            BufferKind::Weight(weight) => self.weights.get(weight.0 as usize).map(|w| w.0.as_ref()),
            _ => None,
        }
        .ok_or_else(|| self.misplaced(id))
    }

    /// The one buffer of activations, ids, or a weight that is not cut.
    ///
    /// # Errors
    /// A weight that is cut, or a state: a pool has those.
    pub(crate) fn get(&self, id: BufferId) -> Result<Buffer, BackendError> {
        let found = match self.plan.buffer(id).kind {
            BufferKind::Weight(_) => match &self.weight(id)?.parts[..] {
                [part] => Some(&part.buffer),
                _ => None,
            },
            BufferKind::State(..)
            | BufferKind::Joined
            // Of training Plans, which run elsewhere.
            | BufferKind::Param(_)
            | BufferKind::Grad(_) => None,
            BufferKind::Scratch { slot } => self.memory.scratch(Home::of(slot, self.plan.buffer(id).shape)),
            BufferKind::Input => Some(&self.memory.ids),
            BufferKind::Output => self.memory.output(id).map(|o| &o.buffer),
        };
        found.cloned().ok_or_else(|| self.misplaced(id))
    }

    /// Columns of a buffer.
    pub(crate) fn n_columns(&self, id: BufferId) -> usize {
        self.plan.buffer(id).shape.n_columns()
    }

    /// The state behind a buffer.
    ///
    /// # Errors
    /// It is no state.
    pub(crate) fn state(&self, id: BufferId) -> Result<StateId, BackendError> {
        match self.plan.buffer(id).kind {
            BufferKind::State(state, _) => Ok(state),
            _ => Err(self.misplaced(id)),
        }
    }

    /// What the rows of a buffer are, and how many there may be.
    pub(crate) fn rows(&self, id: BufferId) -> (Axis, usize) {
        let buffer = self.plan.buffer(id);
        (buffer.axis, buffer.shape.n_rows())
    }

    pub(crate) fn misplaced(&self, id: BufferId) -> BackendError {
        let buffer = self.plan.buffer(id);
        let what = format!("the buffer {}, of shape {},", buffer.label, buffer.shape);
        BackendError::Unsupported { backend: "wgpu", what, dtype: buffer.dtype }
    }
}
