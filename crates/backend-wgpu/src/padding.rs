//! How rows of activations are padded, and what of them a window shows.

use hala_tensor::Shape;

/// Bytes of a uniform window of activations: all that every device can bind.
pub(crate) const WINDOW_BYTES: u64 = hala_shaders::constant("matmul.f32.lanes", "WINDOW_BYTES") as u64;

/// Elements that rows are padded to a multiple of.
const PADDED_TO: usize = hala_shaders::constant("concat", "PADDED_TO") as usize;

/// Elements of a padded row: a multiple of 256 bytes, where every device lets a uniform begin.
pub(crate) fn stride(n_columns: usize) -> usize {
    n_columns.next_multiple_of(PADDED_TO)
}

/// Bytes of a padded f32 buffer.
pub(crate) fn padded_bytes(shape: Shape) -> usize {
    shape.n_rows() * stride(shape.n_columns()) * 4
}

/// Copies rows of a padded buffer without their padding.
pub(crate) fn unpad(bytes: &[u8], n_columns: usize, out: &mut Vec<f32>) {
    out.clear();
    let values: &[f32] = bytemuck::cast_slice(bytes);
    for row in values.chunks(stride(n_columns)) {
        out.extend_from_slice(&row[..n_columns]);
    }
}
