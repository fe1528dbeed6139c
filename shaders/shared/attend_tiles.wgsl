// A prompt's attention: tiles of rows, each a query head of a token that shares the key/value head, by tiles of keys.
//
// A thread scores four rows by a key, and sums four rows by a quad of values; scores of T by S positions exist nowhere. While
// a tile is worked on, the loads of the next keys and of its values are under way.

// Rows and keys of a tile, and the most quads of a head.
const ROWS: u32 = 16u;
const KEYS: u32 = 16u;
const QUADS: u32 = 16u;

const LANES: u32 = 64u;

// Quads between rows, so that neighbouring threads do not meet in one bank of memory.
const STRIDE: u32 = QUADS + 1u;

// A tile of the cache is so many quads a thread.
alias Loaded = array<vec4<f32>, 4>;

// [ROWS, STRIDE]
var<workgroup> query_tile: array<vec4<f32>, ROWS * STRIDE>;
// [KEYS, STRIDE]
var<workgroup> key_tile: array<vec4<f32>, KEYS * STRIDE>;
// [KEYS, QUADS]
var<workgroup> value_tile: array<vec4<f32>, KEYS * QUADS>;
// [ROWS / 4, KEYS], four rows in each.
var<workgroup> scores: array<vec4<f32>, LANES>;
var<workgroup> shares: array<vec4<f32>, LANES>;

fn quad(cell: Cell) -> vec4<f32> {
#if CACHE_F16
    return vec4<f32>(unpack2x16float(cell.x), unpack2x16float(cell.y));
#else
    return cell;
#endif
}

// The tile of a workgroup: rows of one span.
struct Tile {
    span: u32,
    // First row of the tile among those of the span.
    first_row: u32,
}

// The tile at an index: each span has as many as its rows need.
fn tile_at(idx: u32) -> Tile {
    let n_sharing = params.n_heads / params.n_kv_heads;
    var left = idx;
    var span = 0u;
    for (; span + 1u < n_spans(); span++) {
        let n_tiles = (span_at(span).n_rows * n_sharing + ROWS - 1u) / ROWS;
        if left < n_tiles {
            break;
        }
        left -= n_tiles;
    }
    return Tile(span, left * ROWS);
}

// A row of the tile: token of the span and query head.
struct Row {
    token: u32,
    head: u32,
}

fn row_at(idx: u32, kv_head: u32) -> Row {
    let n_sharing = params.n_heads / params.n_kv_heads;
    let token = idx / n_sharing;
    return Row(token, kv_head * n_sharing + idx - token * n_sharing);
}

// Quad `i` of a thread in the tile of the cache from entry `cell` on, of which `n` positions are seen by some row; past them and
// past the head are zeros, since what memory holds there may be infinite, and no share of it is zero.
fn key_quads(cell: u32, n: u32, lane: u32) -> Loaded {
    var loaded = Loaded();
    let n_quads = params.head_size / 4u;
    for (var i = 0u; i < 4u; i++) {
        let at = (i * LANES + lane) / QUADS;
        if at < n && lane % QUADS < n_quads {
            loaded[i] = quad(keys[cell + at * n_quads + lane % QUADS]);
        }
    }
    return loaded;
}

fn value_quads(cell: u32, n: u32, lane: u32) -> Loaded {
    var loaded = Loaded();
    let n_quads = params.head_size / 4u;
    for (var i = 0u; i < 4u; i++) {
        let at = (i * LANES + lane) / QUADS;
        if at < n && lane % QUADS < n_quads {
            loaded[i] = quad(values[cell + at * n_quads + lane % QUADS]);
        }
    }
    return loaded;
}

// The quad where a position's entry begins.
fn entry(table: u32, position: u32, kv_head: u32) -> u32 {
    let n_quads = params.head_size / 4u;
    return page_cell(table, position, kv_head, n_quads) + position % PAGE * n_quads;
}

fn place_keys(loaded: Loaded, lane: u32) {
    var quads = loaded;
    for (var i = 0u; i < 4u; i++) {
        key_tile[(i * LANES + lane) / QUADS * STRIDE + lane % QUADS] = quads[i];
    }
}

fn place_values(loaded: Loaded, lane: u32) {
    var quads = loaded;
    for (var i = 0u; i < 4u; i++) {
        value_tile[i * LANES + lane] = quads[i];
    }
}

// Scores of four rows by a key.
fn four_scores(four: u32, key: u32) -> vec4<f32> {
    var sums = vec4<f32>();
    let row = 4u * four * STRIDE;
    for (var i = 0u; i < QUADS; i++) {
        let numbers = key_tile[key * STRIDE + i];
        sums += vec4<f32>(
            dot(query_tile[row + i], numbers),
            dot(query_tile[row + STRIDE + i], numbers),
            dot(query_tile[row + 2u * STRIDE + i], numbers),
            dot(query_tile[row + 3u * STRIDE + i], numbers),
        );
    }
    if params.softcap > 0.0 {
        for (var r = 0u; r < 4u; r++) {
            sums[r] = capped(sums[r], params.softcap);
        }
    }
    return sums;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let kv_head = group.x;
    let n_quads = params.head_size / 4u;
    let tile = tile_at(group.y);
    let span = span_at(tile.span);
    let table = table_of(tile.span, params.table);
    let n_rows = span.n_rows * (params.n_heads / params.n_kv_heads);
    let first_row = tile.first_row;
    let last_row = min(first_row + ROWS, n_rows) - 1u;
    for (var i = lane; i < ROWS * QUADS; i += LANES) {
        let row = row_at(min(first_row + i / QUADS, last_row), kv_head);
        var numbers = vec4<f32>();
        if i % QUADS < n_quads {
            numbers = q[(span.first_row + row.token) * placement.x_quads + row.head * n_quads + i % QUADS] * params.scale;
        }
        query_tile[i / QUADS * STRIDE + i % QUADS] = numbers;
    }
    let four = lane / KEYS;
    let column = lane % KEYS;
    // Positions up to that of each of the four rows, of the first row of the tile and of the last; those before are not seen.
    var seen = vec4<u32>();
    var unseen = vec4<u32>();
    for (var r = 0u; r < 4u; r++) {
        seen[r] = span.position + row_at(min(first_row + 4u * four + r, last_row), kv_head).token + 1u;
        unseen[r] = first_seen(seen[r]);
    }
    let n_all_see = span.position + row_at(first_row, kv_head).token + 1u;
    let end = span.position + row_at(last_row, kv_head).token + 1u;
    // So that a tile is in one page.
    let start = first_seen(n_all_see) / KEYS * KEYS;
    let all_see_from = first_seen(end);
    var largest = vec4<f32>(LOWEST);
    var total = vec4<f32>();
    var y0 = vec4<f32>();
    var y1 = vec4<f32>();
    var y2 = vec4<f32>();
    var y3 = vec4<f32>();
    var cell = entry(table, start, kv_head);
    place_keys(key_quads(cell, end - start, lane), lane);
    workgroupBarrier();
    for (var first = start; first < end; first += KEYS) {
        let next = min(first + KEYS, end);
        let next_values = value_quads(cell, end - first, lane);
        cell = entry(table, min(next, end - 1u), kv_head);
        let next_keys = key_quads(cell, end - next, lane);
        let position = vec4<u32>(first + column);
        let is_seen = (position < seen) & (position >= unseen);
        let score = select(vec4<f32>(LOWEST), four_scores(four, column), is_seen);
        scores[lane] = score;
        workgroupBarrier();
        let before = largest;
        for (var i = 0u; i < KEYS; i++) {
            largest = max(largest, scores[four * KEYS + i]);
        }
        shares[lane] = exp(score - largest);
        place_keys(next_keys, lane);
        place_values(next_values, lane);
        workgroupBarrier();
        let shrink = exp(before - largest);
        total *= shrink;
        y0 *= shrink.x;
        y1 *= shrink.y;
        y2 *= shrink.z;
        y3 *= shrink.w;
        if first >= all_see_from && first + KEYS <= n_all_see {
            for (var i = 0u; i < KEYS; i++) {
                let share = shares[four * KEYS + i];
                let numbers = value_tile[i * QUADS + column];
                total += share;
                y0 += share.x * numbers;
                y1 += share.y * numbers;
                y2 += share.z * numbers;
                y3 += share.w * numbers;
            }
        } else {
            // What a row does not see may be infinite; the shares of a tile of which it sees nothing shrink to 0 with the next.
            for (var i = 0u; i < KEYS; i++) {
                let share = shares[four * KEYS + i];
                let numbers = value_tile[i * QUADS + column];
                let sees = (vec4<u32>(first + i) < seen) & (vec4<u32>(first + i) >= unseen);
                total += share;
                y0 += select(vec4<f32>(), share.x * numbers, sees.x);
                y1 += select(vec4<f32>(), share.y * numbers, sees.y);
                y2 += select(vec4<f32>(), share.z * numbers, sees.z);
                y3 += select(vec4<f32>(), share.w * numbers, sees.w);
            }
        }
    }
    var sums = array<vec4<f32>, 4>(y0 / total.x, y1 / total.y, y2 / total.z, y3 / total.w);
    for (var r = 0u; r < 4u; r++) {
        let idx = first_row + 4u * four + r;
        if idx <= last_row && column < n_quads {
            let row = row_at(idx, kv_head);
            y[(span.first_row + row.token) * placement.y_stride / 4u + row.head * n_quads + column] = sums[r];
        }
    }
}
