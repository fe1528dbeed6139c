// y[i] = x[wanted[i]]: the rows whose logits are wanted, side by side

// Mirrors hala_plan's.
struct Params {
    // D
    width: u32,
}

#include "shared/placement.wgsl"
#include "shared/run.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, D]
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
// [W, D]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// A quad of a row a thread.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x * 4u < params.width {
        y[id.y * placement.x_quads + id.x] = x[wanted(id.y) * placement.x_quads + id.x];
    }
}
