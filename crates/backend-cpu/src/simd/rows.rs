//! Decodes rows of matrices that are kept row by row.

use hala_tensor::{Data, Tensor};
use half::slice::HalfFloatSliceExt;

/// 2¹²⁰: an E4M3 code's exponent and mantissa, put in the place of an f32's, stand for a number 2¹²⁰ times too small.
const E4M3_TO_F32: f32 = 1.329_228e36;

/// Decodes one row, as [`Tensor::row`] does, in loops that are vectorised.
#[inline(always)]
pub(crate) fn decode(tensor: &Tensor, row: usize, out: &mut [f32]) {
    let n = tensor.shape().n_columns();
    let range = row * n..(row + 1) * n;
    match tensor.data() {
        Data::F32(x) => out.copy_from_slice(&x[range]),
        Data::BF16(x) => {
            for (out, x) in out.iter_mut().zip(&x[range]) {
                *out = f32::from_bits(u32::from(x.to_bits()) << 16);
            }
        }
        Data::F16(x) => x[range].convert_to_f32_slice(out),
        Data::E4M3 { codes, scales } => {
            let scale = scales[row];
            for (out, code) in out.iter_mut().zip(&codes[range]) {
                let code = u32::from(*code);
                let bits = (code & 0x7f) << 20 | (code & 0x80) << 24;
                *out = f32::from_bits(bits) * E4M3_TO_F32 * scale;
            }
        }
        Data::U32(_) | Data::Int8 { .. } => tensor.row(row, out),
    }
}

#[cfg(test)]
mod tests {
    use hala_tensor::{Shape, e4m3};
    use half::{bf16, f16};

    use super::*;

    fn same(data: Data, n: usize) {
        let tensor = Tensor::new(Shape::matrix(1, n), data).unwrap();
        let (mut found, mut expected) = (vec![9.0; n], vec![0.0; n]);
        decode(&tensor, 0, &mut found);
        tensor.row(0, &mut expected);
        assert_eq!(found, expected, "{}", tensor.dtype());
    }

    #[test]
    fn every_code_decodes_to_the_value_of_its_format() {
        let codes: Vec<u8> = (0..=255).filter(|c| !e4m3::is_nan(*c)).collect();
        same(Data::E4M3 { codes, scales: vec![0.37] }, 254);
        let halves = || 0..=u16::MAX;
        same(Data::F16(halves().map(f16::from_bits).filter(|x| !x.is_nan()).collect()), 65536 - 2046);
        same(Data::BF16(halves().map(bf16::from_bits).filter(|x| !x.is_nan()).collect()), 65536 - 254);
    }
}
