// y = Σₛ softmax over p − window < s ≤ p of (q · keys[s] · scale, capped) · values[s], H / K query heads sharing a key/value head

// Mirrors hala_plan's.
struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    head_size: u32,
    n_positions: u32,
    scale: f32,
    // 0 for none.
    softcap: f32,
    window: u32,
    table: u32,
}

#include "shared/placement.wgsl"
#include "shared/run.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;

#if TOKEN || TILES || MERGE
alias Number = vec4<f32>;
#else
alias Number = f32;
#endif

// What one load of the cache gives: 16 bytes for a token, a quad for tiles, a pair for the simple kernel.
#if CACHE_F16
#if TOKEN
alias Cell = vec4<u32>;
#elif TILES
alias Cell = vec2<u32>;
#else
alias Cell = u32;
#endif
#elif TOKEN || TILES
alias Cell = vec4<f32>;
#else
alias Cell = vec2<f32>;
#endif

// [T, H·A]
@group(0) @binding(3) var<storage, read> q: array<Number>;
// Pages of [K, PAGE, A]
@group(1) @binding(0) var<storage, read> keys: array<Cell>;
@group(1) @binding(1) var<storage, read> values: array<Cell>;
// [T, H·A]
@group(0) @binding(4) var<storage, read_write> y: array<Number>;
#if SPLIT || MERGE
// Positions of a part of a long cache.
const PART: u32 = 256u;
#endif

#if MERGE
// [T, H, S / PART, A + 4]: sums of shares times values; their largest score and the sum of their shares; two of padding.
@group(0) @binding(5) var<storage, read> parts: array<vec4<f32>>;
#elif SPLIT
@group(0) @binding(5) var<storage, read_write> parts: array<vec4<f32>>;
#endif

// The first position that a token sees, by how many there are up to its own.
fn first_seen(n_seen: u32) -> u32 {
    return n_seen - min(n_seen, params.window);
}

#if SPLIT || MERGE
// Parts of a sequence's longest cache.
fn n_parts() -> u32 {
    return (params.n_positions + PART - 1u) / PART;
}
#endif

#if !MERGE
#include "shared/tanh.wgsl"

// Where a key/value head begins in the page that has a position, in units of which a head has `n`.
fn page_cell(table: u32, position: u32, kv_head: u32, n: u32) -> u32 {
    return (run[table + position / PAGE] * params.n_kv_heads + kv_head) * PAGE * n;
}
#endif

// Below every score.
const LOWEST: f32 = -3.4e38;

#if TOKEN
#include "shared/attend_token.wgsl"
#elif TILES
#include "shared/attend_tiles.wgsl"
#elif MERGE
#include "shared/attend_merge.wgsl"
#else
#include "shared/attend_simple.wgsl"
#endif
