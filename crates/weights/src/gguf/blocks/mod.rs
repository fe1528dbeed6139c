//! The blocks of ggml's quantised types: how their bytes become numbers.
//!
//! Source: `ggml-quants.c` of <https://github.com/ggml-org/ggml> for the layouts; each value is computed in f32 in the same order.

mod half;
mod offset;
mod signed;

use hala_tensor::DType;

use crate::file_dtype::FileDType;

/// Elements of a block of the K types.
const K: usize = 256;

/// Decodes a row of whole blocks; types that have none leave `out` as it is.
pub(crate) fn decode(dtype: FileDType, bytes: &[u8], out: &mut [f32]) {
    let (n_block, n_bytes) = dtype.block();
    let blocks = bytes.chunks_exact(n_bytes).zip(out.chunks_exact_mut(n_block));
    let Some(group) = group(dtype) else {
        return blocks.for_each(|(block, out)| offset::decode(dtype, block, out));
    };
    let (mut codes, mut scales) = ([0; K], [0.0; K / 16]);
    let (codes, scales) = (&mut codes[..n_block], &mut scales[..n_block / group]);
    for (block, out) in blocks {
        signed::read(dtype, block, codes, scales);
        let groups = out.chunks_exact_mut(group).zip(codes.chunks_exact(group));
        for ((out, codes), scale) in groups.zip(scales.iter()) {
            out.iter_mut().zip(codes).for_each(|(x, code)| *x = scale * f32::from(*code));
        }
    }
}

/// Codes and scales of rows, as the type of [`dtype`] has them.
pub(crate) fn codes(dtype: FileDType, bytes: &[u8], codes: &mut Vec<u8>, scales: &mut Vec<f32>) {
    let (n_block, n_bytes) = dtype.block();
    let Some(group) = group(dtype) else { return };
    let (mut of_block, mut scales_of_block) = ([0; K], [0.0; K / 16]);
    let (of_block, scales_of_block) = (&mut of_block[..n_block], &mut scales_of_block[..n_block / group]);
    for block in bytes.chunks_exact(n_bytes) {
        signed::read(dtype, block, of_block, scales_of_block);
        scales.extend_from_slice(scales_of_block);
        if dtype == FileDType::Q4_0 {
            // Two share a byte, and both add 8.
            let pairs = of_block.as_chunks::<2>().0;
            codes.extend(pairs.iter().map(|[a, b]| (a + 8) as u8 | ((b + 8) as u8) << 4));
        } else {
            codes.extend(of_block.iter().map(|code| *code as u8));
        }
    }
}

/// The element type in memory that holds a type exactly, for those whose numbers are codes times scales.
pub(crate) fn dtype(dtype: FileDType) -> Option<DType> {
    let group = group(dtype)?;
    Some(if dtype == FileDType::Q4_0 { DType::Int4 { group } } else { DType::Int8 { group } })
}

/// How many numbers share a scale, for types whose numbers are signed codes times scales.
fn group(dtype: FileDType) -> Option<usize> {
    match dtype {
        FileDType::Q8_0 | FileDType::Q4_0 | FileDType::Q5_0 | FileDType::IQ4_NL | FileDType::IQ4_XS => {
            Some(32)
        }
        FileDType::Q3_K | FileDType::Q6_K => Some(16),
        _ => None,
    }
}
