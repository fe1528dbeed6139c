// [B, C, X] = x̂ · Wᵀ; u = B ⊙ X; v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k]; y = C ⊙ v: one token, without biases

// Mirrors hala_plan's.
struct Params {
    // D
    width: u32,
    n_taps: u32,
    eps: f32,
    bias: u32,
    norm: u32,
}

fn n_in() -> u32 {
    return params.width;
}

#include "shared/product.wgsl"

// [T, D]
@group(0) @binding(9) var<storage, read_write> y: array<f32>;

// Taps that the kernels are made for, as LFM2 has: a loop of unknown length would throw the sums of software devices out of their
// registers.
const FUSED_TAPS: u32 = 3u;

fn taps_before() -> u32 {
    return FUSED_TAPS - 1u;
}

#include "shared/convolve.wgsl"

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
