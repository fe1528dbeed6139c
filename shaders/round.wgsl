// y = q(x / s) · s, q the nearest int8 or E4M3, s given or the largest |x| of a group of columns over half of the codes' range

// Mirrors hala_plan's.
struct Params {
    // I
    n_columns: u32,
    group: u32,
    // 0 where each group has its own.
    scale: f32,
    e4m3: u32,
}

#include "shared/placement.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, I]
@group(0) @binding(3) var<storage, read> x: array<f32>;
// [T, I]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const LANES: u32 = 64u;

var<workgroup> largest: array<f32, LANES>;

// The nearest E4M3, ties to even: three bits after the first, from 2^-6 on.
fn nearest_e4m3(z: f32) -> f32 {
    let bounded = clamp(z, -448.0, 448.0);
    let exponent = max(i32((bitcast<u32>(bounded) >> 23u) & 255u) - 127, -6);
    let step = bitcast<f32>(u32(exponent - 3 + 127) << 23u);
    return round(bounded / step) * step;
}

// A group of columns of a token a workgroup.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * placement.y_stride;
    let first = group.x * params.group;
    let end = min(first + params.group, params.n_columns);
    var own = 0.0;
    for (var i = first + lane; i < end; i += LANES) {
        own = max(own, abs(x[row + i]));
    }
    largest[lane] = own;
    workgroupBarrier();
    var scale = params.scale;
    if scale == 0.0 {
        for (var i = 0u; i < LANES; i++) {
            scale = max(scale, largest[i]);
        }
        scale /= select(127.5, 448.0, params.e4m3 == 1u);
    }
    for (var i = first + lane; i < end; i += LANES) {
        var z = x[row + i];
        // Of zeros nothing is lost.
        if scale > 0.0 {
            let code = z / scale;
            z = select(round(clamp(code, -128.0, 127.0)), nearest_e4m3(code), params.e4m3 == 1u) * scale;
        }
        y[row + i] = z;
    }
}
