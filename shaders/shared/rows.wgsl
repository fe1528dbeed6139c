// FOURS fours of rows a thread, for TOKENS tokens, one, four or eight: for devices whose lanes load by themselves, as software
// ones do.
//
// There a load costs each lane as much as a dozen additions, and a barrier costs more. So there is no workgroup memory: each
// thread reads the activations itself, and uses what it read for all its rows and tokens. What would be loops over rows and
// tokens is written out, since registers cannot be indexed.

// Four rows of a matrix: `first` and those after it, the last one again where there are no more.
struct Rows {
    matrix: u32,
    first: u32,
    last: u32,
}

// The rows of a thread: once, twice or three times four.
struct Job {
    a: Rows,
#if FOURS_2 || FOURS_3
    b: Rows,
#endif
#if FOURS_3
    c: Rows,
#endif
}

// A block of four rows.
struct Four {
    r0: array<vec4<f32>, BLOCK_QUADS>,
    r1: array<vec4<f32>, BLOCK_QUADS>,
    r2: array<vec4<f32>, BLOCK_QUADS>,
    r3: array<vec4<f32>, BLOCK_QUADS>,
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

// The products of one token with the rows.
struct Sums {
    a: vec4<f32>,
#if FOURS_2 || FOURS_3
    b: vec4<f32>,
#endif
#if FOURS_3
    c: vec4<f32>,
#endif
    // Of x, before it is multiplied by the norm's weights.
    square: f32,
}

struct Products {
    t0: Sums,
#if TOKENS_4 || TOKENS_8
    t1: Sums,
    t2: Sums,
    t3: Sums,
#if TOKENS_8
    t4: Sums,
    t5: Sums,
    t6: Sums,
    t7: Sums,
#endif
#endif
}

// A block of the activations of one token.
struct Inputs {
    quads: array<vec4<f32>, BLOCK_QUADS>,
    square: f32,
}

// Quad `i` of a row of the window.
fn quad_of(row: u32, i: u32) -> vec4<f32> {
#if TOKENS_4 || TOKENS_8
    let at = (row & 1u) * placement.x_quads + i;
    switch row >> 1u {
        case 0u: {
            return x0.quads[at];
        }
#if TOKENS_8
        case 2u: {
            return x2.quads[at];
        }
        case 3u: {
            return x3.quads[at];
        }
#endif
        default: {
            return x1.quads[at];
        }
    }
#else
    return x0.quads[i];
#endif
}

fn inputs(row: u32, block: u32) -> Inputs {
    var result = Inputs();
    for (var q = 0u; q < BLOCK_QUADS; q++) {
        let quad = block * BLOCK_QUADS + q;
        var numbers = quad_of(row, quad);
#if NORM
        result.square += dot(numbers, numbers);
        numbers *= norm.quads[quad];
#endif
        result.quads[q] = numbers;
    }
    return result;
}

fn nth(rows: Rows, i: u32) -> Row {
    return Row(rows.matrix, min(rows.first + i, rows.last));
}

fn four(rows: Rows, block: u32) -> Four {
    return Four(
        unpack(block_of(nth(rows, 0u), block)),
        unpack(block_of(nth(rows, 1u), block)),
        unpack(block_of(nth(rows, 2u), block)),
        unpack(block_of(nth(rows, 3u), block)),
    );
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

fn row_product(numbers: array<vec4<f32>, BLOCK_QUADS>, quads: array<vec4<f32>, BLOCK_QUADS>) -> f32 {
    var w = numbers;
    var x = quads;
    var sum = 0.0;
    for (var q = 0u; q < BLOCK_QUADS; q++) {
        sum += dot(w[q], x[q]);
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

// The sums of a token with one block added.
fn added(sums: Sums, blocks: Blocks, row: u32, block: u32) -> Sums {
    let inputs = inputs(row, block);
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

// The sums over blocks that share a scale, without it.
fn range_products(job: Job, start: u32, end: u32) -> Products {
    var result = Products();
    for (var block = start; block < end; block++) {
        let blocks = blocks(job, block);
        result.t0 = added(result.t0, blocks, 0u, block);
#if TOKENS_4 || TOKENS_8
        result.t1 = added(result.t1, blocks, 1u, block);
        result.t2 = added(result.t2, blocks, 2u, block);
        result.t3 = added(result.t3, blocks, 3u, block);
#if TOKENS_8
        result.t4 = added(result.t4, blocks, 4u, block);
        result.t5 = added(result.t5, blocks, 5u, block);
        result.t6 = added(result.t6, blocks, 6u, block);
        result.t7 = added(result.t7, blocks, 7u, block);
#endif
#endif
    }
    return result;
}

#if WEIGHT_INT8 || WEIGHT_INT4
// Scales of four groups, a column each, of four rows.
fn four_scales(rows: Rows, group: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(
        four_scales_of(nth(rows, 0u), group),
        four_scales_of(nth(rows, 1u), group),
        four_scales_of(nth(rows, 2u), group),
        four_scales_of(nth(rows, 3u), group),
    ));
}

// The next column first.
fn turned(m: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(m[1], m[2], m[3], m[0]);
}
#endif

// One scale for each of four whole rows.
fn row_scales(rows: Rows) -> vec4<f32> {
    return vec4<f32>(
        scale_of(nth(rows, 0u), 0u),
        scale_of(nth(rows, 1u), 0u),
        scale_of(nth(rows, 2u), 0u),
        scale_of(nth(rows, 3u), 0u),
    );
}

// Sums times scales, added to others.
fn scaled(before: Sums, sums: Sums, scales: Sums) -> Sums {
    var result = before;
    result.a += sums.a * scales.a;
#if FOURS_2 || FOURS_3
    result.b += sums.b * scales.b;
#endif
#if FOURS_3
    result.c += sums.c * scales.c;
#endif
    result.square += sums.square;
    return result;
}

fn all_scaled(before: Products, sums: Products, scales: Sums) -> Products {
    var result = before;
    result.t0 = scaled(before.t0, sums.t0, scales);
#if TOKENS_4 || TOKENS_8
    result.t1 = scaled(before.t1, sums.t1, scales);
    result.t2 = scaled(before.t2, sums.t2, scales);
    result.t3 = scaled(before.t3, sums.t3, scales);
#if TOKENS_8
    result.t4 = scaled(before.t4, sums.t4, scales);
    result.t5 = scaled(before.t5, sums.t5, scales);
    result.t6 = scaled(before.t6, sums.t6, scales);
    result.t7 = scaled(before.t7, sums.t7, scales);
#endif
#endif
    return result;
}

// With the norm's factor 1 / √(mean(x²) + ε).
fn normed(sums: Sums) -> Sums {
    var result = sums;
#if NORM
    let factor = inverseSqrt(sums.square / f32(n_in()) + params.eps);
    result.a *= factor;
#if FOURS_2 || FOURS_3
    result.b *= factor;
#endif
#if FOURS_3
    result.c *= factor;
#endif
#endif
    return result;
}

// The products of a thread's rows with all tokens of the window.
fn products(job: Job) -> Products {
    var result = Products();
    var scales = Sums();
    let n_blocks = placement.row_blocks;
#if WEIGHT_INT8 || WEIGHT_INT4
    let n_shared = 1u << placement.scale_shift;
    for (var start = 0u; start < n_blocks; start += 4u * n_shared) {
        let group = start >> placement.scale_shift;
        var a = four_scales(job.a, group);
#if FOURS_2 || FOURS_3
        var b = four_scales(job.b, group);
#endif
#if FOURS_3
        var c = four_scales(job.c, group);
#endif
        let end = min(start + 4u * n_shared, n_blocks);
        for (var first = start; first < end; first += n_shared) {
            scales.a = a[0];
            a = turned(a);
#if FOURS_2 || FOURS_3
            scales.b = b[0];
            b = turned(b);
#endif
#if FOURS_3
            scales.c = c[0];
            c = turned(c);
#endif
            result = all_scaled(result, range_products(job, first, min(first + n_shared, n_blocks)), scales);
        }
    }
#else
    scales.a = row_scales(job.a);
#if FOURS_2 || FOURS_3
    scales.b = row_scales(job.b);
#endif
#if FOURS_3
    scales.c = row_scales(job.c);
#endif
    result = all_scaled(result, range_products(job, 0u, n_blocks), scales);
#endif
    result.t0 = normed(result.t0);
#if TOKENS_4 || TOKENS_8
    result.t1 = normed(result.t1);
    result.t2 = normed(result.t2);
    result.t3 = normed(result.t3);
#if TOKENS_8
    result.t4 = normed(result.t4);
    result.t5 = normed(result.t5);
    result.t6 = normed(result.t6);
    result.t7 = normed(result.t7);
#endif
#endif
    return result;
}
