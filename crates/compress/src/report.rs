//! How far compressed matrices are from those that they were made from, as read back from the disk.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use hala_weights::Checkpoint;
use serde::Serialize;

use crate::chunks::{check_finite, each_chunk_of};
use crate::error::CompressError;
use crate::job::{Pace, Progress, cancelled};
use crate::smooth::multiply;
use crate::threads;

/// The error of one matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleError {
    /// Its name, without `.weight`.
    pub module: String,
    /// The scheme, in words.
    pub scheme: String,
    /// Elements.
    pub n_elements: usize,
    /// ‖x − y‖ / ‖x‖, Frobenius norms of the weights x and what was stored of them, y.
    pub relative_error: f64,
    /// Signal to noise, 20 · log₁₀(‖x‖ / ‖x − y‖), in decibels.
    pub sqnr_db: f64,
    /// The largest |x − y|.
    pub max_error: f32,
}

/// What became of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Bytes of tensors before.
    pub n_bytes_before: usize,
    /// Bytes of tensors after.
    pub n_bytes_after: usize,
    /// Each compressed matrix, in the order of their names, layer 2 before layer 10.
    pub modules: Vec<ModuleError>,
}

impl Report {
    /// The matrices with the largest relative errors, the worst first.
    pub fn worst(&self, n: usize) -> Vec<&ModuleError> {
        let mut modules: Vec<_> = self.modules.iter().collect();
        modules.sort_by(|a, b| b.relative_error.total_cmp(&a.relative_error));
        modules.truncate(n);
        modules
    }

    /// The relative error of all matrices together.
    pub fn relative_error(&self) -> f64 {
        let weighted = self.modules.iter().map(|m| m.relative_error.powi(2) * m.n_elements as f64);
        let n: usize = self.modules.iter().map(|m| m.n_elements).sum();
        (weighted.sum::<f64>() / n.max(1) as f64).sqrt()
    }
}

/// A matrix that was compressed.
pub(crate) struct Made<'a> {
    pub(crate) weight: &'a str,
    /// The scheme, in words.
    pub(crate) how: String,
    /// What its columns were multiplied with first.
    pub(crate) columns: Option<&'a [f32]>,
}

/// Compares the matrices of a new checkpoint with those that they were made from.
pub(crate) fn verify(
    before: &Checkpoint,
    folder: &Path,
    modules: &[Made<'_>],
    pace: &mut Pace<'_, '_>,
) -> Result<Report, CompressError> {
    let after = Checkpoint::open(folder)?;
    let stop = AtomicBool::new(false);
    let n_total = modules.len() as u64;
    let mut errors = Vec::new();
    let work = |made: &Made<'_>| compare(before, &after, made);
    threads::each(modules, pace.n_threads, &stop, work, |made, error| {
        errors.push(error);
        let what = format!("reading back {}", made.weight);
        let goes_on = (pace.on_progress)(Progress { n_done: errors.len() as u64, n_total, what: &what });
        stop.fetch_or(!goes_on, Ordering::Relaxed);
        Ok(())
    })?;
    // A stop that came with the last of them stopped nothing.
    if errors.len() < modules.len() {
        return Err(cancelled(folder));
    }
    errors.sort_by_cached_key(|error| natural(&error.module));
    Ok(Report { n_bytes_before: before.n_bytes(), n_bytes_after: after.n_bytes(), modules: errors })
}

/// A key that orders numbers in names by their size.
fn natural(name: &str) -> Vec<(usize, String)> {
    let parts = name.split('.');
    parts
        .map(|part| part.parse().map_or_else(|_| (0, part.to_owned()), |n: usize| (n, String::new())))
        .collect()
}

fn compare(before: &Checkpoint, after: &Checkpoint, made: &Made<'_>) -> Result<ModuleError, CompressError> {
    let Made { weight: name, how, columns } = made;
    let mut rows = [before.rows(name)?, after.rows(name)?];
    let shape = rows[0].shape();
    let n_columns = shape.n_columns().max(1);
    let (mut signal, mut noise, mut max_error) = (0.0f64, 0.0f64, 0.0f32);
    each_chunk_of(&mut rows, 1, |start, chunks| {
        let [x, y] = chunks else { return Ok(()) };
        check_finite(name, start, y, n_columns)?;
        columns.iter().for_each(|columns| multiply(x, columns));
        for (x, y) in x.chunks(n_columns).zip(y.chunks(n_columns)) {
            let ([squares, differences], max) = sums(x, y);
            signal += squares;
            noise += differences;
            max_error = max_error.max(max);
        }
        Ok(())
    })?;
    // Of a matrix of zeros nothing is lost.
    let relative_error = if noise == 0.0 { 0.0 } else { (noise / signal).sqrt() };
    Ok(ModuleError {
        module: name.trim_end_matches(".weight").to_owned(),
        scheme: how.clone(),
        n_elements: shape.n_elements(),
        relative_error,
        sqnr_db: if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() },
        max_error,
    })
}

/// Σx², Σ(x − y)² and max |x − y|, in eight sums each, which are vectorised.
fn sums(x: &[f32], y: &[f32]) -> ([f64; 2], f32) {
    let (mut squares, mut differences, mut max) = ([0.0f64; 8], [0.0f64; 8], [0.0f32; 8]);
    let (x, x_rest) = x.as_chunks::<8>();
    let (y, y_rest) = y.as_chunks::<8>();
    let mut add = |i: usize, x: f32, y: f32| {
        let difference = (x - y).abs();
        squares[i] += f64::from(x) * f64::from(x);
        differences[i] += f64::from(difference) * f64::from(difference);
        max[i] = max[i].max(difference);
    };
    for (x, y) in x.iter().zip(y) {
        (0..8).for_each(|i| add(i, x[i], y[i]));
    }
    x_rest.iter().zip(y_rest).for_each(|(x, y)| add(0, *x, *y));
    ([squares, differences].map(|sums| sums.iter().sum()), max.into_iter().fold(0.0, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_ordered_by_their_numbers() {
        let mut names = ["layers.10.w1", "layers.2.w3", "layers.2.w1", "embed"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["embed", "layers.2.w1", "layers.2.w3", "layers.10.w1"]);
    }
}
