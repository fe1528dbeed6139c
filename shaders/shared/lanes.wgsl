// ROWS rows of a matrix a workgroup of lanes that stride along the row: what GPUs load fastest, for one token.
//
// Each lane keeps its blocks of the activations in registers for all rows; the norm's factor is applied to the sums. With
// SUBGROUPS lanes that run together add up among themselves first; their number divides LANES, and they are neighbours.

const LANES: u32 = 64u;

// Rows of activations of a workgroup.
const TOKENS: u32 = 1u;

struct Lane {
    @builtin(local_invocation_index) idx: u32,
#if SUBGROUPS
    // Within those that run together, and how many these are.
    @builtin(subgroup_invocation_id) sub_idx: u32,
    @builtin(subgroup_size) n_together: u32,
#endif
}

// Sums that are not added up yet, each row's and then the activations' squares.
#if SUBGROUPS
// The fewest lanes that run together on a device which gets these kernels.
const LEAST_TOGETHER: u32 = 4u;

var<workgroup> partial: array<array<f32, LANES / LEAST_TOGETHER>, ROWS + 1>;
#else
var<workgroup> partial: array<array<f32, LANES>, ROWS + 1>;
#endif

// Brings the lanes' sums together: partial[lane][0 … the result] are to be added up by who needs them.
fn gather(sums: array<f32, ROWS + 1>, lane: Lane) -> u32 {
    var all = sums;
#if SUBGROUPS
    for (var r = 0u; r <= ROWS; r++) {
        let sum = subgroupAdd(all[r]);
        if lane.sub_idx == 0u {
            partial[r][lane.idx / lane.n_together] = sum;
        }
    }
    workgroupBarrier();
    return LANES / lane.n_together;
#else
    for (var r = 0u; r <= ROWS; r++) {
        partial[r][lane.idx] = all[r];
    }
    workgroupBarrier();
    // Eight threads a row; each alone reads and writes the cells that it adds up.
    for (var i = lane.idx; i < 8u * (ROWS + 1u); i += LANES) {
        var sum = 0.0;
        for (var k = 0u; k < 8u; k++) {
            sum += partial[i / 8u][i % 8u + 8u * k];
        }
        partial[i / 8u][i % 8u] = sum;
    }
    workgroupBarrier();
    return 8u;
#endif
}

// The product of row `first` + lane with the activations, for lanes below ROWS.
fn row_sums(first: u32, n_rows: u32, x_row: u32, lane: Lane) -> f32 {
    var sums = array<f32, ROWS + 1>();
    for (var block = lane.idx; block < placement.row_blocks; block += LANES) {
        var inputs = array<vec4<f32>, BLOCK_QUADS>();
        for (var q = 0u; q < BLOCK_QUADS; q++) {
            // Rows of x are padded with zeros to whole blocks.
            let quad = block * BLOCK_QUADS + q;
            inputs[q] = x[x_row * placement.x_quads + quad];
            if params.norm == 1u {
                sums[ROWS] += dot(inputs[q], inputs[q]);
                inputs[q] *= norm[quad];
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
    let n = gather(sums, lane);
    var sum = 0.0;
    var square = 0.0;
    if lane.idx < ROWS {
        for (var i = 0u; i < n; i++) {
            sum += partial[lane.idx][i];
            square += partial[ROWS][i];
        }
    }
    return sum * select(1.0, inverseSqrt(square / f32(n_in()) + params.eps), params.norm == 1u);
}
