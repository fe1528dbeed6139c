// A token's attention, up to HEADS query heads of a key/value head a workgroup, so that its keys and values are loaded once.
//
// Tiles of positions: two threads score a key, each its half of every 32 bytes; then neighbouring threads load neighbouring
// words of the values. With SPLIT a workgroup sees PART positions, and attend_merge.wgsl brings the parts together.

const LANES: u32 = 256u;

// Positions that are scored together: one a thread once two have added up their halves.
const TILE: u32 = LANES;

// Threads that bring sixteen results each together.
const N_TEAMS: u32 = 16u;

// Eight elements of a head.
alias Eight = mat2x4<f32>;

// A number for each query head.
#if HEADS_4
alias Heads = vec4<f32>;
#else
alias Heads = vec2<f32>;
#endif

struct Sums {
    h0: Eight,
    h1: Eight,
#if HEADS_4
    h2: Eight,
    h3: Eight,
#endif
}

// [A / 8, HEADS]; EIGHTS is the most that A / 8 may be.
var<workgroup> queries: array<Eight, EIGHTS * HEADS>;
// Scores, then shares.
var<workgroup> scores: array<Heads, TILE>;
// Where the head begins in each page of the tile.
var<workgroup> cells: array<u32, TILE / PAGE>;
var<workgroup> teams: array<Heads, N_TEAMS>;
var<workgroup> exchange: array<Eight, LANES / 4u * 3u>;

#if CACHE_F16
fn eight(cell: vec4<u32>) -> Eight {
    return Eight(
        vec4<f32>(unpack2x16float(cell.x), unpack2x16float(cell.y)),
        vec4<f32>(unpack2x16float(cell.z), unpack2x16float(cell.w)),
    );
}

fn key_eight(i: u32) -> Eight {
    return eight(keys[i]);
}

fn value_eight(i: u32) -> Eight {
    return eight(values[i]);
}
#else
fn key_eight(i: u32) -> Eight {
    return Eight(keys[2u * i], keys[2u * i + 1u]);
}

fn value_eight(i: u32) -> Eight {
    return Eight(values[2u * i], values[2u * i + 1u]);
}
#endif

fn product(a: Eight, b: Eight) -> f32 {
    return dot(a[0], b[0]) + dot(a[1], b[1]);
}

// A thread's half of the scores of the key that begins at eight `row`.
fn half_scores(row: u32, n_eights: u32, parity: u32) -> Heads {
    var sums = Heads();
    for (var i = 0u; i < EIGHTS / 2u; i++) {
        let e = 2u * i + parity;
        if e < n_eights {
            let key = key_eight(row + e);
            let at = e * HEADS;
            sums.x += product(queries[at], key);
            sums.y += product(queries[at + 1u], key);
#if HEADS_4
            sums.z += product(queries[at + 2u], key);
            sums.w += product(queries[at + 3u], key);
#endif
        }
    }
    return sums;
}

fn capped_heads(z: Heads) -> Heads {
    var heads = z;
    if params.softcap > 0.0 {
        for (var i = 0u; i < HEADS; i++) {
            heads[i] = capped(heads[i], params.softcap);
        }
    }
    return heads;
}

fn largest_of_scores(lane: u32) -> Heads {
    if lane < N_TEAMS {
        var largest = scores[lane];
        for (var i = lane + N_TEAMS; i < TILE; i += N_TEAMS) {
            largest = max(largest, scores[i]);
        }
        teams[lane] = largest;
    }
    workgroupBarrier();
    var largest = teams[0];
    for (var i = 1u; i < N_TEAMS; i++) {
        largest = max(largest, teams[i]);
    }
    return largest;
}

fn sum_of_scores(lane: u32) -> Heads {
    if lane < N_TEAMS {
        var sum = Heads();
        for (var i = lane; i < TILE; i += N_TEAMS) {
            sum += scores[i];
        }
        teams[lane] = sum;
    }
    workgroupBarrier();
    var sum = Heads();
    for (var i = 0u; i < N_TEAMS; i++) {
        sum += teams[i];
    }
    return sum;
}

// Sums over the slices of threads, in those of the first: each time the last three quarters give theirs to the first.
fn over_slices(mine: Eight, lane: u32, n_eights: u32) -> Eight {
    var sum = mine;
    for (var n = LANES / n_eights; n > 1u; n = (n + 3u) / 4u) {
        let kept = (n + 3u) / 4u * n_eights;
        if lane >= kept && lane < n * n_eights {
            exchange[lane - kept] = sum;
        }
        workgroupBarrier();
        if lane < kept {
            for (var i = lane; i < n * n_eights - kept; i += kept) {
                sum += exchange[i];
            }
        }
        workgroupBarrier();
    }
    return sum;
}

// Where a head's results begin.
fn result_at(token: u32, head: u32, part: u32) -> u32 {
#if SPLIT
    return ((token * params.n_heads + head) * n_parts() + part) * (params.head_size / 4u + 1u);
#else
    return token * placement.x_quads + head * (params.head_size / 4u);
#endif
}

// The eight of one head, by the first slice's threads.
fn write(first: u32, e: u32, sum: Eight, largest: f32, total: f32) {
#if SPLIT
    parts[first + 2u * e] = sum[0];
    parts[first + 2u * e + 1u] = sum[1];
    if e == 0u {
        parts[first + params.head_size / 4u] = vec4<f32>(largest, total, 0.0, 0.0);
    }
#else
    y[first + 2u * e] = sum[0] / total;
    y[first + 2u * e + 1u] = sum[1] / total;
#endif
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let token = group.y;
    let n_seen = position_of(token) + 1u;
#if SPLIT
    let start = max(group.z * PART, first_seen(n_seen));
    let end = min((group.z + 1u) * PART, n_seen);
    if start >= end {
        return;
    }
#else
    let start = first_seen(n_seen);
    let end = n_seen;
#endif
    let table = table_of(span_of(token), params.table);
    let n_eights = params.head_size / 8u;
    let n_sharing = params.n_heads / params.n_kv_heads;
    let n_along = (n_sharing + HEADS - 1u) / HEADS;
    let kv_head = group.x / n_along;
    // The first query head, and how many there are from it on.
    let within = (group.x % n_along) * HEADS;
    let head = kv_head * n_sharing + within;
    let n_left = n_sharing - within;
    for (var i = lane; i < n_eights * HEADS; i += LANES) {
        let eight = (head + min(i % HEADS, n_left - 1u)) * n_eights + i / HEADS;
        let at = token * placement.x_quads + 2u * eight;
        queries[i] = Eight(q[at], q[at + 1u]) * params.scale;
    }
    workgroupBarrier();
    let n_slices = LANES / n_eights;
    let slice = lane / n_eights;
    let e = lane % n_eights;
    var largest = Heads(LOWEST);
    var total = Heads();
    var sums = Sums();
    for (var first = start / PAGE * PAGE; first < end; first += TILE) {
        let n_unseen = max(first, start) - first;
        let n = min(TILE, end - first);
        if lane < TILE / PAGE {
            cells[lane] = page_cell(table, min(first + lane * PAGE, end - 1u), kv_head, n_eights);
        }
        // What is not seen is loaded from a position that is, and has no share.
        let idx = lane >> 1u;
        let idx_b = idx + TILE / 2u;
        let at_a = first + clamp(idx, n_unseen, n - 1u);
        let at_b = first + clamp(idx_b, n_unseen, n - 1u);
        let row_a = page_cell(table, at_a, kv_head, n_eights) + at_a % PAGE * n_eights;
        let row_b = page_cell(table, at_b, kv_head, n_eights) + at_b % PAGE * n_eights;
        let a = half_scores(row_a, n_eights, lane & 1u);
        let b = half_scores(row_b, n_eights, lane & 1u);
        if (lane & 1u) == 1u {
            scores[idx] = a;
            scores[idx_b] = b;
        }
        workgroupBarrier();
        if (lane & 1u) == 0u {
            scores[idx] = select(Heads(LOWEST), capped_heads(scores[idx] + a), idx >= n_unseen && idx < n);
            let is_seen = idx_b >= n_unseen && idx_b < n;
            scores[idx_b] = select(Heads(LOWEST), capped_heads(scores[idx_b] + b), is_seen);
        }
        workgroupBarrier();
        let before = largest;
        largest = max(before, largest_of_scores(lane));
        let shrink = exp(before - largest);
        let share = select(Heads(), exp(scores[lane] - largest), lane >= n_unseen && lane < n);
        scores[lane] = share;
        total = total * shrink + share;
        sums.h0 *= shrink.x;
        sums.h1 *= shrink.y;
#if HEADS_4
        sums.h2 *= shrink.z;
        sums.h3 *= shrink.w;
#endif
        workgroupBarrier();
        for (var s = select(n, n_unseen + slice, slice < n_slices); s < n; s += 4u * n_slices) {
            // Four at once, so that their loads are under way together.
            var fetched = array<Eight, 4>();
            for (var i = 0u; i < 4u; i++) {
                let at = min(s + i * n_slices, n - 1u);
                fetched[i] = value_eight(cells[at / PAGE] + at % PAGE * n_eights + e);
            }
            for (var i = 0u; i < 4u; i++) {
                let at = s + i * n_slices;
                if at < n {
                    sums.h0 += fetched[i] * scores[at].x;
                    sums.h1 += fetched[i] * scores[at].y;
#if HEADS_4
                    sums.h2 += fetched[i] * scores[at].z;
                    sums.h3 += fetched[i] * scores[at].w;
#endif
                }
            }
        }
        workgroupBarrier();
    }
    scores[lane] = total;
    workgroupBarrier();
    total = sum_of_scores(lane);
    sums.h0 = over_slices(sums.h0, lane, n_eights);
    sums.h1 = over_slices(sums.h1, lane, n_eights);
#if HEADS_4
    sums.h2 = over_slices(sums.h2, lane, n_eights);
    sums.h3 = over_slices(sums.h3, lane, n_eights);
#endif
    if lane < n_eights {
        let first = result_at(token, head, group.z);
        let apart = result_at(token, head + 1u, group.z) - first;
        write(first, e, sums.h0, largest.x, total.x);
        if n_left > 1u {
            write(first + apart, e, sums.h1, largest.y, total.y);
        }
#if HEADS_4
        if n_left > 2u {
            write(first + 2u * apart, e, sums.h2, largest.z, total.z);
        }
        if n_left > 3u {
            write(first + 3u * apart, e, sums.h3, largest.w, total.w);
        }
#endif
    }
}
