// z = w · h / √(mean(h²) + ε), or h, for each head h of q and k, turned by the rope table's angles; k and v go into the cache

// Mirrors hala_plan's.
struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    head_size: u32,
    n_positions: u32,
    eps: f32,
    norm: u32,
    // 1 for pairs of halves, 2 for neighbours.
    turn: u32,
    table: u32,
}

#include "shared/placement.wgsl"
#include "shared/run.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, (H + 2K)·A]
@group(0) @binding(3) var<storage, read> qkv: array<f32>;
// [A]
@group(0) @binding(4) var<storage, read> q_norm: array<f32>;
// [A]
@group(0) @binding(5) var<storage, read> k_norm: array<f32>;
// [S, A]
@group(0) @binding(6) var<storage, read> rope: array<f32>;
// [T, H·A]
@group(0) @binding(7) var<storage, read_write> q: array<f32>;
// Pages of [K, PAGE, A]
#if CACHE_F16
@group(1) @binding(0) var<storage, read_write> keys: array<u32>;
@group(1) @binding(1) var<storage, read_write> values: array<u32>;
#else
@group(1) @binding(0) var<storage, read_write> keys: array<f32>;
@group(1) @binding(1) var<storage, read_write> values: array<f32>;
#endif

const LANES: u32 = 32u;

var<workgroup> squares: array<f32, LANES>;

// 1 / √(mean(h²) + ε) of a head that begins at `first`.
fn inverse_rms(first: u32, lane: u32) -> f32 {
    var sum = 0.0;
    for (var i = lane; i < params.head_size; i += LANES) {
        sum += qkv[first + i] * qkv[first + i];
    }
    squares[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < LANES; i++) {
        total += squares[i];
    }
    return inverseSqrt(total / f32(params.head_size) + params.eps);
}

// Element `i` of a turned head that begins at `first`.
fn turned(first: u32, i: u32, position: u32, is_key: bool, factor: f32) -> f32 {
    let half = params.head_size / 2u;
    var pair = select(i - half, i, i < half);
    // The pair's elements: the first, and how far the other is.
    var a = pair;
    var apart = half;
    if params.turn == 2u {
        pair = i / 2u;
        a = 2u * pair;
        apart = 1u;
    }
    var z = vec2<f32>(qkv[first + a], qkv[first + a + apart]);
    if params.norm == 1u {
        var weights = vec2<f32>(q_norm[a], q_norm[a + apart]);
        if is_key {
            weights = vec2<f32>(k_norm[a], k_norm[a + apart]);
        }
        z *= weights * factor;
    }
    var angle = vec2<f32>(1.0, 0.0);
    if params.turn > 0u {
        // Rows of weights are padded to whole quads.
        let row = position * ((params.head_size + 3u) & ~3u);
        angle = vec2<f32>(rope[row + pair], rope[row + pair + half]);
    }
    return select(z.y * angle.x + z.x * angle.y, z.x * angle.x - z.y * angle.y, i == a);
}

// One head of one token: the queries', then the keys', then the values'.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let token = group.y;
    let position = position_of(token);
    let first = token * placement.x_quads * 4u + head * params.head_size;
    let factor = inverse_rms(first, lane);
    let is_query = head < params.n_heads;
    let is_key = head < params.n_heads + params.n_kv_heads;
    let kv_head = (head - params.n_heads) % params.n_kv_heads;
    let page = run[table_of(span_of(token), params.table) + position / PAGE];
    let cell = ((page * params.n_kv_heads + kv_head) * PAGE + position % PAGE) * params.head_size;
    for (var pair = lane; pair < params.head_size / 2u; pair += LANES) {
        let i = 2u * pair;
        var numbers = vec2<f32>(qkv[first + i], qkv[first + i + 1u]);
        if is_key {
            let key = !is_query;
            numbers = vec2<f32>(
                turned(first, i, position, key, factor),
                turned(first, i + 1u, position, key, factor),
            );
        }
        if is_query {
            let at = token * placement.y_stride + head * params.head_size + i;
            q[at] = numbers.x;
            q[at + 1u] = numbers.y;
        } else if is_key {
#if CACHE_F16
            keys[(cell + i) / 2u] = pack2x16float(numbers);
#else
            keys[cell + i] = numbers.x;
            keys[cell + i + 1u] = numbers.y;
#endif
        } else {
#if CACHE_F16
            values[(cell + i) / 2u] = pack2x16float(numbers);
#else
            values[cell + i] = numbers.x;
            values[cell + i + 1u] = numbers.y;
#endif
        }
    }
}
