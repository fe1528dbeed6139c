// The inputs of a product with up to three matrices: bindings, the matrix that a row belongs to, its blocks and scales.
//
// A kernel that includes it says with `n_in` how many columns count for a norm, and with N_RESULTS how many results a workgroup has.
// LANES and TILE read the activations as storage. Else they and the norm's weights are uniforms, a window of rows in each,
// which software devices read sixteen times as fast; and a block is two words of 64 bits, which halves their loads.

#include "shared/placement.wgsl"
#include "shared/run.wgsl"
#include "shared/weight.wgsl"

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> placement: Placement;

// Bytes that every device can see of a uniform.
const WINDOW_BYTES: u32 = 65536u;

#if LANES || TILE
// [T, I]
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
// [I]
@group(0) @binding(4) var<storage, read> norm: array<vec4<f32>>;
#else
struct Window {
    quads: array<vec4<f32>, WINDOW_BYTES / 16u>,
}

// [I]
@group(0) @binding(4) var<uniform> norm: Window;
// [2, I] each, the first two rows and those after them; [1, I] for one token.
@group(0) @binding(3) var<uniform> x0: Window;
#if TOKENS_4 || TOKENS_8
@group(0) @binding(10) var<uniform> x1: Window;
#if TOKENS_8
@group(0) @binding(11) var<uniform> x2: Window;
@group(0) @binding(12) var<uniform> x3: Window;
#endif
#endif
#endif

#if LANES || TILE
alias Block = Words;

fn words(block: Block) -> Words {
    return block;
}
#elif WEIGHT_INT4
alias Block = u64;

fn words(block: Block) -> vec2<u32> {
    return vec2<u32>(u32(block), u32(block >> 32u));
}
#else
alias Block = vec2<u64>;

fn words(block: Block) -> vec4<u32> {
    return vec4<u32>(u32(block.x), u32(block.x >> 32u), u32(block.y), u32(block.y >> 32u));
}
#endif

// [O, I], and so are the others.
@group(0) @binding(5) var<storage, read> w0: array<Block>;
#if TWO || THREE
@group(0) @binding(6) var<storage, read> w1: array<Block>;
#endif
#if THREE
@group(0) @binding(7) var<storage, read> w2: array<Block>;
#endif

// A row of one of the matrices.
struct Row {
    matrix: u32,
    idx: u32,
}

// The block at an index of a matrix's buffer.
fn stored(matrix: u32, i: u32) -> Words {
#if THREE
    if matrix == 2u {
        return words(w2[i]);
    }
#endif
#if TWO || THREE
    if matrix == 1u {
        return words(w1[i]);
    }
#endif
    return words(w0[i]);
}

fn block_of(row: Row, block: u32) -> Words {
    return stored(row.matrix, row.idx * placement.row_blocks + block);
}

// Words before the scales of a matrix.
fn scales_of(matrix: u32) -> u32 {
#if THREE
    if matrix == 2u {
        return placement.scales_2;
    }
#endif
#if TWO || THREE
    if matrix == 1u {
        return placement.scales_1;
    }
#endif
    return placement.scales_0;
}

// The scale of a block.
fn scale_of(row: Row, block: u32) -> f32 {
#if WEIGHT_INT8 || WEIGHT_INT4 || WEIGHT_E4M3
    let word = scales_of(row.matrix) + row.idx * placement.row_scales + (block >> placement.scale_shift);
    return number_in(stored(row.matrix, block_with(word)), word);
#else
    return 1.0;
#endif
}

#if WEIGHT_INT8 || WEIGHT_INT4
// The scales of four groups of a row, the first of which is a multiple of four: rows have whole fours of them.
fn four_scales_of(row: Row, group: u32) -> vec4<f32> {
    let word = scales_of(row.matrix) + row.idx * placement.row_scales + group;
#if WEIGHT_INT4
    let first = block_with(word);
    return bitcast<vec4<f32>>(vec4<u32>(stored(row.matrix, first), stored(row.matrix, first + 1u)));
#else
    return bitcast<vec4<f32>>(stored(row.matrix, block_with(word)));
#endif
}
#endif
