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
}

fn n_in() -> u32 {
    return params.n_in;
}

#include "shared/product.wgsl"

// [ΣO]
@group(0) @binding(8) var<storage, read> bias: array<f32>;
// [T, ΣO]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

fn n_rows() -> u32 {
    return params.n_out_0 + params.n_out_1 + params.n_out_2;
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

#if LANES || TILE
// The matrix and its row that column `idx` of y is computed from.
fn row_at(idx: u32) -> Row {
#if THREE
    if idx >= params.n_out_0 + params.n_out_1 {
        return Row(2u, idx - params.n_out_0 - params.n_out_1);
    }
    if idx >= params.n_out_0 {
        return Row(1u, idx - params.n_out_0);
    }
#endif
    return Row(0u, idx);
}
#endif

#if LANES
#include "shared/lanes.wgsl"

const N_RESULTS: u32 = ROWS;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, lane: Lane) {
    let first = group.x * N_RESULTS;
    let sums = row_sums(first, n_rows(), group.y, lane);
    if lane.idx < ROWS && first + lane.idx < n_rows() {
        write(group.y, first + lane.idx, sums);
    }
}
#elif TILE
const N_RESULTS: u32 = TILE_ROWS;

fn tile_row(group: u32, row: u32) -> Row {
    return row_at(min(group * N_RESULTS + row, n_rows() - 1u));
}

#include "shared/tile.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let products = products(group.x, group.y * TOKENS, lane);
    for (var r = 0u; r < EACH_ROWS; r++) {
        let idx = group.x * N_RESULTS + lane % LANES_ALONG + r * LANES_ALONG;
        for (var t = 0u; t < EACH_TOKENS; t++) {
            let token = group.y * TOKENS + lane / LANES_ALONG + t * (TOKENS / EACH_TOKENS);
            if idx < n_rows() && token < n_tokens() {
                write(token, idx, products.sums[r][t]);
            }
        }
    }
}
#else
#include "shared/rows.wgsl"

const N_RESULTS: u32 = THREADS * FOURS * 4u;

// Four rows of one matrix, and where their results go.
struct Place {
    rows: Rows,
    // Column of y.
    column: u32,
    // Rows that there are: none past the last matrix.
    n: u32,
}

// The fours are counted from the first matrix on; the last four of each may be short.
fn place(idx: u32) -> Place {
    var four = idx;
    var matrix = 0u;
    var column = 0u;
    var n = params.n_out_0;
#if THREE
    if four >= (n + 3u) / 4u {
        four -= (n + 3u) / 4u;
        column += n;
        matrix = 1u;
        n = params.n_out_1;
    }
    if matrix == 1u && four >= (n + 3u) / 4u {
        four -= (n + 3u) / 4u;
        column += n;
        matrix = 2u;
        n = params.n_out_2;
    }
#endif
    // There may be no third matrix; what stands in for it has a row.
    let last = max(n, 1u) - 1u;
    return Place(Rows(matrix, min(4u * four, last), last), column + 4u * four, n - min(4u * four, n));
}

fn write_four(token: u32, at: Place, sums: vec4<f32>) {
    for (var r = 0u; r < 4u; r++) {
        if r < at.n && token < n_tokens() {
            write(token, at.column + r, sums[r]);
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = (group.x * THREADS + lane) * FOURS;
    let a = place(first);
    let token = placement.first_token;
#if TOKENS_4 || TOKENS_8
    let b = place(first + 1u);
    let sums = products(Job(a.rows, b.rows));
    write_four(token + 0u, a, sums.t0.a);
    write_four(token + 0u, b, sums.t0.b);
    write_four(token + 1u, a, sums.t1.a);
    write_four(token + 1u, b, sums.t1.b);
    write_four(token + 2u, a, sums.t2.a);
    write_four(token + 2u, b, sums.t2.b);
    write_four(token + 3u, a, sums.t3.a);
    write_four(token + 3u, b, sums.t3.b);
#if TOKENS_8
    write_four(token + 4u, a, sums.t4.a);
    write_four(token + 4u, b, sums.t4.b);
    write_four(token + 5u, a, sums.t5.a);
    write_four(token + 5u, b, sums.t5.b);
    write_four(token + 6u, a, sums.t6.a);
    write_four(token + 6u, b, sums.t6.b);
    write_four(token + 7u, a, sums.t7.a);
    write_four(token + 7u, b, sums.t7.b);
#endif
#else
    write_four(token, a, products(Job(a.rows)).t0.a);
#endif
}
#endif
