// y = N(x), or y += N(x), N(x) = w · (x − m) / √(mean((x − m)²) + ε), m = 0 or mean(x)

// Mirrors hala_plan's.
struct Params {
    // D
    width: u32,
    eps: f32,
    layer: u32,
    add: u32,
}

#include "shared/placement.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, D]
@group(0) @binding(3) var<storage, read> x: array<f32>;
// [D]
@group(0) @binding(4) var<storage, read> norm: array<f32>;
// [T, D]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

const LANES: u32 = 64u;

var<workgroup> parts: array<f32, LANES>;

// The sum of what all lanes bring.
fn sum_of(part: f32, lane: u32) -> f32 {
    workgroupBarrier();
    parts[lane] = part;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < LANES; i++) {
        total += parts[i];
    }
    return total;
}

// A token a workgroup.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * placement.y_stride;
    var mean = 0.0;
    if params.layer == 1u {
        var sum = 0.0;
        for (var i = lane; i < params.width; i += LANES) {
            sum += x[row + i];
        }
        mean = sum_of(sum, lane) / f32(params.width);
    }
    var squares = 0.0;
    for (var i = lane; i < params.width; i += LANES) {
        let centred = x[row + i] - mean;
        squares += centred * centred;
    }
    let factor = inverseSqrt(sum_of(squares, lane) / f32(params.width) + params.eps);
    for (var i = lane; i < params.width; i += LANES) {
        let normed = norm[i] * ((x[row + i] - mean) * factor);
        y[row + i] = select(normed, y[row + i] + normed, params.add == 1u);
    }
}
