//! A session's state buffers, and copies of those that every token overwrites.

use std::sync::{Arc, Mutex, PoisonError};

use hala_plan::{BackendError, StateKind, StateSpec};
use hala_tensor::DType;
use wgpu::{Buffer, BufferUsages, CommandEncoder};

use crate::gpu::Gpu;

/// Snapshots that there is room for from the start; a session keeps 64 and takes one more before it drops one.
const N_SNAPSHOTS: usize = 66;

/// One state buffer.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) buffer: Buffer,
    pub(crate) dtype: DType,
    pub(crate) n_elements: usize,
    kind: StateKind,
}

impl Cells {
    fn n_bytes(&self) -> u64 {
        (self.n_elements * if self.dtype == DType::F16 { 2 } else { 4 }) as u64
    }
}

/// All state buffers of one session.
#[derive(Debug)]
pub struct State {
    pub(crate) cells: Vec<Cells>,
    snapshots: Arc<Mutex<Slots>>,
    /// Bytes of one snapshot.
    n_snapshot: u64,
}

/// Room for snapshots.
#[derive(Debug)]
struct Slots {
    /// Each with [`N_SNAPSHOTS`] slots.
    buffers: Vec<Buffer>,
    free: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    buffer: usize,
    offset: u64,
}

/// A copy of a session's recurrent states at one position.
#[derive(Debug)]
pub struct Snapshot {
    slot: Slot,
    home: Arc<Mutex<Slots>>,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.home.lock().unwrap_or_else(PoisonError::into_inner).free.push(self.slot);
    }
}

impl State {
    /// Zeroed buffers.
    ///
    /// # Errors
    /// An element type that kernels do not write, or no memory.
    pub(crate) fn allocate(gpu: &Gpu, states: &[StateSpec]) -> Result<Self, BackendError> {
        let mut cells = Vec::new();
        for spec in states {
            if !matches!(spec.dtype, DType::F32 | DType::F16) {
                let what = format!("the state {}", spec.label);
                return Err(BackendError::Unsupported { backend: "wgpu", what, dtype: spec.dtype });
            }
            let n_bytes = spec.dtype.n_bytes(spec.shape);
            let limit = gpu.device.limits().max_storage_buffer_binding_size;
            if n_bytes as u64 > limit {
                let what = format!("the state {}; one kernel sees {limit}", spec.label);
                return Err(BackendError::OutOfMemory { device: gpu.name.clone(), what, bytes: n_bytes });
            }
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
            let buffer = gpu.buffer(&spec.label, n_bytes, usage)?;
            let n_elements = spec.shape.n_elements();
            cells.push(Cells { buffer, dtype: spec.dtype, n_elements, kind: spec.kind });
        }
        let recurrent = cells.iter().filter(|c| c.kind == StateKind::Recurrent);
        let n_snapshot = recurrent.map(|c| c.n_bytes().next_multiple_of(4)).sum();
        let snapshots = Arc::new(Mutex::new(Slots { buffers: Vec::new(), free: Vec::new() }));
        let state = Self { cells, snapshots, n_snapshot };
        state.grow(gpu)?;
        Ok(state)
    }

    /// Makes room for more snapshots.
    fn grow(&self, gpu: &Gpu) -> Result<(), BackendError> {
        let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let buffer = gpu.buffer("snapshots", self.n_snapshot as usize * N_SNAPSHOTS, usage)?;
        let mut slots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.buffers.push(buffer);
        let buffer = slots.buffers.len() - 1;
        let offsets = (0..N_SNAPSHOTS as u64).rev().map(|i| i * self.n_snapshot);
        slots.free.extend(offsets.map(|offset| Slot { buffer, offset }));
        Ok(())
    }

    fn take_slot(&self, gpu: &Gpu) -> Result<Slot, BackendError> {
        let take = || self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).free.pop();
        if let Some(slot) = take() {
            return Ok(slot);
        }
        self.grow(gpu)?;
        Ok(take().unwrap_or(Slot { buffer: 0, offset: 0 }))
    }

    /// Copies the recurrent states into a free slot.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn snapshot(&self, gpu: &Gpu) -> Result<Snapshot, BackendError> {
        let snapshot = Snapshot { slot: self.take_slot(gpu)?, home: Arc::clone(&self.snapshots) };
        self.copy(gpu, snapshot.slot, |encoder, cells, slots, offset| {
            encoder.copy_buffer_to_buffer(
                &cells.buffer,
                0,
                slots,
                offset,
                cells.n_bytes().next_multiple_of(4),
            );
        })?;
        Ok(snapshot)
    }

    /// Copies a snapshot back.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn restore(&self, gpu: &Gpu, snapshot: &Snapshot) -> Result<(), BackendError> {
        self.copy(gpu, snapshot.slot, |encoder, cells, slots, offset| {
            encoder.copy_buffer_to_buffer(
                slots,
                offset,
                &cells.buffer,
                0,
                cells.n_bytes().next_multiple_of(4),
            );
        })
    }

    fn copy(
        &self,
        gpu: &Gpu,
        slot: Slot,
        one: impl Fn(&mut CommandEncoder, &Cells, &Buffer, u64),
    ) -> Result<(), BackendError> {
        let slots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut offset = slot.offset;
        for cells in self.cells.iter().filter(|c| c.kind == StateKind::Recurrent) {
            one(&mut encoder, cells, &slots.buffers[slot.buffer], offset);
            offset += cells.n_bytes().next_multiple_of(4);
        }
        gpu.put_off(encoder);
        gpu.check()
    }
}
