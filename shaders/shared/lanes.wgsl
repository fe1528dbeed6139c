// ROWS rows of a matrix a workgroup of 64 lanes that stride along the row: what GPUs load fastest, for one token.
//
// Each lane keeps its blocks of the activations in registers for all rows; the norm's factor is applied to the sums.

var<workgroup> partial: array<array<f32, 64>, ROWS>;
var<workgroup> squares: array<f32, 64>;

// The product of row `first` + lane with the activations, for lanes below ROWS.
fn row_sums(first: u32, n_rows: u32, x_row: u32, lane: u32) -> f32 {
    var sums = array<f32, ROWS>();
    var square = 0.0;
    for (var block = lane; block < placement.row_blocks; block += 64u) {
        var inputs = array<vec4<f32>, BLOCK_QUADS>();
        for (var q = 0u; q < BLOCK_QUADS; q++) {
            let quad = block * BLOCK_QUADS + q;
            if quad < placement.x_quads {
                inputs[q] = x[x_row * placement.x_quads + quad];
                if params.norm == 1u {
                    square += dot(inputs[q], inputs[q]);
                    inputs[q] *= norm[quad];
                }
            }
        }
        for (var r = 0u; r < ROWS; r++) {
            let row = row_at(min(first + r, n_rows - 1u));
            var numbers = unpack(block_of(row, block));
            var sum = 0.0;
            for (var q = 0u; q < BLOCK_QUADS; q++) {
                sum += dot(numbers[q], inputs[q]);
            }
            sums[r] += sum * scale_of(row, block);
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        partial[r][lane] = sums[r];
    }
    squares[lane] = square;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half >>= 1u) {
        if lane < half {
            for (var r = 0u; r < ROWS; r++) {
                partial[r][lane] += partial[r][lane + half];
            }
            squares[lane] += squares[lane + half];
        }
        workgroupBarrier();
    }
    if lane >= ROWS {
        return 0.0;
    }
    let factor = inverseSqrt(squares[0] / f32(params.n_in) + params.eps);
    return partial[lane][0] * select(1.0, factor, params.norm == 1u);
}
