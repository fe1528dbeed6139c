//! Dispatches: described with the buffers that a kernel binds by name, then made with all their uniforms in one buffer.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytemuck::{Pod, Zeroable};
use hala_plan::{Axis, BackendError, Rows, Span, StateId};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferUsages,
    ComputePass,
};

use crate::gpu::Gpu;
use crate::pipelines::{Pipeline, Pipelines};
use crate::spread::{SPLIT, TILE_ROWS};
use crate::state::{Reach, States};

/// Where a matrix and its rows of activations lie; mirrors `shaders/shared/placement.wgsl`, which explains the fields.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Placement {
    pub(crate) row_blocks: u32,
    pub(crate) scales: [u32; 3],
    pub(crate) row_scales: u32,
    pub(crate) scale_shift: u32,
    pub(crate) x_quads: u32,
    pub(crate) y_stride: u32,
    pub(crate) y_offset: u32,
    pub(crate) first_row: u32,
    pub(crate) end_row: u32,
    pub(crate) first_token: u32,
    /// [`Shared::make`] writes it.
    pub(crate) axis: u32,
}

/// Workgroups along y and z: kernels find their rows along y, and their part of a long cache along z.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    /// One.
    One,
    /// One for each so many rows.
    Each(u32),
    /// One where there are more rows than so many.
    Past(u32),
    /// One for each span.
    Spans,
    /// One for each [`TILE_ROWS`] rows of a span, of which a token has so many.
    Tiles(u32),
    /// One for each row, where none sees more than so many positions.
    Short(u32),
    /// One for each row, and along z for each [`SPLIT`] positions, where some row sees more than so many.
    Parts(u32),
    /// One for each row, where some row sees more than so many.
    Long(u32),
}

/// What of a run decides how many workgroups it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent<'a> {
    n_rows: u32,
    n_wanted: u32,
    spans: &'a [Span<'a>],
    /// The most positions that a row sees, if it has no window.
    n_seen: u32,
}

impl<'a> Extent<'a> {
    pub(crate) fn of(rows: &Rows<'a>) -> Self {
        Self {
            n_rows: rows.ids.len() as u32,
            n_wanted: rows.wanted.len() as u32,
            spans: rows.spans,
            n_seen: rows.spans.iter().map(Span::end).max().unwrap_or(0) as u32,
        }
    }

    fn along(self, axis: Axis) -> u32 {
        if axis == Axis::Wanted { self.n_wanted } else { self.n_rows }
    }
}

impl Tokens {
    /// Workgroups along y and z for a run, whose rows are those of `axis`.
    fn count(self, run: Extent<'_>, axis: Axis) -> [u32; 2] {
        let (n, n_seen) = (run.along(axis), run.n_seen);
        let tiles = |n_rows: u32| {
            run.spans.iter().map(|span| (span.n_rows as u32 * n_rows).div_ceil(TILE_ROWS)).sum()
        };
        let n_along_y = match self {
            Self::One => u32::from(n > 0),
            Self::Each(n_rows) => n.div_ceil(n_rows),
            Self::Past(n_rows) => u32::from(n > n_rows),
            Self::Spans => run.spans.len() as u32,
            Self::Tiles(n_rows) => tiles(n_rows),
            Self::Short(few) => {
                if n_seen <= few {
                    n
                } else {
                    0
                }
            }
            Self::Parts(few) | Self::Long(few) => {
                if n_seen > few {
                    n
                } else {
                    0
                }
            }
        };
        [n_along_y, if matches!(self, Self::Parts(_)) { n_seen.div_ceil(SPLIT) } else { 1 }]
    }
}

/// A buffer, or a window of it, by its name in a kernel.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) name: &'static str,
    pub(crate) buffer: Buffer,
    /// Bytes before the window; [`WINDOW_BYTES`] of it are bound.
    pub(crate) window: Option<u64>,
}

/// A whole buffer.
pub(crate) fn whole(name: &'static str, buffer: Buffer) -> Bound {
    Bound { name, buffer, window: None }
}

/// Bytes of a uniform window of activations: `Window` in `shaders/shared/product.wgsl`, and all that every device can bind.
pub(crate) const WINDOW_BYTES: u64 = 64 << 10;

/// Tokens of the windows of one dispatch.
pub(crate) const WINDOW_ROWS: usize = 8;

/// A dispatch to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Name of the variant.
    pub(crate) variant: String,
    /// The uniform `params`.
    pub(crate) params: Vec<u8>,
    pub(crate) placement: Placement,
    /// Buffers by their names in the kernel; names that it lacks are passed over.
    pub(crate) buffers: Vec<Bound>,
    /// States by their bindings, for kernels that see any.
    pub(crate) states: Vec<StateId>,
    /// Workgroups along x.
    pub(crate) n_groups: u32,
    pub(crate) tokens: Tokens,
    /// Which rows of a run those are.
    pub(crate) axis: Axis,
}

/// A dispatch that is ready.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// The step of the Plan that it belongs to.
    pub(crate) step: usize,
    pipeline: Arc<Pipeline>,
    bind_group: BindGroup,
    /// What it sees of a pool of states.
    reach: Option<Reach>,
    n_groups: u32,
    tokens: Tokens,
    axis: Axis,
}

impl Dispatch {
    /// Name of the variant.
    pub(crate) fn kernel(&self) -> &'static str {
        self.pipeline.variant.name
    }

    /// Whether a run needs it.
    pub(crate) fn is_needed(&self, run: Extent<'_>) -> bool {
        self.tokens.count(run, self.axis)[0] > 0
    }

    /// Makes what it sees of a pool of states, where that is not made yet.
    ///
    /// # Errors
    /// A pool that lacks a state.
    pub(crate) fn bind(&self, gpu: &Gpu, states: &mut States) -> Result<(), BackendError> {
        match (&self.reach, &self.pipeline.states) {
            (Some(reach), Some((layout, _))) => states.bind(gpu, layout, reach),
            _ => Ok(()),
        }
    }

    /// Records the dispatch for a run that needs it.
    pub(crate) fn record(&self, pass: &mut ComputePass<'_>, states: &States, run: Extent<'_>) {
        let [y, z] = self.tokens.count(run, self.axis);
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        if let Some(group) = self.reach.as_ref().and_then(|reach| states.group(reach)) {
            pass.set_bind_group(1, group, &[]);
        }
        pass.dispatch_workgroups(self.n_groups, y, z);
    }
}

/// What all dispatches of a Plan share.
pub(crate) struct Shared<'a> {
    pub(crate) gpu: &'a Gpu,
    pub(crate) pipelines: &'a Pipelines,
    /// The inputs of a run.
    pub(crate) run: &'a Buffer,
    /// Bound where a kernel has a buffer that this call has no use for.
    pub(crate) unused: &'a Buffer,
}

impl Shared<'_> {
    /// Makes the dispatches of all calls, each with the step that it belongs to.
    ///
    /// # Errors
    /// The driver refuses a kernel, or there is no memory.
    pub(crate) fn make(&self, calls: &[(usize, Call)]) -> Result<Vec<Dispatch>, BackendError> {
        let align = self.gpu.device.limits().min_uniform_buffer_offset_alignment.max(16) as usize;
        let mut bytes = Vec::new();
        let mut place = |part: &[u8]| {
            let offset = bytes.len();
            bytes.extend_from_slice(part);
            bytes.resize(bytes.len().next_multiple_of(align), 0);
            offset as u64
        };
        let mut offsets = Vec::new();
        for (_, call) in calls {
            let placement = Placement { axis: u32::from(call.axis == Axis::Wanted), ..call.placement };
            offsets.push([place(&call.params), place(bytemuck::bytes_of(&placement))]);
        }
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let uniforms = self.gpu.buffer("uniforms", bytes.len(), usage)?;
        self.gpu.queue.write_buffer(&uniforms, 0, &bytes);
        let mut dispatches = Vec::new();
        for ((step, call), offsets) in calls.iter().zip(offsets) {
            let pipeline = self.pipelines.get(self.gpu, &call.variant)?;
            let bind_group = self.bind(&pipeline, call, &uniforms, offsets);
            let reach = pipeline.states.as_ref();
            let reach = reach.map(|(_, kind)| Reach { kind: *kind, ids: call.states.clone() });
            let Call { n_groups, tokens, axis, .. } = *call;
            dispatches.push(Dispatch { step: *step, pipeline, bind_group, reach, n_groups, tokens, axis });
        }
        self.gpu.check()?;
        Ok(dispatches)
    }

    fn bind(
        &self,
        pipeline: &Pipeline,
        call: &Call,
        uniforms: &Buffer,
        [params, placement]: [u64; 2],
    ) -> BindGroup {
        let part = |buffer, offset, n_bytes| {
            BindingResource::Buffer(BufferBinding { buffer, offset, size: NonZeroU64::new(n_bytes) })
        };
        let resource = |name: &str| match name {
            "params" => part(uniforms, params, call.params.len() as u64),
            "placement" => part(uniforms, placement, size_of::<Placement>() as u64),
            "run" => self.run.as_entire_binding(),
            name => match call.buffers.iter().find(|bound| bound.name == name) {
                Some(Bound { buffer, window: Some(offset), .. }) => part(buffer, *offset, WINDOW_BYTES),
                Some(Bound { buffer, window: None, .. }) => buffer.as_entire_binding(),
                None => self.unused.as_entire_binding(),
            },
        };
        let bindings = pipeline.variant.bindings.iter().filter(|binding| binding.group == 0);
        let entries: Vec<BindGroupEntry<'_>> =
            bindings.map(|b| BindGroupEntry { binding: b.binding, resource: resource(b.name) }).collect();
        self.gpu.counters.bind_groups.fetch_add(1, Ordering::Relaxed);
        self.gpu.device.create_bind_group(&BindGroupDescriptor {
            label: Some(pipeline.variant.name),
            layout: &pipeline.layout,
            entries: &entries,
        })
    }
}
