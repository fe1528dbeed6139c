//! Dispatches: described with the buffers that a kernel binds by name, then made with all their uniforms in one buffer.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytemuck::{Pod, Zeroable};
use hala_plan::{BackendError, StepInput};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferUsages,
    ComputePass,
};

use crate::gpu::Gpu;
use crate::pipelines::{Pipeline, Pipelines};
use crate::spread::{SPLIT, TILE_ROWS};

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
}

/// Workgroups along y.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    /// One.
    One,
    /// One, for the last token: a window begins at its row.
    Last {
        /// Bytes of a row of activations.
        row_bytes: u32,
    },
    /// One for each so many tokens of the run.
    Each(u32),
    /// One where the run has more tokens than so many.
    Past(u32),
    /// One for each [`TILE_ROWS`] rows, of which a token has so many.
    Tiles(u32),
    /// One where the run's last token sees so many positions at most.
    Short(u32),
    /// One for each [`SPLIT`] positions where it sees more than so many.
    Parts(u32),
    /// One where it sees more than so many.
    Long(u32),
}

/// Where a run's tokens stand, and how many they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Tokens that the state holds already.
    pub(crate) position: u32,
    pub(crate) n_tokens: u32,
}

impl Extent {
    pub(crate) fn of(input: StepInput<'_>) -> Self {
        Self { position: input.position as u32, n_tokens: input.ids.len() as u32 }
    }
}

impl Tokens {
    /// Bytes that the window of activations is moved by.
    fn window_offset(self, run: Extent) -> u32 {
        match self {
            Self::Last { row_bytes } => (run.n_tokens - 1) * row_bytes,
            _ => 0,
        }
    }

    /// Workgroups along y for a run.
    fn count(self, run: Extent) -> u32 {
        let Extent { position, n_tokens } = run;
        let n_seen = position + n_tokens;
        match self {
            Self::One | Self::Last { .. } => 1,
            Self::Each(n) => n_tokens.div_ceil(n),
            Self::Past(n) => u32::from(n_tokens > n),
            Self::Tiles(n_rows) => (n_tokens * n_rows).div_ceil(TILE_ROWS),
            Self::Short(n) => u32::from(n_seen <= n),
            Self::Parts(n) if n_seen <= n => 0,
            Self::Parts(_) => n_seen.div_ceil(SPLIT),
            Self::Long(n) => u32::from(n_seen > n),
        }
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
    /// Workgroups along x.
    pub(crate) n_groups: u32,
    pub(crate) tokens: Tokens,
}

/// A dispatch that is ready.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// The step of the Plan that it belongs to.
    pub(crate) step: usize,
    pipeline: Arc<Pipeline>,
    bind_group: BindGroup,
    n_groups: u32,
    tokens: Tokens,
}

impl Dispatch {
    /// Name of the variant.
    pub(crate) fn kernel(&self) -> &'static str {
        self.pipeline.variant.name
    }

    /// Whether a run needs it.
    pub(crate) fn is_needed(&self, run: Extent) -> bool {
        self.tokens.count(run) > 0
    }

    /// Records the dispatch for a run that needs it.
    pub(crate) fn record(&self, pass: &mut ComputePass<'_>, run: Extent) {
        pass.set_pipeline(&self.pipeline.pipeline);
        let moved = [self.tokens.window_offset(run)];
        pass.set_bind_group(0, &self.bind_group, if self.pipeline.moves { &moved } else { &[] });
        pass.dispatch_workgroups(self.n_groups, self.tokens.count(run), 1);
    }
}

/// What all dispatches of a Plan share.
pub(crate) struct Shared<'a> {
    pub(crate) gpu: &'a Gpu,
    pub(crate) pipelines: &'a Pipelines,
    /// The uniform `step`.
    pub(crate) step: &'a Buffer,
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
            offsets.push([place(&call.params), place(bytemuck::bytes_of(&call.placement))]);
        }
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let uniforms = self.gpu.buffer("uniforms", bytes.len(), usage)?;
        self.gpu.queue.write_buffer(&uniforms, 0, &bytes);
        let mut dispatches = Vec::new();
        for ((step, call), offsets) in calls.iter().zip(offsets) {
            let pipeline = self.pipelines.get(self.gpu, &call.variant)?;
            let bind_group = self.bind(&pipeline, call, &uniforms, offsets);
            let Call { n_groups, tokens, .. } = *call;
            dispatches.push(Dispatch { step: *step, pipeline, bind_group, n_groups, tokens });
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
            "step" => self.step.as_entire_binding(),
            name => match call.buffers.iter().find(|bound| bound.name == name) {
                Some(Bound { buffer, window: Some(offset), .. }) => part(buffer, *offset, WINDOW_BYTES),
                Some(Bound { buffer, window: None, .. }) => buffer.as_entire_binding(),
                None => self.unused.as_entire_binding(),
            },
        };
        let bindings = pipeline.variant.bindings.iter();
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
