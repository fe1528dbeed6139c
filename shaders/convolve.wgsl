// u = B ⊙ X; v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k] + c; y = C ⊙ v, of [B, C, X] that were projected before

// Mirrors hala_plan's.
struct Params {
    // D
    width: u32,
    n_taps: u32,
    bias: u32,
}

#include "shared/placement.wgsl"
#include "shared/run.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, 3D]
@group(0) @binding(3) var<storage, read> projected: array<f32>;
// [D]
@group(0) @binding(4) var<storage, read> conv_bias: array<f32>;
// [T, D]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

fn taps_before() -> u32 {
    return params.n_taps - 1u;
}

#include "shared/convolve.wgsl"

// One channel of all tokens of a span, from what was projected before.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x;
    if channel >= params.width {
        return;
    }
    var added = 0.0;
    if params.bias == 1u {
        added = conv_bias[channel];
    }
    let span = span_at(id.y);
    let slot = slot_of(id.y);
    for (var token = span.first_row; token < span.first_row + span.n_rows; token++) {
        let row = token * placement.x_quads * 4u + channel;
        let u = projected[row] * projected[row + 2u * params.width];
        let v = convolve(slot, channel, u) + added;
        y[token * placement.y_stride + channel] = projected[row + params.width] * v;
    }
}
