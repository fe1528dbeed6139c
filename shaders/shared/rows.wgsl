// ROWS rows of the matrices a thread, for TOKENS tokens: for devices whose lanes load by themselves, as software ones do.
//
// The workgroup of 64 threads stages 64 quads of the activations of each token, then every thread goes along its rows.

const STAGED: u32 = 64u;

var<workgroup> staged: array<vec4<f32>, TOKENS * STAGED>;
var<workgroup> squares: array<f32, TOKENS * STAGED>;

// Stages quads `first` … of each token, times the norm's weights.
fn stage(first: u32, token: u32, lane: u32) {
    let quad = first + lane;
    for (var i = 0u; i < TOKENS; i++) {
        var numbers = vec4<f32>();
        if quad < placement.x_quads && token + i < n_x_rows() {
            numbers = x[x_row(token + i) * placement.x_quads + quad];
            if params.norm == 1u {
                squares[i * STAGED + lane] += dot(numbers, numbers);
                numbers *= norm[quad];
            }
        }
        staged[i * STAGED + lane] = numbers;
    }
}

// 1 / √(mean(x²) + ε) of a token, after all of it was staged.
fn inverse_rms(i: u32) -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < STAGED; j++) {
        sum += squares[i * STAGED + j];
    }
    return inverseSqrt(sum / f32(params.n_in) + params.eps);
}

// The products of rows with tokens' activations, [TOKENS, ROWS].
fn products(rows: array<Row, ROWS>, token: u32, lane: u32) -> array<f32, TOKENS * ROWS> {
    var sums = array<f32, TOKENS * ROWS>();
    for (var i = 0u; i < TOKENS; i++) {
        squares[i * STAGED + lane] = 0.0;
    }
    for (var first = 0u; first < placement.x_quads; first += STAGED) {
        stage(first, token, lane);
        workgroupBarrier();
        let n_blocks = min(STAGED / BLOCK_QUADS, placement.row_blocks - first / BLOCK_QUADS);
        for (var b = 0u; b < n_blocks; b++) {
            let block = first / BLOCK_QUADS + b;
            for (var r = 0u; r < ROWS; r++) {
                var numbers = unpack(block_of(rows[r], block));
                let scale = scale_of(rows[r], block);
                for (var i = 0u; i < TOKENS; i++) {
                    var sum = 0.0;
                    for (var q = 0u; q < BLOCK_QUADS; q++) {
                        sum += dot(numbers[q], staged[i * STAGED + b * BLOCK_QUADS + q]);
                    }
                    sums[i * ROWS + r] += sum * scale;
                }
            }
        }
        workgroupBarrier();
    }
    if params.norm == 1u {
        for (var i = 0u; i < TOKENS; i++) {
            let factor = inverse_rms(i);
            for (var r = 0u; r < ROWS; r++) {
                sums[i * ROWS + r] *= factor;
            }
        }
    }
    return sums;
}
