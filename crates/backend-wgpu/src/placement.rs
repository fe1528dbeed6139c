//! Where a matrix and its rows of activations lie in their buffers: `shaders/shared/placement.wgsl`, which explains the fields.

use bytemuck::{Pod, Zeroable};

/// The uniform `placement`.
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
    /// `Shared::make` writes it.
    pub(crate) axis: u32,
}
