// y = act(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ), act = silu or gelu, x̂ is x or its RMS norm w · x / √(mean(x²) + ε)

// Mirrors hala_plan's.
struct Params {
    // D
    n_in: u32,
    // F
    n_out: u32,
    eps: f32,
    norm: u32,
    gelu: u32,
}

fn n_in() -> u32 {
    return params.n_in;
}

#include "shared/product.wgsl"

// [T, F]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

#include "shared/gate.wgsl"

#if LANES
// Rows alternate: a gate, then its value.
fn row_at(idx: u32) -> Row {
    return Row(idx & 1u, idx >> 1u);
}

#include "shared/lanes.wgsl"

const N_RESULTS: u32 = ROWS / 2u;

var<workgroup> ready: array<f32, ROWS>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, lane: Lane) {
    let first = group.x * ROWS;
    let sum = row_sums(first, 2u * params.n_out, group.y, lane);
    if lane.idx < ROWS {
        ready[lane.idx] = sum;
    }
    workgroupBarrier();
    let idx = group.x * N_RESULTS + lane.idx;
    if lane.idx < N_RESULTS && idx < params.n_out {
        y[group.y * placement.y_stride + placement.y_offset + idx] = gate(params.gelu, ready[2u * lane.idx], ready[2u * lane.idx + 1u]);
    }
}
#elif TILE
// Half a tile of results: the gates' rows, then the values'.
const N_RESULTS: u32 = TILE_ROWS / 2u;

fn tile_row(group: u32, row: u32) -> Row {
    return Row(row / N_RESULTS, min(group * N_RESULTS + row % N_RESULTS, params.n_out - 1u));
}

#include "shared/tile.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let products = products(group.x, group.y * TOKENS, lane);
    for (var r = 0u; r < EACH_ROWS / 2u; r++) {
        let idx = group.x * N_RESULTS + lane % LANES_ALONG + r * LANES_ALONG;
        for (var t = 0u; t < EACH_TOKENS; t++) {
            let token = group.y * TOKENS + lane / LANES_ALONG + t * (TOKENS / EACH_TOKENS);
            if idx < params.n_out && token < n_tokens() {
                y[token * placement.y_stride + idx] =
                    gate(params.gelu, products.sums[r][t], products.sums[r + EACH_ROWS / 2u][t]);
            }
        }
    }
}
#else
#include "shared/rows.wgsl"

// A four of gates and one of values a thread.
const N_RESULTS: u32 = THREADS * FOURS / 2u * 4u;

fn write_sums(token: u32, first: u32, sums: Sums) {
    for (var r = 0u; r < 4u; r++) {
        if first + r < params.n_out && token < n_tokens() {
            y[token * placement.y_stride + placement.y_offset + first + r] = gate(params.gelu, sums.a[r], sums.b[r]);
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = (group.x * THREADS + lane) * 4u;
    let row = min(first, params.n_out - 1u);
    let token = placement.first_token;
    let sums = products(Job(Rows(0u, row, params.n_out - 1u), Rows(1u, row, params.n_out - 1u)));
    write_sums(token, first, sums.t0);
#if TOKENS_4 || TOKENS_8
    write_sums(token + 1u, first, sums.t1);
    write_sums(token + 2u, first, sums.t2);
    write_sums(token + 3u, first, sums.t3);
#if TOKENS_8
    write_sums(token + 4u, first, sums.t4);
    write_sums(token + 5u, first, sums.t5);
    write_sums(token + 6u, first, sums.t6);
    write_sums(token + 7u, first, sums.t7);
#endif
#endif
}
#endif
