// y = [a, b, c]: the columns of two or three buffers side by side

// Mirrors hala_plan's.
struct Params {
    // I of each part; 0 past the last one
    n_columns_0: u32,
    n_columns_1: u32,
    n_columns_2: u32,
}

#include "shared/placement.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, I] each
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(5) var<storage, read> c: array<f32>;
// [T, ΣI]
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

// Elements that every row of activations is padded to a multiple of: 256 bytes.
const PADDED_TO: u32 = 64u;

// Elements in a row of a part.
fn stride(n_columns: u32) -> u32 {
    return (n_columns + PADDED_TO - 1u) / PADDED_TO * PADDED_TO;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_ab = params.n_columns_0 + params.n_columns_1;
    let at = id.y * placement.y_stride + id.x;
    if id.x < params.n_columns_0 {
        y[at] = a[id.y * stride(params.n_columns_0) + id.x];
    } else if id.x < n_ab {
        y[at] = b[id.y * stride(params.n_columns_1) + id.x - params.n_columns_0];
    } else if id.x < n_ab + params.n_columns_2 {
        y[at] = c[id.y * stride(params.n_columns_2) + id.x - n_ab];
    }
}
