//! `dtable[ids[t]] += scale · dy[t]`, in the order of the rows.

use hala_plan::ops::training::embed_backward::Params;

/// `ids [T]`, `dy [T, D]`, `dtable [V, D]`
pub(crate) fn run(params: &Params, ids: &[u32], dy: &[f32], dtable: &mut [f32]) {
    let width = params.width as usize;
    for (id, dy) in ids.iter().zip(dy.chunks_exact(width)) {
        let row = &mut dtable[*id as usize * width..][..width];
        row.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += params.scale * dy);
    }
}
