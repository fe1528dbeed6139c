// x = cap · tanh(x / cap), in place

// Mirrors hala_plan's.
struct Params {
    // I
    n_columns: u32,
    cap: f32,
}

#include "shared/placement.wgsl"
#include "shared/tanh.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, I]
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.n_columns {
        let at = id.y * placement.y_stride + id.x;
        x[at] = capped(x[at], params.cap);
    }
}
