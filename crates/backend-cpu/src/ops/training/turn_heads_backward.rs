//! The gradient of `turn_heads`: back by the same angles, then through the norm, sums in f64.

use hala_plan::ops::training::turn_heads_backward::Params;

use super::norm_backward::Normed;
use super::turn_heads::{Head, Inputs, turn};

/// `dturned [T, (H + 2K)·A]`, `dqkv [T, (H + 2K)·A]`, `dnorms [A]` of queries and of keys, which are added to
pub(crate) fn run(
    params: &Params,
    inputs: Inputs<'_>,
    dturned: &[f32],
    dqkv: &mut [f32],
    dnorms: &mut [&mut [f32]],
) {
    let (width, size) = (params.heads.width(), params.heads.head_size as usize);
    let mut sums = [vec![0.0f64; size], vec![0.0f64; size]];
    for document in inputs.rows.documents() {
        for (position, t) in document.enumerate() {
            let heads = dqkv[t * width..][..width].chunks_exact_mut(size);
            for (idx, dx) in heads.enumerate() {
                let head = Head::of(params, idx);
                let start = t * width + idx * size;
                dx.copy_from_slice(&dturned[start..start + size]);
                if head != Head::Value
                    && let Some(rope) = inputs.rope
                {
                    turn(params, &rope[position * size..][..size], -1.0, dx);
                }
                if let Some(norm) = head.norm(inputs.norms) {
                    let x = &inputs.qkv[start..start + size];
                    norm_head(params, [x, norm], dx, &mut sums[usize::from(head == Head::Key)]);
                }
            }
        }
    }
    for (dnorm, sums) in dnorms.iter_mut().zip(sums) {
        dnorm.iter_mut().zip(sums).for_each(|(dnorm, sum)| *dnorm = (f64::from(*dnorm) + sum) as f32);
    }
}

/// Goes back through the norm of one head `x [A]`; `sums [A]` are those of the norm's weights.
fn norm_head(params: &Params, [x, weight]: [&[f32]; 2], dx: &mut [f32], sums: &mut [f64]) {
    let normed = Normed::of(x, params.eps, false);
    for (sum, (dy, x)) in sums.iter_mut().zip(dx.iter().zip(&normed.x)) {
        *sum += f64::from(*dy) * x;
    }
    let g: Vec<f64> = dx.iter().zip(weight).map(|(dy, w)| f64::from(*dy) * f64::from(*w)).collect();
    dx.iter_mut().zip(normed.gradient(&g)).for_each(|(dx, found)| *dx = found as f32);
}
