//! What kernels for floats read: sixteen rows of a matrix side by side, column by column, and the inputs of some tokens.
//!
//! A kernel decodes a column of sixteen numbers in registers and multiplies it with the input of each token. Sums are in f32: of even and of
//! odd columns by themselves within a span of columns, and then of the spans.

use hala_tensor::DType;

use super::layout::N_ROWS;

/// Columns whose products are summed before they are added to those of other spans: a long sum rounds less in parts.
pub(crate) const SPAN: usize = 256;

/// The bits of an E4M3 code where it is taken for an f16, after it was widened with its sign and moved to the left by seven: its own sign is there
/// twice.
#[allow(dead_code, reason = "machines without conversions of f16 decode otherwise")]
pub(crate) const F16_BITS: i16 = 0xbfff_u16.cast_signed();

/// What such an f16 is to be multiplied with: its exponent's bias is 15, not 7. Its smallest numbers stay right, as those of f16 are.
#[allow(dead_code, reason = "machines without conversions of f16 decode otherwise")]
pub(crate) const E4M3_OF_F16: f32 = 256.0;

/// Formats of floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Float {
    /// Four bits of exponent and three of mantissa, with a scale for each row.
    E4M3,
    F16,
    BF16,
    /// What others are decoded to where many tokens share it.
    F32,
}

impl Float {
    /// Bytes of a number.
    pub(crate) const fn n_bytes(self) -> usize {
        match self {
            Self::E4M3 => 1,
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
        }
    }

    /// The element type.
    pub(crate) const fn dtype(self) -> DType {
        match self {
            Self::E4M3 => DType::E4M3,
            Self::F16 => DType::F16,
            Self::BF16 => DType::BF16,
            Self::F32 => DType::F32,
        }
    }
}

/// A format as a type, so that each has kernels of its own.
pub(crate) trait Format: Copy {
    const FLOAT: Float;
}

/// [`Float::E4M3`]
#[derive(Debug, Clone, Copy)]
pub(crate) struct E4M3;
/// [`Float::F16`]
#[derive(Debug, Clone, Copy)]
pub(crate) struct F16;
/// [`Float::BF16`]
#[derive(Debug, Clone, Copy)]
pub(crate) struct BF16;
/// [`Float::F32`]
#[derive(Debug, Clone, Copy)]
pub(crate) struct F32;

impl Format for E4M3 {
    const FLOAT: Float = Float::E4M3;
}
impl Format for F16 {
    const FLOAT: Float = Float::F16;
}
impl Format for BF16 {
    const FLOAT: Float = Float::BF16;
}
impl Format for F32 {
    const FLOAT: Float = Float::F32;
}

/// Sixteen rows of a matrix of floats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatPanel<'a> {
    pub(crate) float: Float,
    pub(crate) n_columns: usize,
    /// `[columns, 16]`, each number in the machine's order of bytes.
    pub(crate) codes: &'a [u8],
    /// Of each row, where the format has any; they are no kernel's business.
    pub(crate) scales: Option<&'a [f32; N_ROWS]>,
}

/// Inputs of some tokens of a tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatInputs<'a> {
    /// For each column, the input of each token.
    pub(crate) values: &'a [f32],
    /// Elements from one column to the next.
    pub(crate) stride: usize,
}

impl FloatPanel<'_> {
    /// Makes sure that a kernel may read sixteen numbers of format `F` for every column, and the inputs of `n_tokens`.
    ///
    /// # Panics
    /// Something is shorter: a panel of another format, or inputs of another matrix.
    #[inline(always)]
    pub(crate) fn check<F: Format>(&self, x: FloatInputs<'_>, n_tokens: usize) {
        assert!(self.float == F::FLOAT);
        assert!(self.codes.len() == self.n_columns * N_ROWS * F::FLOAT.n_bytes());
        assert!(x.values.len() >= self.n_columns.saturating_sub(1) * x.stride + n_tokens);
    }

    /// Decodes it, without its scales, into `room [columns, 16]`, and gives that as a panel.
    #[inline(always)]
    pub(crate) fn decoded<'r>(&self, room: &'r mut [f32]) -> FloatPanel<'r>
    where
        Self: 'r,
    {
        match self.float {
            Float::E4M3 => decode::<E4M3>(self.codes, room),
            Float::F16 => decode::<F16>(self.codes, room),
            Float::BF16 => decode::<BF16>(self.codes, room),
            Float::F32 => decode::<F32>(self.codes, room),
        }
        let codes = bytemuck::cast_slice(room);
        FloatPanel { float: Float::F32, n_columns: self.n_columns, codes, scales: self.scales }
    }

    /// Decodes one of its rows, with its scale.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        match self.float {
            Float::E4M3 => decode_row::<E4M3>(self.codes, row, out),
            Float::F16 => decode_row::<F16>(self.codes, row, out),
            Float::BF16 => decode_row::<BF16>(self.codes, row, out),
            Float::F32 => decode_row::<F32>(self.codes, row, out),
        }
        if let Some(scales) = self.scales {
            for out in out {
                *out *= scales[row];
            }
        }
    }
}

/// The products of a panel's 16 rows with each of the first `M` tokens, as loops that the compiler vectorises.
#[inline(always)]
pub(crate) fn tile<F: Format, const M: usize>(
    panel: FloatPanel<'_>,
    x: FloatInputs<'_>,
) -> [[f32; N_ROWS]; M] {
    panel.check::<F>(x, M);
    let mut totals = [[0.0; N_ROWS]; M];
    for (m, total) in totals.iter_mut().enumerate() {
        for (s, codes) in panel.codes.chunks(SPAN * N_ROWS * F::FLOAT.n_bytes()).enumerate() {
            let mut sums = [[0.0f32; N_ROWS]; 2];
            for (i, codes) in codes.chunks_exact(N_ROWS * F::FLOAT.n_bytes()).enumerate() {
                let input = x.values[(s * SPAN + i) * x.stride + m];
                let mut column = [0.0; N_ROWS];
                decode::<F>(codes, &mut column);
                for (sum, weight) in sums[i % 2].iter_mut().zip(column) {
                    *sum += weight * input;
                }
            }
            let [even, odd] = sums;
            for ((total, even), odd) in total.iter_mut().zip(even).zip(odd) {
                *total += even + odd;
            }
        }
    }
    totals
}

/// Decodes numbers, in loops that are vectorised.
#[inline(always)]
fn decode<F: Format>(codes: &[u8], out: &mut [f32]) {
    match F::FLOAT {
        Float::E4M3 => {
            for (out, code) in out.iter_mut().zip(codes) {
                *out = e4m3(*code);
            }
        }
        Float::F16 => {
            for (out, code) in out.iter_mut().zip(codes.as_chunks::<2>().0) {
                *out = f16(u16::from_ne_bytes(*code));
            }
        }
        Float::BF16 => {
            for (out, code) in out.iter_mut().zip(codes.as_chunks::<2>().0) {
                *out = bf16(u16::from_ne_bytes(*code));
            }
        }
        Float::F32 => {
            for (out, code) in out.iter_mut().zip(codes.as_chunks::<4>().0) {
                *out = f32::from_ne_bytes(*code);
            }
        }
    }
}

/// Decodes one row of a panel, one number of each column.
#[inline(always)]
fn decode_row<F: Format>(codes: &[u8], row: usize, out: &mut [f32]) {
    let n = F::FLOAT.n_bytes();
    for (out, codes) in out.iter_mut().zip(codes.chunks_exact(N_ROWS * n)) {
        decode::<F>(&codes[row * n..][..n], std::slice::from_mut(out));
    }
}

/// What an E4M3 exponent (bias 7) lacks to be an f32's (bias 127), where that lies.
const REBIAS: u32 = (127 - 7) << 23;

/// The step of E4M3's smallest numbers, whose exponent is 0.
const SMALLEST: f32 = 1.0 / 512.0;

/// The value of an E4M3 code, by its bits: its numbers are normal ones in f32, and subnormal f32 are slow on many machines.
#[inline(always)]
fn e4m3(code: u8) -> f32 {
    let (size, sign) = (u32::from(code & 0x7f), u32::from(code & 0x80) << 24);
    let normal = (size << 20) + REBIAS;
    let small = (size as i32 as f32 * SMALLEST).to_bits();
    f32::from_bits(if size < 8 { small } else { normal } | sign)
}

#[inline(always)]
fn bf16(code: u16) -> f32 {
    f32::from_bits(u32::from(code) << 16)
}

/// The value of an f16 (bias 15): where its exponent is the largest, it is infinite or undefined.
#[inline(always)]
fn f16(code: u16) -> f32 {
    const REBIAS: f32 = f32::from_bits((127 + 127 - 15) << 23);
    let (size, sign) = (u32::from(code & 0x7fff), u32::from(code & 0x8000) << 16);
    let finite = (f32::from_bits(size << 13) * REBIAS).to_bits();
    f32::from_bits(if size < 0x7c00 { finite } else { size << 13 | 0x7f80_0000 } | sign)
}

#[cfg(test)]
mod tests {
    use hala_tensor::e4m3;

    use super::*;

    fn same<F: Format>(codes: &[u8], expected: impl Iterator<Item = f32>) {
        let expected: Vec<f32> = expected.collect();
        let mut found = vec![9.0; expected.len()];
        decode::<F>(codes, &mut found);
        for (i, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            assert!(found == expected || found.is_nan() && expected.is_nan(), "{:?}, {i}: {found}", F::FLOAT);
        }
    }

    #[test]
    fn every_code_decodes_to_the_value_of_its_format() {
        let codes: Vec<u8> = (0..=255).filter(|code| !e4m3::is_nan(*code)).collect();
        same::<E4M3>(&codes, codes.iter().map(|code| e4m3::decode(*code)));
        let halves: Vec<u16> = (0..=u16::MAX).collect();
        same::<F16>(bytemuck::cast_slice(&halves), halves.iter().map(|x| half::f16::from_bits(*x).to_f32()));
        same::<BF16>(
            bytemuck::cast_slice(&halves),
            halves.iter().map(|x| half::bf16::from_bits(*x).to_f32()),
        );
    }
}
