//! Tensors as the bytes of a file's element type.

use hala_weights::Checkpoint;
use half::f16;

use super::format::FloatFormat;
use crate::chunks::{check_finite, each_chunk_of};
use crate::error::CompressError;
use crate::float::{Brain, Float, Half, Single};
use crate::job::Sink;

/// Writes a tensor under another name and in another format, some rows at a time.
pub(super) fn write_tensor(
    checkpoint: &Checkpoint,
    name: &str,
    (to, format): (&str, FloatFormat),
    sink: &Sink<'_>,
) -> Result<(), CompressError> {
    let mut rows = [checkpoint.rows(name)?];
    let n_columns = rows[0].shape().n_columns().max(1);
    let (mut bytes, mut offset) = (Vec::new(), 0);
    each_chunk_of(&mut rows, 1, |start, chunks| {
        bytes.clear();
        for x in chunks {
            if format == FloatFormat::F16 {
                // What f16 cannot hold becomes infinite, and is refused.
                x.iter_mut().for_each(|x| *x = Half::round(*x));
            }
            check_finite(name, start, x, n_columns)?;
            x.chunks(n_columns).for_each(|row| write_row(row, format, &mut bytes));
        }
        sink.write(to, offset, &bytes)?;
        offset += bytes.len() as u64;
        Ok(())
    })
}

/// Appends a row as the file stores it; blocks must be whole.
fn write_row(row: &[f32], format: FloatFormat, out: &mut Vec<u8>) {
    match format {
        FloatFormat::F32 => row.iter().for_each(|x| Single::write(*x, out)),
        FloatFormat::F16 => row.iter().for_each(|x| Half::write(*x, out)),
        FloatFormat::BF16 => row.iter().for_each(|x| Brain::write(*x, out)),
        FloatFormat::Q8_0 => {
            row.chunks_exact(format.file_dtype().block().0).for_each(|block| q8_0(block, out));
        }
    }
}

/// A scale in f16 and 32 codes, as ggml's `quantize_row_q8_0_ref` makes them: codes by the scale before it is rounded, halves away from 0.
fn q8_0(block: &[f32], out: &mut Vec<u8>) {
    let d = block.iter().fold(0.0f32, |max, x| max.max(x.abs())) / 127.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    out.extend(f16::from_f32(d).to_le_bytes());
    out.extend(block.iter().map(|x| (x * inverse).round() as i8 as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_that_of_gguf_py() {
        let row: Vec<f32> = (0..32).map(|i| ((i * 37 % 64) as f32 - 31.5) / 16.0).collect();
        let mut bytes = Vec::new();
        write_row(&row, FloatFormat::Q8_0, &mut bytes);
        // gguf.quants.quantize(row, GGMLQuantizationType.Q8_0)
        let expected = [
            240, 35, 129, 22, 169, 62, 210, 103, 250, 141, 34, 181, 75, 222, 115, 6, 153, 46, 194, 87, 234,
            127, 18, 165, 58, 206, 99, 246, 137, 30, 177, 71, 218, 111,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn codes_times_the_scale_are_the_numbers() {
        let row: Vec<f32> = (0..64).map(|i| (i as f32 - 20.0) / 7.0).collect();
        let mut bytes = Vec::new();
        write_row(&row, FloatFormat::Q8_0, &mut bytes);
        assert_eq!(bytes.len(), 2 * 34);
        for (block, x) in bytes.chunks_exact(34).zip(row.chunks_exact(32)) {
            let d = f16::from_le_bytes([block[0], block[1]]).to_f32();
            let codes = block[2..].iter().map(|code| f32::from(*code as i8) * d);
            assert!(codes.zip(x).all(|(y, x)| (y - x).abs() <= d * 0.6));
        }
    }
}
