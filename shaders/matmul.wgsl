// y = x̂ · Wᵀ + b, or y += x̂ · Wᵀ + b, where x̂ is x or its RMS norm w · x / √(mean(x²) + ε)

// Mirrors hala_plan's.
struct Params {
    // I
    n_in: u32,
    // Rows of each matrix; 0 past the last one.
    n_out_0: u32,
    n_out_1: u32,
    n_out_2: u32,
    norm: u32,
    eps: f32,
    bias: u32,
    add: u32,
    last: u32,
}

#include "shared/product.wgsl"

// [ΣO]
@group(0) @binding(8) var<storage, read> bias: array<f32>;
// [T, ΣO]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

fn n_rows() -> u32 {
    return params.n_out_0 + params.n_out_1 + params.n_out_2;
}

// The matrix and its row that column `idx` of y is computed from.
fn row_at(idx: u32) -> Row {
#if THREE
    if idx >= params.n_out_0 + params.n_out_1 {
        return Row(2u, idx - params.n_out_0 - params.n_out_1);
    }
#endif
#if TWO || THREE
    if idx >= params.n_out_0 {
        return Row(1u, idx - params.n_out_0);
    }
#endif
    return Row(0u, idx);
}

// Row of x for a token of the dispatch.
fn x_row(token: u32) -> u32 {
    return select(token, step.n_tokens - 1u, params.last == 1u);
}

fn n_x_rows() -> u32 {
    return select(step.n_tokens, 1u, params.last == 1u);
}

fn write(token: u32, idx: u32, sum: f32) {
    var value = sum;
    if params.bias == 1u {
        value += bias[idx];
    }
    let at = token * placement.y_stride + placement.y_offset + idx;
    if params.add == 1u {
        value += y[at];
    }
    y[at] = value;
}

#if LANES
#include "shared/lanes.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = group.x * ROWS;
    let sums = row_sums(first, n_rows(), x_row(group.y), lane);
    if lane < ROWS && first + lane < n_rows() {
        write(group.y, first + lane, sums);
    }
}
#else
#include "shared/rows.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = (group.x * 64u + lane) * ROWS;
    let token = group.y * TOKENS;
    var rows = array<Row, ROWS>();
    for (var r = 0u; r < ROWS; r++) {
        rows[r] = row_at(min(first + r, n_rows() - 1u));
    }
    var sums = products(rows, token, lane);
    for (var i = 0u; i < TOKENS; i++) {
        for (var r = 0u; r < ROWS; r++) {
            if first + r < n_rows() && token + i < n_x_rows() {
                write(token + i, first + r, sums[i * ROWS + r]);
            }
        }
    }
}
#endif
