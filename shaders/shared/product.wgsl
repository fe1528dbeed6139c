// The inputs of a product with up to three matrices: bindings, the matrix that a row belongs to, its blocks and scales.
//
// Needs `params.n_out_0` and `n_out_1`, and defines how rows are counted: 0 … n_out_0 are the first matrix's, then the
// second's, then the third's. MATRICES is 1, 2 or 3.

#include "shared/placement.wgsl"
#include "shared/step.wgsl"
#include "shared/weight.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, I]
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
// [I]
@group(0) @binding(4) var<storage, read> norm: array<vec4<f32>>;
// [O, I], and so are the others.
@group(0) @binding(5) var<storage, read> w0: array<vec4<u32>>;
#if TWO || THREE
@group(0) @binding(6) var<storage, read> w1: array<vec4<u32>>;
#endif
#if THREE
@group(0) @binding(7) var<storage, read> w2: array<vec4<u32>>;
#endif

// A row of one of the matrices.
struct Row {
    matrix: u32,
    idx: u32,
}

fn block_of(row: Row, block: u32) -> vec4<u32> {
    let i = row.idx * placement.row_blocks + block;
#if THREE
    if row.matrix == 2u {
        return w2[i];
    }
#endif
#if TWO || THREE
    if row.matrix == 1u {
        return w1[i];
    }
#endif
    return w0[i];
}

// The scale of a block.
fn scale_of(row: Row, block: u32) -> f32 {
#if WEIGHT_INT8 || WEIGHT_E4M3
    let i = row.idx * placement.row_scales + (block >> placement.scale_shift);
#if THREE
    if row.matrix == 2u {
        let word = placement.scales_2 + i;
        return bitcast<f32>(w2[word >> 2u][word & 3u]);
    }
#endif
#if TWO || THREE
    if row.matrix == 1u {
        let word = placement.scales_1 + i;
        return bitcast<f32>(w1[word >> 2u][word & 3u]);
    }
#endif
    let word = placement.scales_0 + i;
    return bitcast<f32>(w0[word >> 2u][word & 3u]);
#else
    return 1.0;
#endif
}
