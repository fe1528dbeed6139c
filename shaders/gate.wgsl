// y = act(a) ⊙ b, act = silu or gelu

// Mirrors hala_plan's.
struct Params {
    // F
    n_columns: u32,
    gelu: u32,
}

#include "shared/placement.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, F]
@group(0) @binding(3) var<storage, read> a: array<f32>;
// [T, F]
@group(0) @binding(4) var<storage, read> b: array<f32>;
// [T, F]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

#include "shared/gate.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.n_columns {
        let at = id.y * placement.y_stride + id.x;
        y[at] = gate(a[at], b[at]);
    }
}
