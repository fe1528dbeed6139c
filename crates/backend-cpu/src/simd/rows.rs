//! Decodes rows of matrices that are kept row by row.

use hala_tensor::{Data, Tensor};
use half::slice::HalfFloatSliceExt;

/// What an E4M3 exponent (bias 7) lacks to be an f32's (bias 127), where that lies.
const REBIAS: u32 = (127 - 7) << 23;

/// The step of E4M3's smallest numbers, whose exponent is 0.
const SMALLEST: f32 = 1.0 / 512.0;

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
                *out = e4m3(*code) * scale;
            }
        }
        Data::U32(_) | Data::Int8 { .. } | Data::Int4 { .. } => tensor.row(row, out),
    }
}

/// The value of a code, by its bits: its numbers are normal ones in f32, and subnormal f32 are slow on many machines.
#[inline(always)]
fn e4m3(code: u8) -> f32 {
    let (size, sign) = (u32::from(code & 0x7f), u32::from(code & 0x80) << 24);
    let normal = (size << 20) + REBIAS;
    let small = (size as i32 as f32 * SMALLEST).to_bits();
    f32::from_bits(if size < 8 { small } else { normal } | sign)
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
