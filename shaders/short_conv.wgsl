// [B, C, X] = x̂ · Wᵀ; u = B ⊙ X; v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k] + c; y = C ⊙ v

// Mirrors hala_plan's.
struct Params {
    // D
    width: u32,
    n_taps: u32,
    eps: f32,
    bias: u32,
    norm: u32,
}

#if FUSED
fn n_in() -> u32 {
    return params.width;
}

#include "shared/product.wgsl"
#else
#include "shared/placement.wgsl"
#include "shared/run.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, 3D]
@group(0) @binding(3) var<storage, read> projected: array<f32>;
// [D]
@group(0) @binding(4) var<storage, read> conv_bias: array<f32>;
#endif

// [D, n_taps]
@group(0) @binding(6) var<storage, read> taps: array<f32>;
// Slots of [n_taps − 1, D]
@group(1) @binding(0) var<storage, read_write> state: array<f32>;
// [T, D]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

#if FUSED
// Taps that the fused kernels are made for, as LFM2 has: a loop of unknown length would throw the sums of software devices out
// of their registers.
const FUSED_TAPS: u32 = 3u;
#endif

// Taps before the newest.
fn taps_before() -> u32 {
#if FUSED
    return FUSED_TAPS - 1u;
#else
    return params.n_taps - 1u;
#endif
}

// Where the state of a span begins.
fn slot_of(span: u32) -> u32 {
    return span_at(span).slot * taps_before() * params.width;
}

// v of one channel whose newest input is `u`; the state, which begins at `slot`, moves on by one token. A channel's state is
// touched by one thread alone.
fn convolve(slot: u32, channel: u32, u: f32) -> f32 {
    // Rows of weights are padded to whole quads.
    let first = channel * ((taps_before() + 4u) & ~3u);
    let n_before = taps_before();
    var sum = taps[first + n_before] * u;
    for (var k = 0u; k < n_before; k++) {
        sum += shifted(slot, channel, first, k);
    }
    state[slot + (n_before - 1u) * params.width + channel] = u;
    return sum;
}

// Input `k` of the state times its tap; it moves to where the one before it was.
fn shifted(slot: u32, channel: u32, first: u32, k: u32) -> f32 {
    let before = state[slot + k * params.width + channel];
    if k > 0u {
        state[slot + (k - 1u) * params.width + channel] = before;
    }
    return taps[first + k] * before;
}

#if FUSED
#if LANES
// Rows come in threes: B, C and X of one channel.
fn row_at(idx: u32) -> Row {
    let channel = idx / 3u;
    return Row(0u, (idx - 3u * channel) * params.width + channel);
}

#include "shared/lanes.wgsl"

const N_RESULTS: u32 = ROWS / 3u;

var<workgroup> ready: array<f32, ROWS>;

// One token.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, lane: Lane) {
    let first = group.x * ROWS;
    let sum = row_sums(first, 3u * params.width, 0u, lane);
    if lane.idx < ROWS {
        ready[lane.idx] = sum;
    }
    workgroupBarrier();
    let channel = group.x * N_RESULTS + lane.idx;
    if lane.idx < N_RESULTS && channel < params.width {
        let u = ready[3u * lane.idx] * ready[3u * lane.idx + 2u];
        y[channel] = ready[3u * lane.idx + 1u] * convolve(slot_of(0u), channel, u);
    }
}
#else
#include "shared/rows.wgsl"

// A four of each of B, C and X a thread.
const N_RESULTS: u32 = THREADS * FOURS / 3u * 4u;

fn write(slot: u32, channel: u32, u: f32, c: f32) {
    if channel < params.width {
        y[channel] = c * convolve(slot, channel, u);
    }
}

// One token, four channels a thread.
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = (group.x * THREADS + lane) * 4u;
    let channel = min(first, params.width - 1u);
    let last = params.width - 1u;
    let sums = products(
        Job(
            Rows(0u, channel, last),
            Rows(0u, params.width + channel, params.width + last),
            Rows(0u, 2u * params.width + channel, 2u * params.width + last),
        ),
    ).t0;
    let u = sums.a * sums.c;
    // Written out: a loop around the one in `convolve` would index the sums, and they would leave the registers.
    let slot = slot_of(0u);
    write(slot, first, u.x, sums.b.x);
    write(slot, first + 1u, u.y, sums.b.y);
    write(slot, first + 2u, u.z, sums.b.z);
    write(slot, first + 3u, u.w, sums.b.w);
}
#endif
#else
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
#endif
