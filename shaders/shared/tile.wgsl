// 64 rows of the matrices by TOKENS tokens a workgroup, through workgroup memory: what GPUs compute prompts with.
//
// All threads together bring QUADS quads of each row and each token into workgroup memory, weights with their scales and
// activations with the norm's weights; then each thread multiplies EACH_ROWS rows with EACH_TOKENS tokens from there, so that
// what is read once is used many times. Neighbouring lanes have neighbouring rows: they read and write side by side.

const TILE_ROWS: u32 = 64u;
const LANES_ALONG: u32 = TILE_ROWS / EACH_ROWS;
const THREADS: u32 = LANES_ALONG * TOKENS / EACH_TOKENS;

// Blocks of a row that are in the tile.
const TILE_BLOCKS: u32 = QUADS / BLOCK_QUADS;

// Quads of x that a thread brings.
const N_BROUGHT: u32 = TOKENS * QUADS / THREADS;

// By quad, then by row or token.
var<workgroup> tile_w: array<vec4<f32>, QUADS * TILE_ROWS>;
var<workgroup> tile_x: array<vec4<f32>, QUADS * TOKENS>;
// Of each token, by quad; norms alone.
var<workgroup> squares: array<f32, TOKENS * QUADS>;

fn bring_weights(group: u32, first_block: u32, lane: u32) {
    for (var i = lane; i < TILE_ROWS * TILE_BLOCKS; i += THREADS) {
        let row = i / TILE_BLOCKS;
        let b = i % TILE_BLOCKS;
        let block = min(first_block + b, placement.row_blocks - 1u);
        let at = tile_row(group, row);
        var numbers = unpack(block_of(at, block));
        // Past the end of a row are zeros.
        let scale = select(0.0, scale_of(at, block), first_block + b < placement.row_blocks);
        for (var q = 0u; q < BLOCK_QUADS; q++) {
            tile_w[(b * BLOCK_QUADS + q) * TILE_ROWS + row] = numbers[q] * scale;
        }
    }
}

// The products of a thread, by row, then by token.
struct Products {
    sums: array<array<f32, EACH_TOKENS>, EACH_ROWS>,
}

fn multiply(before: Products, lane: u32) -> Products {
    var result = before;
    let row = lane % LANES_ALONG;
    let token = lane / LANES_ALONG;
    for (var q = 0u; q < QUADS; q++) {
        var w = array<vec4<f32>, EACH_ROWS>();
        var x = array<vec4<f32>, EACH_TOKENS>();
        for (var r = 0u; r < EACH_ROWS; r++) {
            w[r] = tile_w[q * TILE_ROWS + row + r * LANES_ALONG];
        }
        for (var t = 0u; t < EACH_TOKENS; t++) {
            x[t] = tile_x[q * TOKENS + token + t * (TOKENS / EACH_TOKENS)];
        }
        for (var r = 0u; r < EACH_ROWS; r++) {
            for (var t = 0u; t < EACH_TOKENS; t++) {
                result.sums[r][t] += dot(w[r], x[t]);
            }
        }
    }
    return result;
}

// 1 / √(mean(x²) + ε) of a token of the tile.
fn inverse_rms(token: u32) -> f32 {
    var sum = 0.0;
    for (var q = 0u; q < QUADS; q++) {
        sum += squares[token * QUADS + q];
    }
    return inverseSqrt(sum / f32(n_in()) + params.eps);
}

// The products of the rows of `group` with the tokens from `first_token` on. Row `r` of the result is row
// lane % LANES_ALONG + r · LANES_ALONG of the tile, and so are tokens.
fn products(group: u32, first_token: u32, lane: u32) -> Products {
    var result = Products();
    var square = array<f32, N_BROUGHT>();
    for (var block = 0u; block < placement.row_blocks; block += TILE_BLOCKS) {
        bring_weights(group, block, lane);
        for (var i = 0u; i < N_BROUGHT; i++) {
            let at = lane + i * THREADS;
            let token = at / QUADS;
            let q = at % QUADS;
            // Rows of x are padded with zeros to whole tiles; tokens past the last are not written.
            let quad = block * BLOCK_QUADS + q;
            var numbers = x[min(first_token + token, n_tokens() - 1u) * placement.x_quads + quad];
            if params.norm == 1u {
                square[i] += dot(numbers, numbers);
                numbers *= norm[quad];
            }
            tile_x[q * TOKENS + token] = numbers;
        }
        workgroupBarrier();
        result = multiply(result, lane);
        workgroupBarrier();
    }
    if params.norm == 1u {
        for (var i = 0u; i < N_BROUGHT; i++) {
            squares[lane + i * THREADS] = square[i];
        }
        workgroupBarrier();
        for (var t = 0u; t < EACH_TOKENS; t++) {
            let factor = inverse_rms(lane / LANES_ALONG + t * (TOKENS / EACH_TOKENS));
            for (var r = 0u; r < EACH_ROWS; r++) {
                result.sums[r][t] *= factor;
            }
        }
    }
    return result;
}
