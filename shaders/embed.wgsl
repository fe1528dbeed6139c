// y[t] = table[ids[t]] · scale

#include "shared/placement.wgsl"
#include "shared/weight.wgsl"

struct Params {
    // V, rows of the table.
    n_vocab: u32,
    // D, columns of the table.
    width: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;
// [T]
@group(0) @binding(3) var<storage, read> ids: array<u32>;
// [V, D]
@group(0) @binding(4) var<storage, read> table: array<Words>;
// [T, D]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

fn scale(row: u32, block: u32) -> f32 {
#if WEIGHT_INT8 || WEIGHT_INT4 || WEIGHT_E4M3
    let word = placement.scales_0 + row * placement.row_scales + (block >> placement.scale_shift);
    return number_in(table[block_with(word)], word);
#else
    return 1.0;
#endif
}

// One block of one token.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    let token = id.y;
    let row = ids[token];
    if block >= placement.row_blocks || row < placement.first_row || row >= placement.end_row {
        return;
    }
    let part_row = row - placement.first_row;
    var numbers = unpack(table[part_row * placement.row_blocks + block]);
    let factor = scale(part_row, block) * params.scale;
    for (var i = 0u; i < BLOCK_QUADS; i++) {
        let quad = block * BLOCK_QUADS + i;
        if quad < (params.width + 3u) / 4u {
            y[token * placement.x_quads + quad] = numbers[i] * factor;
        }
    }
}
