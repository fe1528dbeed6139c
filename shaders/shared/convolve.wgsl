// The convolution of one channel with the inputs that its sequence carries. `taps_before` says how many taps are before the newest.

// [D, n_taps]
@group(0) @binding(6) var<storage, read> taps: array<f32>;
// Slots of [n_taps − 1, D]
@group(1) @binding(0) var<storage, read_write> state: array<f32>;

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
