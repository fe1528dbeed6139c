//! The buffers of one prepared Plan: slots of scratch, outputs, ids and the position.
//!
//! Rows of activations are padded with zeros to whole quads, which kernels read at once.

use hala_plan::{BackendError, BufferId, BufferKind, Plan};
use hala_tensor::Shape;
use wgpu::{Buffer, BufferUsages};

use crate::gpu::Gpu;
use crate::state::State;
use crate::weight::{Stored, Weight};

/// Elements of a padded row.
pub(crate) fn stride(n_columns: usize) -> usize {
    n_columns.next_multiple_of(4)
}

/// Bytes of a padded f32 buffer.
pub(crate) fn padded_bytes(shape: Shape) -> usize {
    shape.n_rows() * stride(shape.n_columns()) * 4
}

/// An output and where the host reads it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) id: BufferId,
    pub(crate) buffer: Buffer,
    pub(crate) staging: Buffer,
    pub(crate) n_bytes: usize,
    /// The last step that writes it.
    pub(crate) step: usize,
}

/// The buffers that a prepared Plan owns.
#[derive(Debug)]
pub(crate) struct Memory {
    slots: Vec<Buffer>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) ids: Buffer,
    pub(crate) step: Buffer,
    pub(crate) unused: Buffer,
}

impl Memory {
    /// # Errors
    /// No memory.
    pub(crate) fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, BackendError> {
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let mut n_bytes = vec![0; plan.slots().len()];
        for buffer in plan.buffers() {
            if let BufferKind::Scratch { slot } = buffer.kind {
                n_bytes[slot] = padded_bytes(buffer.shape).max(n_bytes[slot]);
            }
        }
        let slots = n_bytes.iter().map(|n| gpu.buffer("scratch", *n, storage)).collect::<Result<_, _>>()?;
        let mut outputs = Vec::new();
        for (idx, buffer) in plan.buffers().iter().enumerate() {
            if buffer.kind == BufferKind::Output {
                let (id, n_bytes) = (BufferId(idx as u32), padded_bytes(buffer.shape));
                let readable = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
                outputs.push(Output {
                    id,
                    buffer: gpu.buffer(&buffer.label, n_bytes, storage)?,
                    staging: gpu.buffer(&buffer.label, n_bytes, readable)?,
                    n_bytes,
                    step: plan.steps().iter().rposition(|s| s.outputs.contains(&id)).unwrap_or(0),
                });
            }
        }
        Ok(Self {
            slots,
            outputs,
            ids: gpu.buffer("ids", 4 * plan.n_tokens(), storage)?,
            step: gpu.buffer("step", 8, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?,
            unused: gpu.buffer("unused", 16, BufferUsages::STORAGE)?,
        })
    }

    fn output(&self, id: BufferId) -> Option<&Output> {
        self.outputs.iter().find(|output| output.id == id)
    }
}

/// A Plan's buffers wherever they live, while dispatches are made or one is read.
pub(crate) struct Buffers<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) memory: &'a Memory,
    pub(crate) state: &'a State,
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

    /// The one buffer of activations, state, ids, or a weight that is not cut.
    ///
    /// # Errors
    /// A weight that is cut.
    pub(crate) fn get(&self, id: BufferId) -> Result<Buffer, BackendError> {
        let found = match self.plan.buffer(id).kind {
            BufferKind::Weight(_) => match &self.weight(id)?.parts[..] {
                [part] => Some(&part.buffer),
                _ => None,
            },
            BufferKind::State(state) => self.state.cells.get(state.0 as usize).map(|c| &c.buffer),
            BufferKind::Scratch { slot } => self.memory.slots.get(slot),
            BufferKind::Input => Some(&self.memory.ids),
            BufferKind::Output => self.memory.output(id).map(|o| &o.buffer),
        };
        found.cloned().ok_or_else(|| self.misplaced(id))
    }

    /// Columns of a buffer.
    pub(crate) fn n_columns(&self, id: BufferId) -> usize {
        self.plan.buffer(id).shape.n_columns()
    }

    pub(crate) fn misplaced(&self, id: BufferId) -> BackendError {
        let buffer = self.plan.buffer(id);
        let what = format!("the buffer {}, of shape {},", buffer.label, buffer.shape);
        BackendError::Unsupported { backend: "wgpu", what, dtype: buffer.dtype }
    }
}
