// Rows in fours a thread, for TOKENS tokens: for devices whose lanes load by themselves, as software ones do.
//
// There a load costs each lane as much as a dozen additions, wherever it comes from, and a barrier costs more. So there is
// no workgroup memory: each thread reads the activations itself, and uses what it read for all its rows and tokens. What
// would be loops over rows and tokens is written out, since registers cannot be indexed.

// A block of the activations of one token.
struct Inputs {
    quads: array<vec4<f32>, BLOCK_QUADS>,
    // Of x, before it is multiplied by the norm's weights.
    square: f32,
}

// The numbers of one block of four rows.
struct Four {
    r0: array<vec4<f32>, BLOCK_QUADS>,
    r1: array<vec4<f32>, BLOCK_QUADS>,
    r2: array<vec4<f32>, BLOCK_QUADS>,
    r3: array<vec4<f32>, BLOCK_QUADS>,
}

// Four rows of a matrix: `first` and those after it, the last one again where there are no more.
struct Rows {
    matrix: u32,
    first: u32,
    last: u32,
}

// The products of one token with up to three times four rows.
struct Sums {
    a: vec4<f32>,
#if FOURS_2 || FOURS_3
    b: vec4<f32>,
#endif
#if FOURS_3
    c: vec4<f32>,
#endif
    square: f32,
}

struct Blocks {
    a: Four,
#if FOURS_2 || FOURS_3
    b: Four,
#endif
#if FOURS_3
    c: Four,
#endif
}

struct Job {
    a: Rows,
#if FOURS_2 || FOURS_3
    b: Rows,
#endif
#if FOURS_3
    c: Rows,
#endif
}

fn inputs(token: u32, block: u32) -> Inputs {
    var result = Inputs();
    let row = x_row(min(token, n_x_rows() - 1u)) * placement.x_quads;
    for (var q = 0u; q < BLOCK_QUADS; q++) {
        let quad = block * BLOCK_QUADS + q;
        // The last block may hold fewer quads.
        var numbers = select(vec4<f32>(), x[row + min(quad, placement.x_quads - 1u)], quad < placement.x_quads);
#if NORM
        result.square += dot(numbers, numbers);
        numbers *= norm[min(quad, placement.x_quads - 1u)];
#endif
        result.quads[q] = numbers;
    }
    return result;
}

fn four(rows: Rows, block: u32) -> Four {
    return Four(
        unpack(block_of(Row(rows.matrix, rows.first), block)),
        unpack(block_of(Row(rows.matrix, min(rows.first + 1u, rows.last)), block)),
        unpack(block_of(Row(rows.matrix, min(rows.first + 2u, rows.last)), block)),
        unpack(block_of(Row(rows.matrix, min(rows.first + 3u, rows.last)), block)),
    );
}

fn scales(rows: Rows, block: u32) -> vec4<f32> {
    return vec4<f32>(
        scale_of(Row(rows.matrix, rows.first), block),
        scale_of(Row(rows.matrix, min(rows.first + 1u, rows.last)), block),
        scale_of(Row(rows.matrix, min(rows.first + 2u, rows.last)), block),
        scale_of(Row(rows.matrix, min(rows.first + 3u, rows.last)), block),
    );
}

fn row_product(numbers: array<vec4<f32>, BLOCK_QUADS>, quads: array<vec4<f32>, BLOCK_QUADS>) -> f32 {
    var w = numbers;
    var i = quads;
    var sum = 0.0;
    for (var q = 0u; q < BLOCK_QUADS; q++) {
        sum += dot(w[q], i[q]);
    }
    return sum;
}

fn product(four: Four, quads: array<vec4<f32>, BLOCK_QUADS>) -> vec4<f32> {
    return vec4<f32>(
        row_product(four.r0, quads),
        row_product(four.r1, quads),
        row_product(four.r2, quads),
        row_product(four.r3, quads),
    );
}

// The sums with one block of one token added.
fn added(sums: Sums, blocks: Blocks, token: u32, block: u32) -> Sums {
    let inputs = inputs(token, block);
    var result = sums;
    result.a += product(blocks.a, inputs.quads);
#if FOURS_2 || FOURS_3
    result.b += product(blocks.b, inputs.quads);
#endif
#if FOURS_3
    result.c += product(blocks.c, inputs.quads);
#endif
    result.square += inputs.square;
    return result;
}

fn blocks(job: Job, block: u32) -> Blocks {
    var result = Blocks();
    result.a = four(job.a, block);
#if FOURS_2 || FOURS_3
    result.b = four(job.b, block);
#endif
#if FOURS_3
    result.c = four(job.c, block);
#endif
    return result;
}

// The sums of a group of blocks that share a scale, added to those before.
fn scaled(before: Sums, sums: Sums, factors: Sums) -> Sums {
    var result = before;
    result.a += sums.a * factors.a;
#if FOURS_2 || FOURS_3
    result.b += sums.b * factors.b;
#endif
#if FOURS_3
    result.c += sums.c * factors.c;
#endif
    result.square += sums.square;
    return result;
}

fn factors(job: Job, block: u32) -> Sums {
    var result = Sums();
    result.a = scales(job.a, block);
#if FOURS_2 || FOURS_3
    result.b = scales(job.b, block);
#endif
#if FOURS_3
    result.c = scales(job.c, block);
#endif
    return result;
}

// With the norm's factor 1 / √(mean(x²) + ε).
fn normed(sums: Sums) -> Sums {
#if NORM
    let factor = inverseSqrt(sums.square / f32(params.n_in) + params.eps);
    var result = sums;
    result.a *= factor;
#if FOURS_2 || FOURS_3
    result.b *= factor;
#endif
#if FOURS_3
    result.c *= factor;
#endif
    return result;
#else
    return sums;
#endif
}

struct Products {
    t0: Sums,
#if MANY
    t1: Sums,
    t2: Sums,
    t3: Sums,
#endif
}

// The products of a job's rows with the tokens from `token` on.
fn products(job: Job, token: u32) -> Products {
    var result = Products();
    let n_blocks = placement.row_blocks;
    let n_shared = select(1u << placement.scale_shift, n_blocks, placement.scale_shift == 31u);
    for (var start = 0u; start < n_blocks; start += n_shared) {
        var group = Products();
        let end = min(start + n_shared, n_blocks);
        for (var block = start; block < end; block++) {
            let numbers = blocks(job, block);
            group.t0 = added(group.t0, numbers, token, block);
#if MANY
            group.t1 = added(group.t1, numbers, token + 1u, block);
            group.t2 = added(group.t2, numbers, token + 2u, block);
            group.t3 = added(group.t3, numbers, token + 3u, block);
#endif
        }
        let factor = factors(job, start);
        result.t0 = scaled(result.t0, group.t0, factor);
#if MANY
        result.t1 = scaled(result.t1, group.t1, factor);
        result.t2 = scaled(result.t2, group.t2, factor);
        result.t3 = scaled(result.t3, group.t3, factor);
#endif
    }
    result.t0 = normed(result.t0);
#if MANY
    result.t1 = normed(result.t1);
    result.t2 = normed(result.t2);
    result.t3 = normed(result.t3);
#endif
    return result;
}
