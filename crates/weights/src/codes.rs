//! Codes of a file as numbers, without their scales.

use hala_tensor::e4m3;

use crate::quantisation::Codes;

/// One row of codes as numbers, without their scales.
pub(crate) fn decode_codes(codes: Codes, bytes: &[u8], out: &mut [f32]) {
    match codes {
        Codes::Int8 => out.iter_mut().zip(bytes).for_each(|(x, code)| *x = f32::from(*code as i8)),
        Codes::E4M3 => out.iter_mut().zip(bytes).for_each(|(x, code)| *x = e4m3::decode(*code)),
        Codes::Packed(n_bits) => {
            let codes = unpacked(n_bits, bytes);
            out.iter_mut().zip(codes).for_each(|(x, code)| *x = f32::from(code));
        }
    }
}

/// The signed codes of one row of words.
pub(crate) fn unpacked(n_bits: u32, bytes: &[u8]) -> impl Iterator<Item = i8> {
    // Both widths divide a byte, and words are little-endian: a byte's codes are its own.
    let n_codes = 8 / n_bits;
    let (mask, offset) = ((1u32 << n_bits) - 1, 1i32 << (n_bits - 1));
    bytes.iter().flat_map(move |byte| {
        (0..n_codes).map(move |i| (((u32::from(*byte) >> (i * n_bits)) & mask) as i32 - offset) as i8)
    })
}
