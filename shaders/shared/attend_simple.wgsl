// A query head of a token a workgroup, for any head of up to 256 elements: each thread scores a position, then sums its columns.

// Threads, and positions that are looked at together: a page.
const TILE: u32 = PAGE;

// Elements of a head that fit.
const MAX_HEAD: u32 = 256u;

var<workgroup> query: array<vec2<f32>, MAX_HEAD / 2u>;
var<workgroup> scores: array<f32, TILE>;

fn pair_of(cell: Cell) -> vec2<f32> {
#if CACHE_F16
    return unpack2x16float(cell);
#else
    return cell;
#endif
}

// Each thread holds the pairs lane, lane + TILE of y.
@compute @workgroup_size(TILE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let token = group.y;
    let n_pairs = params.head_size / 2u;
    let n_seen = position_of(token) + 1u;
    let from_seen = first_seen(n_seen);
    let table = table_of(span_of(token), params.table);
    let kv_head = head / (params.n_heads / params.n_kv_heads);
    let first = token * placement.x_quads * 4u + head * params.head_size;
    for (var i = lane; i < n_pairs; i += TILE) {
        query[i] = vec2<f32>(q[first + 2u * i], q[first + 2u * i + 1u]) * params.scale;
    }
    workgroupBarrier();
    var max_seen = LOWEST;
    var total = 0.0;
    var sums = array<vec2<f32>, MAX_HEAD / 2u / TILE>();
    for (var tile = from_seen / TILE * TILE; tile < n_seen; tile += TILE) {
        let cell = page_cell(table, tile, kv_head, n_pairs);
        let position = tile + lane;
        var score = LOWEST;
        if position >= from_seen && position < n_seen {
            var sum = 0.0;
            for (var i = 0u; i < n_pairs; i++) {
                sum += dot(query[i], pair_of(keys[cell + lane * n_pairs + i]));
            }
            score = capped(sum, params.softcap);
        }
        scores[lane] = score;
        workgroupBarrier();
        let start = max(tile, from_seen) - tile;
        let n = min(TILE, n_seen - tile);
        var tile_max = max_seen;
        for (var s = start; s < n; s++) {
            tile_max = max(tile_max, scores[s]);
        }
        let shrink = exp(max_seen - tile_max);
        total *= shrink;
        sums[0] *= shrink;
        sums[1] *= shrink;
        max_seen = tile_max;
        for (var s = start; s < n; s++) {
            let share = exp(scores[s] - tile_max);
            total += share;
            let row = cell + s * n_pairs;
            if lane < n_pairs {
                sums[0] += share * pair_of(values[row + lane]);
            }
            if lane + TILE < n_pairs {
                sums[1] += share * pair_of(values[row + lane + TILE]);
            }
        }
        workgroupBarrier();
    }
    let out = token * placement.y_stride + head * params.head_size;
    for (var i = 0u; i < 2u; i++) {
        let pair = lane + TILE * i;
        if pair < n_pairs {
            y[out + 2u * pair] = sums[i].x / total;
            y[out + 2u * pair + 1u] = sums[i].y / total;
        }
    }
}
