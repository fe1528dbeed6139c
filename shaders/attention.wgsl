// y = Σₛ softmax over s ≤ p of (q · keys[s] · scale) · values[s], H / K query heads sharing a key/value head

// Mirrors hala_plan's.
struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    head_size: u32,
    capacity: u32,
    scale: f32,
}

#include "shared/placement.wgsl"
#include "shared/step.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, H·A]
@group(0) @binding(3) var<storage, read> q: array<f32>;
// [K, S, A]
#if CACHE_F16
@group(0) @binding(4) var<storage, read> keys: array<u32>;
@group(0) @binding(5) var<storage, read> values: array<u32>;
#else
@group(0) @binding(4) var<storage, read> keys: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> values: array<vec2<f32>>;
#endif
// [T, H·A]
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

// Positions that are looked at together: one a thread.
const TILE: u32 = 64u;

// Elements of a head that fit.
const MAX_HEAD: u32 = 256u;

var<workgroup> query: array<vec2<f32>, MAX_HEAD / 2u>;
var<workgroup> scores: array<f32, TILE>;

fn key_pair(i: u32) -> vec2<f32> {
#if CACHE_F16
    return unpack2x16float(keys[i]);
#else
    return keys[i];
#endif
}

fn value_pair(i: u32) -> vec2<f32> {
#if CACHE_F16
    return unpack2x16float(values[i]);
#else
    return values[i];
#endif
}

// One query head of one token; each thread holds the pairs lane, lane + 64 of y.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let token = group.y;
    let n_pairs = params.head_size / 2u;
    let n_seen = step.position + token + 1u;
    let kv_head = head / (params.n_heads / params.n_kv_heads);
    let cell = kv_head * params.capacity * n_pairs;
    let first = token * placement.x_quads * 4u + head * params.head_size;
    for (var i = lane; i < n_pairs; i += 64u) {
        query[i] = vec2<f32>(q[first + 2u * i], q[first + 2u * i + 1u]) * params.scale;
    }
    workgroupBarrier();
    var max_seen = -3.4e38;
    var total = 0.0;
    var sums = array<vec2<f32>, 2>();
    for (var tile = 0u; tile < n_seen; tile += TILE) {
        let position = tile + lane;
        var score = -3.4e38;
        if position < n_seen {
            var sum = 0.0;
            for (var i = 0u; i < n_pairs; i++) {
                sum += dot(query[i], key_pair(cell + position * n_pairs + i));
            }
            score = sum;
        }
        scores[lane] = score;
        workgroupBarrier();
        let n = min(TILE, n_seen - tile);
        var tile_max = max_seen;
        for (var s = 0u; s < n; s++) {
            tile_max = max(tile_max, scores[s]);
        }
        let shrink = exp(max_seen - tile_max);
        total *= shrink;
        sums[0] *= shrink;
        sums[1] *= shrink;
        max_seen = tile_max;
        for (var s = 0u; s < n; s++) {
            let share = exp(scores[s] - tile_max);
            total += share;
            let row = cell + (tile + s) * n_pairs;
            if lane < n_pairs {
                sums[0] += share * value_pair(row + lane);
            }
            if lane + 64u < n_pairs {
                sums[1] += share * value_pair(row + lane + 64u);
            }
        }
        workgroupBarrier();
    }
    let out = token * placement.y_stride + head * params.head_size;
    for (var i = 0u; i < 2u; i++) {
        let pair = lane + 64u * i;
        if pair < n_pairs {
            y[out + 2u * pair] = sums[i].x / total;
            y[out + 2u * pair + 1u] = sums[i].y / total;
        }
    }
}
