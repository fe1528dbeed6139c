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

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use hala_shaders::VARIANTS;

    use super::*;

    /// Name and first byte of each word. The pattern breaks the build where a field is not listed.
    macro_rules! words {
        ($($field:ident),+) => {{
            let Placement { $($field: _),+ } = Placement::default();
            let words = |name: &str, offset: usize, n: usize| -> Vec<(String, usize)> {
                match n {
                    1 => vec![(name.to_owned(), offset)],
                    // WGSL has no array of words in a uniform, so an array is its words by number.
                    n => (0..n).map(|i| (format!("{name}_{i}"), offset + 4 * i)).collect(),
                }
            };
            [$(words(
                stringify!($field),
                offset_of!(Placement, $field),
                size_of_val(&Placement::default().$field) / 4,
            )),+].concat()
        }};
    }

    #[test]
    fn every_kernel_reads_a_placement_where_it_lies() {
        let words = words!(
            row_blocks,
            scales,
            row_scales,
            scale_shift,
            x_quads,
            y_stride,
            y_offset,
            first_row,
            end_row,
            first_token,
            axis
        );
        assert_eq!(4 * words.len(), size_of::<Placement>(), "padding");
        let mut n_kernels = 0;
        for kernel in VARIANTS {
            let Some(binding) = kernel.bindings.iter().find(|binding| binding.name == "placement") else {
                continue;
            };
            let members: Vec<(String, usize)> =
                binding.members.iter().map(|m| (m.name.to_owned(), m.offset as usize)).collect();
            assert_eq!(members, words, "{}", kernel.name);
            assert!(binding.members.iter().all(|m| m.size == 4), "{}", kernel.name);
            n_kernels += 1;
        }
        assert!(n_kernels > 0);
    }
}
