//! The pool of states: a buffer for each, of pages or slots, and the bind groups through which kernels see them.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use hala_plan::{BackendError, PoolSize, StateId, StateKind, StateSpec};
use hala_shaders::BindingKind;
use hala_tensor::DType;
use half::f16;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, Buffer, BufferUsages,
    CommandEncoderDescriptor,
};

use crate::gpu::Gpu;
use crate::read;

/// One state: its pages or slots one after the other.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) buffer: Buffer,
    pub(crate) spec: StateSpec,
    n_places: usize,
}

/// Which states a kernel sees, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reach {
    pub(crate) kind: BindingKind,
    /// By their bindings.
    pub(crate) ids: Vec<StateId>,
}

/// Pages of KV caches and slots of recurrent states.
#[derive(Debug)]
pub struct States {
    pub(crate) cells: Vec<Cells>,
    pub(crate) size: PoolSize,
    /// What is copied goes through here, since WebGPU does not copy within one buffer.
    bounce: Buffer,
    groups: HashMap<Reach, BindGroup>,
}

impl Cells {
    /// # Errors
    /// An element type that kernels do not write, more than one kernel can see, or no memory.
    fn new(gpu: &Gpu, spec: &StateSpec, n_places: usize) -> Result<Self, BackendError> {
        if !matches!(spec.dtype, DType::F32 | DType::F16) {
            let what = format!("the state {}", spec.label);
            return Err(BackendError::Unsupported { backend: "wgpu", what, dtype: spec.dtype });
        }
        let n_bytes = spec.dtype.n_bytes(spec.shape) * n_places;
        let limit = gpu.device.limits().max_storage_buffer_binding_size;
        if n_bytes as u64 > limit {
            let what = format!("the state {}; one kernel sees {limit}", spec.label);
            return Err(BackendError::OutOfMemory { device: gpu.name.clone(), what, bytes: n_bytes });
        }
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let buffer = gpu.buffer(&spec.label, n_bytes, usage)?;
        Ok(Self { buffer, spec: spec.clone(), n_places })
    }

    /// Bytes of a page or slot.
    pub(crate) fn n_place_bytes(&self) -> u64 {
        self.spec.dtype.n_bytes(self.spec.shape) as u64
    }

    /// Elements of all pages or slots.
    pub(crate) fn n_elements(&self) -> usize {
        self.spec.shape.n_elements() * self.n_places
    }

    /// Reads all pages or slots.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) async fn read(&self, gpu: &Gpu, out: &mut Vec<f32>) -> Result<(), BackendError> {
        let n_elements = self.n_elements();
        let is_f16 = self.spec.dtype == DType::F16;
        let bytes = read::fetch(gpu, &self.buffer, n_elements * if is_f16 { 2 } else { 4 }).await?;
        out.clear();
        if is_f16 {
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes);
            out.extend(halves.iter().take(n_elements).map(|x| x.to_f32()));
        } else {
            out.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes));
        }
        Ok(())
    }
}

impl States {
    /// Zeroed buffers.
    ///
    /// # Errors
    /// An element type that kernels do not write, or no memory.
    pub(crate) fn allocate(gpu: &Gpu, specs: &[StateSpec], size: &PoolSize) -> Result<Self, BackendError> {
        let cells = |spec: &StateSpec| Cells::new(gpu, spec, size.n_places(spec.kind));
        let cells = specs.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
        let n_bytes_of = |kind| {
            let alike = cells.iter().filter(|cells| cells.spec.kind == kind);
            alike.map(Cells::n_place_bytes).sum::<u64>()
        };
        let largest = cells.iter().map(|cells| n_bytes_of(cells.spec.kind)).max().unwrap_or(0);
        let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let bounce = gpu.buffer("copies of states", largest as usize, usage)?;
        Ok(Self { cells, size: size.clone(), bounce, groups: HashMap::new() })
    }

    /// Moves all that remains to buffers of other sizes.
    ///
    /// # Errors
    /// No memory: nothing is changed then. A lost device.
    pub(crate) fn resize(&mut self, gpu: &Gpu, size: &PoolSize) -> Result<(), BackendError> {
        if *size == self.size {
            return Ok(());
        }
        let moved = |cells: &Cells| {
            let n_places = size.n_places(cells.spec.kind);
            (n_places != cells.n_places).then(|| Cells::new(gpu, &cells.spec, n_places)).transpose()
        };
        let moved = self.cells.iter().map(moved).collect::<Result<Vec<_>, _>>()?;
        let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        for (cells, moved) in self.cells.iter_mut().zip(moved) {
            let Some(moved) = moved else { continue };
            let n_bytes = cells.n_place_bytes() * cells.n_places.min(moved.n_places) as u64;
            if n_bytes > 0 {
                encoder.copy_buffer_to_buffer(&cells.buffer, 0, &moved.buffer, 0, n_bytes);
            }
            *cells = moved;
        }
        self.groups.clear();
        self.size = size.clone();
        // At once, so that the memory is given back.
        gpu.submit(encoder);
        gpu.check()
    }

    /// Copies a page or slot of all states of a kind to another.
    ///
    /// # Errors
    /// A page or slot that there is not, or the empty slot as the target; a lost device.
    pub(crate) fn copy(&mut self, gpu: &Gpu, kind: StateKind, places: [u32; 2]) -> Result<(), BackendError> {
        self.size.check_copy(kind, places)?;
        if places[0] == places[1] {
            return gpu.check();
        }
        let alike = || self.cells.iter().filter(|cells| cells.spec.kind == kind);
        let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        let [from, to] = places.map(u64::from);
        let mut offset = 0;
        for cells in alike() {
            let n = cells.n_place_bytes();
            encoder.copy_buffer_to_buffer(&cells.buffer, from * n, &self.bounce, offset, n);
            offset += n;
        }
        offset = 0;
        for cells in alike() {
            let n = cells.n_place_bytes();
            encoder.copy_buffer_to_buffer(&self.bounce, offset, &cells.buffer, to * n, n);
            offset += n;
        }
        gpu.put_off(encoder);
        gpu.check()
    }

    /// Makes the bind group of some states, where there is none since the pool has this size.
    ///
    /// # Errors
    /// A state that the pool lacks.
    pub(crate) fn bind(
        &mut self,
        gpu: &Gpu,
        layout: &BindGroupLayout,
        reach: &Reach,
    ) -> Result<(), BackendError> {
        if self.groups.contains_key(reach) {
            return Ok(());
        }
        let n_places = self.cells.len();
        let missing = reach.ids.iter().find(|id| id.0 as usize >= n_places);
        if let Some(id) = missing {
            return Err(BackendError::Place { what: "state", found: Some(id.0), n_places });
        }
        let entry = |(i, id): (usize, &StateId)| BindGroupEntry {
            binding: i as u32,
            resource: self.cells[id.0 as usize].buffer.as_entire_binding(),
        };
        let entries: Vec<BindGroupEntry<'_>> = reach.ids.iter().enumerate().map(entry).collect();
        gpu.counters.bind_groups.fetch_add(1, Ordering::Relaxed);
        let group = gpu.device.create_bind_group(&BindGroupDescriptor {
            label: Some("states"),
            layout,
            entries: &entries,
        });
        self.groups.insert(reach.clone(), group);
        Ok(())
    }

    /// A bind group that was made.
    pub(crate) fn group(&self, reach: &Reach) -> Option<&BindGroup> {
        self.groups.get(reach)
    }
}
