// y = act(a) ⊙ b, act = silu, gelu or sigmoid, a gate for each column or for a few side by side

// Mirrors hala_plan's.
struct Params {
    // F
    n_columns: u32,
    n_each: u32,
    activation: u32,
}

#include "shared/placement.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, F / n_each]
@group(0) @binding(3) var<storage, read> a: array<f32>;
// [T, F]
@group(0) @binding(4) var<storage, read> b: array<f32>;
// [T, F]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

#include "shared/gate.wgsl"

const SIGMOID: u32 = 2u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.n_columns {
        let at = id.y * placement.y_stride + id.x;
        let z = a[id.y * placement.x_quads * 4u + id.x / params.n_each];
        if params.activation == SIGMOID {
            y[at] = b[at] / (1.0 + exp(-z));
        } else {
            y[at] = gate(params.activation, z, b[at]);
        }
    }
}
