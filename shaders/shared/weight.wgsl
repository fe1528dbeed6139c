// Reads a matrix in any weight type, one block at a time: 16 bytes, or 8 of int4, whose blocks have as many columns as those of int8.
//
// A matrix is one buffer: its rows, each padded with zeros to whole blocks, then from word `scales` on the f32 scales, row
// by row. f32, f16 and bf16 have no scales. A quad is four columns; activations are padded with zeros to whole quads.

// The words of a block.
#if WEIGHT_INT4
alias Words = vec2<u32>;
#else
alias Words = vec4<u32>;
#endif

#if WEIGHT_F32
// Quads in a block.
const BLOCK_QUADS: u32 = 1u;

// The numbers of a block, without its scale.
fn unpack(words: vec4<u32>) -> array<vec4<f32>, 1> {
    return array<vec4<f32>, 1>(bitcast<vec4<f32>>(words));
}
#elif WEIGHT_F16
const BLOCK_QUADS: u32 = 2u;

fn unpack(words: vec4<u32>) -> array<vec4<f32>, 2> {
    return array<vec4<f32>, 2>(
        vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y)),
        vec4<f32>(unpack2x16float(words.z), unpack2x16float(words.w)),
    );
}
#elif WEIGHT_BF16
const BLOCK_QUADS: u32 = 2u;

// Four bf16 numbers.
fn unpack_bf16(words: vec2<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(
        words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u,
    ));
}

fn unpack(words: vec4<u32>) -> array<vec4<f32>, 2> {
    return array<vec4<f32>, 2>(unpack_bf16(words.xy), unpack_bf16(words.zw));
}
#elif WEIGHT_INT8
const BLOCK_QUADS: u32 = 4u;

// Four signed bytes.
fn unpack_int8(word: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xI8(word));
}

fn unpack(words: vec4<u32>) -> array<vec4<f32>, 4> {
    return array<vec4<f32>, 4>(
        unpack_int8(words.x), unpack_int8(words.y), unpack_int8(words.z), unpack_int8(words.w),
    );
}
#elif WEIGHT_INT4
const BLOCK_QUADS: u32 = 4u;

// Four halves of bytes, each 8 more than the number.
fn unpack_int4(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<u32>(word, word >> 4u, word >> 8u, word >> 12u) & vec4<u32>(15u)) - 8.0;
}

fn unpack(words: vec2<u32>) -> array<vec4<f32>, 4> {
    return array<vec4<f32>, 4>(
        unpack_int4(words.x), unpack_int4(words.x >> 16u), unpack_int4(words.y), unpack_int4(words.y >> 16u),
    );
}
#elif WEIGHT_E4M3
const BLOCK_QUADS: u32 = 4u;

// Four E4M3 codes, divided by 256: a code's exponent and mantissa, moved into those of a half, are its value over 2^8. The
// scales hold that factor.
fn unpack_e4m3(word: u32) -> vec4<f32> {
    let shifted = word << 8u;
    let odd = unpack2x16float((word & 0x80008000u) | ((word & 0x7f007f00u) >> 1u));
    let even = unpack2x16float((shifted & 0x80008000u) | ((shifted & 0x7f007f00u) >> 1u));
    return vec4<f32>(even.x, odd.x, even.y, odd.y);
}

fn unpack(words: vec4<u32>) -> array<vec4<f32>, 4> {
    return array<vec4<f32>, 4>(
        unpack_e4m3(words.x), unpack_e4m3(words.y), unpack_e4m3(words.z), unpack_e4m3(words.w),
    );
}
#endif

#if WEIGHT_INT8 || WEIGHT_INT4 || WEIGHT_E4M3
// The block that a word is in, and which of its words it is.
fn block_with(word: u32) -> u32 {
#if WEIGHT_INT4
    return word >> 1u;
#else
    return word >> 2u;
#endif
}

fn number_in(words: Words, word: u32) -> f32 {
#if WEIGHT_INT4
    return bitcast<f32>(words[word & 1u]);
#else
    return bitcast<f32>(words[word & 3u]);
#endif
}
#endif
