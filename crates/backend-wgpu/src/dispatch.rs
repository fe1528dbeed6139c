//! Dispatches: described with the buffers that a kernel binds by name, then made with all their uniforms in one buffer.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hala_plan::{Axis, BackendError, StateId};
use hala_shaders::Variant;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferUsages,
    ComputePass,
};

use crate::gpu::Gpu;
use crate::grid::{Extent, Tokens};
use crate::padding::WINDOW_BYTES;
use crate::pipelines::{Pipeline, Pipelines};
use crate::placement::Placement;
use crate::state::{Reach, States};

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

/// A dispatch to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) kernel: &'static Variant,
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
            let pipeline = self.pipelines.get(self.gpu, call.kernel)?;
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
