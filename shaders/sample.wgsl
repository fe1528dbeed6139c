// ids[t] = sample(logits[t]): each row's next token, as the op's module in hala_plan has it
//
// A workgroup a row. A draw is from the candidates nearest to the best: they are counted in bins by their distance from it, those
// of the first bins are collected and sorted, and every truncation is then a number of lanes.

struct Params {
    // V
    n_vocab: u32,
}

#include "shared/placement.wgsl"
#include "shared/run.wgsl"

// How this row's token is chosen: in a record of `run`.
struct Turn {
    temperature: f32,
    top_k: u32,
    top_p: f32,
    min_p: f32,
    repetition_penalty: f32,
    at: f32,
    place: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T, V], the bits of floats: as integers NaN and infinities keep their order, which compilers may not grant floats.
@group(0) @binding(3) var<storage, read> logits: array<vec4<u32>>;
// [T, 2, ⌈V / 32⌉]: a bit for each id that is banned, then for each that was seen
@group(0) @binding(4) var<storage, read_write> sets: array<u32>;
// [T]
@group(0) @binding(5) var<storage, read_write> ids: array<u32>;
// The ids that the host reads together.
@group(0) @binding(6) var<storage, read_write> chosen: array<u32>;

// Threads, bins and candidates.
const N: u32 = 256u;
const BINS_A_NAT: f32 = 8.0;
const DECLINED: u32 = 0xffffffffu;
const NEGATIVE_INFINITY: u32 = 0xff800000u;

// What lanes count together.
const ODD: u32 = 0u;
const BINS: u32 = 1u;
const CANDIDATES: u32 = 2u;
const KEPT: u32 = 3u;
const PASSED: u32 = 4u;

// What is this row's.
var<private> turn: Turn;
var<private> first_quad: u32;
var<private> first_word: u32;

var<workgroup> tally: array<atomic<u32>, 5>;
var<workgroup> keys: array<u32, N>;
var<workgroup> key_ids: array<u32, N>;
var<workgroup> bins: array<atomic<u32>, N>;
var<workgroup> sums: array<f32, N>;
var<workgroup> weights: array<f32, N>;
var<workgroup> weight_ids: array<u32, N>;

// Words of a set.
fn n_words() -> u32 {
    return (params.n_vocab + 31u) / 32u;
}

fn temperature_of(row: u32) -> f32 {
    return bitcast<f32>(run_word(row, RUN_TURN));
}

fn turn_of(row: u32) -> Turn {
    return Turn(
        temperature_of(row),
        run_word(row, RUN_TURN + 1u),
        bitcast<f32>(run_word(row, RUN_TURN + 2u)),
        bitcast<f32>(run_word(row, RUN_TURN + 3u)),
        bitcast<f32>(run_word(row, RUN_TURN + 4u)),
        bitcast<f32>(run_word(row, RUN_TURN + 5u)),
        run_word(row, RUN_TURN + 6u),
    );
}

// x′ of four ids, −∞ past the last one.
fn adjusted(quad: u32) -> vec4<u32> {
    var bits = logits[first_quad + quad];
    let word = first_word + (quad >> 3u);
    let shift = (quad & 7u) * 4u;
    let banned = (sets[word] >> shift) & 15u;
    let seen = (sets[n_words() + word] >> shift) & 15u;
    if (banned | seen) == 0u && quad * 4u + 3u < params.n_vocab {
        return bits;
    }
    for (var c = 0u; c < 4u; c++) {
        let x = bitcast<f32>(bits[c]);
        if ((banned >> c) & 1u) == 1u || quad * 4u + c >= params.n_vocab {
            bits[c] = NEGATIVE_INFINITY;
        } else if ((seen >> c) & 1u) == 1u && (bits[c] & 0x7f800000u) != 0x7f800000u {
            let penalty = turn.repetition_penalty;
            bits[c] = bitcast<u32>(select(x * penalty, x / penalty, x > 0.0));
        }
    }
    return bits;
}

// Integers in the order of the floats, both zeros alike.
fn order(bits: u32) -> u32 {
    let key = select(~bits, bits | 0x80000000u, bits < 0x80000000u);
    return key + u32(key == 0x7fffffffu);
}

// Leaves the largest x′ and its id, the first of equals, in the first place, and counts what is NaN or +∞.
fn find_best(lane: u32) {
    var best = 0u;
    var best_id = 0u;
    var is_odd = false;
    for (var quad = lane; quad * 4u < params.n_vocab; quad += N) {
        let bits = adjusted(quad);
        for (var c = 0u; c < 4u; c++) {
            let key = order(bits[c]);
            is_odd = is_odd || key - order(NEGATIVE_INFINITY) > 0xff7fffffu - 0x7fffffu;
            if key > best {
                best = key;
                best_id = quad * 4u + c;
            }
        }
    }
    keys[lane] = best;
    key_ids[lane] = best_id;
    if is_odd {
        atomicAdd(&tally[ODD], 1u);
    }
    workgroupBarrier();
    for (var half = N / 2u; half > 0u; half >>= 1u) {
        if lane < half {
            let key = keys[lane + half];
            let id = key_ids[lane + half];
            if key > keys[lane] || (key == keys[lane] && id < key_ids[lane]) {
                keys[lane] = key;
                key_ids[lane] = id;
            }
        }
        workgroupBarrier();
    }
}

// The sum of the values of this lane and of those before it; `sums` has all of them.
fn sum_up_to(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    sums[lane] = value;
    workgroupBarrier();
    for (var back = 1u; back < N; back <<= 1u) {
        let before = select(0.0, sums[max(lane, back) - back], lane >= back);
        workgroupBarrier();
        sums[lane] += before;
        workgroupBarrier();
    }
    return sums[lane];
}

// −ln of the weight, beyond all bins for −∞.
fn distance(bits: u32, best: f32) -> f32 {
    let x = (best - bitcast<f32>(bits)) / turn.temperature;
    return select(min(x, f32(N)), f32(N), bits == NEGATIVE_INFINITY);
}

// Bins that may have candidates: those past min_p have none, unless they count for top_p of the first top_k.
fn n_useful_bins() -> f32 {
    if turn.min_p > 0.0 && (turn.top_p >= 1.0 || turn.top_k == 0u) {
        return min(f32(N), ceil(1.0 - log(turn.min_p) * BINS_A_NAT));
    }
    return f32(N);
}

// Counts the bins, and gives the sum of all weights.
fn count_bins(lane: u32, best: f32) -> f32 {
    let n_bins = n_useful_bins();
    var sum = 0.0;
    for (var quad = lane; quad * 4u < params.n_vocab; quad += N) {
        let bits = adjusted(quad);
        for (var c = 0u; c < 4u; c++) {
            let far = distance(bits[c], best);
            sum += exp(-far);
            if far * BINS_A_NAT < n_bins {
                atomicAdd(&bins[u32(far * BINS_A_NAT)], 1u);
            }
        }
    }
    sum_up_to(lane, sum);
    return sums[N - 1u];
}

// Puts the candidates of the first `n_full` bins into the first places, the likeliest first; 0 past the last one.
fn sort_candidates(lane: u32, best: f32, n_full: u32) {
    let n_bins = min(f32(n_full), n_useful_bins());
    for (var quad = lane; quad * 4u < params.n_vocab; quad += N) {
        let bits = adjusted(quad);
        for (var c = 0u; c < 4u; c++) {
            let far = distance(bits[c], best);
            if far * BINS_A_NAT < n_bins {
                let place = atomicAdd(&tally[CANDIDATES], 1u);
                sums[place] = exp(-far);
                keys[place] = quad * 4u + c;
            }
        }
    }
    weights[lane] = 0.0;
    workgroupBarrier();
    let n = atomicLoad(&tally[CANDIDATES]);
    if lane < n {
        let weight = sums[lane];
        let id = keys[lane];
        var rank = 0u;
        for (var i = 0u; i < n; i++) {
            rank += u32(sums[i] > weight || (sums[i] == weight && keys[i] < id));
        }
        weights[rank] = weight;
        weight_ids[rank] = id;
    }
    workgroupBarrier();
}

// The id that is drawn, or DECLINED: for the first lane.
fn draw(lane: u32, best: f32) -> u32 {
    let all = count_bins(lane, best);
    let n_up_to = sum_up_to(lane, f32(atomicLoad(&bins[lane])));
    let n_counted = u32(sums[N - 1u]);
    if n_up_to <= f32(N) {
        atomicAdd(&tally[BINS], 1u);
    }
    workgroupBarrier();
    sort_candidates(lane, best, atomicLoad(&tally[BINS]));
    let n = atomicLoad(&tally[CANDIDATES]);
    let weight = weights[lane];
    let up_to = sum_up_to(lane, weight);
    let n_first = select(min(turn.top_k, n), n, turn.top_k == 0u);
    let total = select(sums[max(n_first, 1u) - 1u], all, turn.top_k == 0u);
    let before = select(0.0, sums[max(lane, 1u) - 1u], lane > 0u);
    let is_likely = (turn.top_p >= 1.0 || before < turn.top_p * total) && weight >= turn.min_p;
    if lane < n_first && (lane == 0u || is_likely) {
        atomicAdd(&tally[KEPT], 1u);
    }
    workgroupBarrier();
    let n_kept = atomicLoad(&tally[KEPT]);
    if lane < n_kept && up_to <= turn.at * sums[max(n_kept, 1u) - 1u] {
        atomicAdd(&tally[PASSED], 1u);
    }
    workgroupBarrier();
    let is_all = n_counted == n || (turn.top_k > 0u && turn.top_k <= n) || (turn.top_k == 0u && n_kept < n);
    let place = min(atomicLoad(&tally[PASSED]), max(n_kept, 1u) - 1u);
    return select(DECLINED, weight_ids[place], is_all && n > 0u);
}

@compute @workgroup_size(N)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    turn = turn_of(group.y);
    first_quad = group.y * placement.x_quads;
    first_word = 2u * group.y * n_words();
    atomicStore(&bins[lane], 0u);
    if lane < 5u {
        atomicStore(&tally[lane], 0u);
    }
    workgroupBarrier();
    find_best(lane);
    var id = key_ids[0];
    if temperature_of(group.y) > 0.0 {
        let key = keys[0];
        workgroupBarrier();
        let best = bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
        id = draw(lane, best);
        id = select(id, DECLINED, key == order(NEGATIVE_INFINITY));
    }
    if lane == 0u {
        id = select(id, DECLINED, atomicLoad(&tally[ODD]) > 0u);
        ids[group.y] = id;
        chosen[turn.place] = id;
        if id < params.n_vocab {
            let word = first_word + n_words() + id / 32u;
            sets[word] |= 1u << (id % 32u);
        }
    }
}
