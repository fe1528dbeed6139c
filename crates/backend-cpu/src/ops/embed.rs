//! `y[t] = table[ids[t]] · scale`

use hala_plan::ops::embed::Params;
use hala_tensor::Tensor;

/// `ids [T]`, `table [V, D]`, `y [T, D]`
pub(crate) fn run(params: &Params, ids: &[u32], table: &Tensor, y: &mut [f32]) {
    let width = table.shape().n_columns();
    for (id, row) in ids.iter().zip(y.chunks_exact_mut(width)) {
        table.row(*id as usize, row);
        row.iter_mut().for_each(|y| *y *= params.scale);
    }
}
