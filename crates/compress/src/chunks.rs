//! Matrices in and out, some rows at a time.

use hala_tensor::Shape;
use hala_weights::{Checkpoint, PACKED_SUFFIX, Rows, SCALE_SUFFIX, SHAPE_SUFFIX};

use crate::codes::magnitudes;
use crate::error::CompressError;
use crate::job::Sink;
use crate::scheme::Code;

/// Elements that are encoded at once: their floats stay in a second-level cache.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// A quantised matrix on its way to the file: codes as they come, scales and the shape at the end.
pub(crate) struct StoredRows<'a> {
    name: &'a str,
    code: Code,
    /// Of the rows since the last [`StoredRows::flush`].
    pub(crate) codes: Vec<u8>,
    /// Of all rows.
    pub(crate) scales: Vec<u8>,
    /// Bytes of codes that were written.
    offset: u64,
}

impl<'a> StoredRows<'a> {
    /// Nothing yet.
    pub(crate) fn new(name: &'a str, code: Code) -> Self {
        Self { name, code, codes: Vec::new(), scales: Vec::new(), offset: 0 }
    }

    /// Writes the codes.
    pub(crate) fn flush(&mut self, sink: &Sink<'_>) -> Result<(), CompressError> {
        let name = match self.code {
            Code::Packed(_) => &format!("{}{PACKED_SUFFIX}", self.name),
            Code::E4M3 | Code::Int8 => self.name,
        };
        sink.write(name, self.offset, &self.codes)?;
        self.offset += self.codes.len() as u64;
        self.codes.clear();
        Ok(())
    }

    /// Writes the scales, and the shape where the file needs it.
    pub(crate) fn finish(self, shape: Shape, sink: &Sink<'_>) -> Result<(), CompressError> {
        sink.write(&format!("{}{SCALE_SUFFIX}", self.name), 0, &self.scales)?;
        if let Code::Packed(_) = self.code {
            let dims = [shape.n_rows(), shape.n_columns()].map(|n| (n as i64).to_le_bytes());
            sink.write(&format!("{}{SHAPE_SUFFIX}", self.name), 0, &dims.concat())?;
        }
        Ok(())
    }
}

/// The largest magnitude of a matrix.
pub(crate) fn largest_magnitude(checkpoint: &Checkpoint, name: &str) -> Result<f32, CompressError> {
    let mut largest = [0.0];
    each_chunk(checkpoint, name, 1, |x| {
        magnitudes(x, x.len(), x.len(), &mut largest);
        Ok(())
    })?;
    Ok(largest[0])
}

/// Decodes a matrix some rows at a time, a multiple of `height` unless that is all of them; each value must be finite.
pub(crate) fn each_chunk(
    checkpoint: &Checkpoint,
    name: &str,
    height: usize,
    mut visit: impl FnMut(&mut [f32]) -> Result<(), CompressError>,
) -> Result<(), CompressError> {
    let mut rows = [checkpoint.rows(name)?];
    let n_columns = rows[0].shape().n_columns().max(1);
    each_chunk_of(&mut rows, height, |start, chunks| {
        chunks.iter_mut().try_for_each(|x| {
            check_finite(name, start, x, n_columns)?;
            visit(x)
        })
    })
}

/// Decodes tensors of one shape some rows at a time, as [`each_chunk`] does, and shows the same rows of all of them with the first
/// row's number.
pub(crate) fn each_chunk_of(
    rows: &mut [Rows<'_>],
    height: usize,
    mut visit: impl FnMut(usize, &mut [Vec<f32>]) -> Result<(), CompressError>,
) -> Result<(), CompressError> {
    let Some(shape) = rows.first().map(Rows::shape) else { return Ok(()) };
    let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns().max(1));
    let n_chunk_rows = (CHUNK_ELEMENTS / n_columns).max(1);
    let n_chunk_rows =
        n_chunk_rows.checked_next_multiple_of(height).unwrap_or(n_chunk_rows).min(n_rows.max(1));
    let mut chunks = vec![Vec::new(); rows.len()];
    for start in (0..n_rows).step_by(n_chunk_rows) {
        let end = n_rows.min(start + n_chunk_rows);
        for (rows, chunk) in rows.iter_mut().zip(&mut chunks) {
            chunk.resize((end - start) * n_columns, 0.0);
            rows.decode(start..end, chunk);
        }
        visit(start, &mut chunks)?;
    }
    Ok(())
}

/// Checks that values are finite; rows are counted from `first_row`.
pub(crate) fn check_finite(
    name: &str,
    first_row: usize,
    x: &[f32],
    n_columns: usize,
) -> Result<(), CompressError> {
    // One pass with no early exit, so that it is vectorised; the place is looked for only on a fault.
    if x.iter().fold(true, |all, x| all & (x.abs() <= f32::MAX)) {
        return Ok(());
    }
    let i = x.iter().position(|x| !x.is_finite()).unwrap_or(0);
    Err(CompressError::NotFinite { name: name.to_owned(), row: first_row + i / n_columns, value: x[i] })
}
