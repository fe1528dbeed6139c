//! The check: each case on the plain CPU against its formula, and on every backend against the plain run.

use std::fmt::Write;

use hala_plan::Cancel;

use crate::backends::{self, Readings, Runner};
use crate::case::{Case, Pace};
use crate::tolerances::{self, Tolerance};

/// What a formula gives for a case: for each run, for each buffer read, what [`Recording::read`](crate::case::Recording::read) says.
pub type Expected = Vec<Vec<Vec<f64>>>;

/// A case, what its formula gives in f64, and how near the plain run must come to that.
#[derive(Debug)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// The formula's results.
    pub expected: Expected,
    /// The plain run's tolerance.
    pub plain: Tolerance,
}

impl Row {
    /// A row whose plain run differs from the formula by roundings to f32.
    pub fn new(case: Case, expected: Expected) -> Self {
        Self { case, expected, plain: tolerances::PLAIN }
    }
}

/// Failures printed before the rest is only counted.
const MAX_PRINTED: usize = 12;

/// Checks every row on every backend; panics with a list of what is wrong.
///
/// # Panics
/// Where a row fails, or there is none.
pub fn all(rows: impl IntoIterator<Item = Row>) {
    let (mut n_rows, mut failures) = (0, Vec::new());
    for row in rows {
        n_rows += 1;
        check(&row, &mut failures);
    }
    assert!(n_rows > 0, "a table without rows checks nothing");
    let mut text = String::new();
    for failure in failures.iter().take(MAX_PRINTED) {
        writeln!(text, "  {failure}").expect("a string takes text");
    }
    assert!(failures.is_empty(), "{} failures in {n_rows} rows:\n{text}", failures.len());
}

fn check(row: &Row, failures: &mut Vec<String>) {
    let Some(plain) = readings(backends::plain(), &row.case, failures) else { return };
    let against = Against { expected: &row.expected, tolerance: Some(row.plain) };
    compare(&row.case, "the plain run against the formula", &plain, against, failures);
    let truth = widened(&plain);
    for backend in backends::others() {
        if let Some(found) = readings(backend.as_ref(), &row.case, failures) {
            let against = Against { expected: &truth, tolerance: None };
            compare(&row.case, &backend.name(), &found, against, failures);
        }
    }
}

fn readings(backend: &dyn Runner, case: &Case, failures: &mut Vec<String>) -> Option<Readings> {
    match backend.run(case, Pace::Whole, &Cancel::new()) {
        Ok(readings) => Some(readings),
        Err(error) => {
            failures.push(format!("{}: {}: {error}", case.name, backend.name()));
            None
        }
    }
}

/// Readings in the type that they are compared in.
pub fn widened(readings: &Readings) -> Expected {
    let widen = |values: &Vec<f32>| values.iter().copied().map(f64::from).collect();
    readings.iter().map(|run| run.iter().map(widen).collect()).collect()
}

/// What readings are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The values that are right.
    pub expected: &'a Expected,
    /// How near they must come; without one each buffer has its own.
    pub tolerance: Option<Tolerance>,
}

/// Compares all runs of a case that `who` has run.
pub fn compare(case: &Case, who: &str, found: &Readings, against: Against<'_>, failures: &mut Vec<String>) {
    let Against { expected, tolerance } = against;
    assert_eq!(found.len(), expected.len(), "{}: {who}: number of runs", case.name);
    for (run_idx, (recorded, run)) in case.runs().enumerate() {
        let (found, expected) = (&found[run_idx], &expected[run_idx]);
        assert_eq!(found.len(), expected.len(), "{}: {who}: buffers read in run {run_idx}", case.name);
        for (read, (found, expected)) in recorded.reads.iter().zip(found.iter().zip(expected)) {
            let buffer = recorded.plan.buffer(read.buffer);
            let tolerance = tolerance.unwrap_or(read.tolerance);
            if let Err(what) = near(found, expected, buffer.shape.n_columns(), tolerance) {
                let place = format!("run {run_idx} of {} rows, {}", run.n_rows(), buffer.label);
                failures.push(format!("{}: {who}: {place}: {what}", case.name));
            }
        }
    }
}

/// Compares two buffers row by row.
///
/// # Errors
/// A sentence with the worst element, or the mean error.
pub fn near(found: &[f32], expected: &[f64], n_columns: usize, tolerance: Tolerance) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} elements, and {} are expected", found.len(), expected.len()));
    }
    let (mut worst, mut worst_idx, mut squares) = (0.0, 0, 0.0);
    for (row, (found, expected)) in found.chunks(n_columns).zip(expected.chunks(n_columns)).enumerate() {
        let magnitude = rms(expected).max(1.0);
        for (column, (x, y)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(*x) - y).abs() / magnitude;
            let error = if error.is_nan() { f64::INFINITY } else { error };
            squares += error * error;
            if error > worst {
                (worst, worst_idx) = (error, row * n_columns + column);
            }
        }
    }
    let mean = (squares / found.len().max(1) as f64).sqrt();
    let mean_limit = tolerance.rms_limit(found.len());
    if worst <= f64::from(tolerance.max) && mean <= mean_limit {
        return Ok(());
    }
    let (row, column) = (worst_idx / n_columns, worst_idx % n_columns);
    Err(format!(
        "row {row}, column {column} is {}, and {} is expected; relative to the row: largest error {worst:.2e} \
         (at most {:.0e}), root mean square {mean:.2e} (at most {mean_limit:.1e})",
        found[worst_idx], expected[worst_idx], tolerance.max
    ))
}

fn rms(row: &[f64]) -> f64 {
    (row.iter().map(|x| x * x).sum::<f64>() / row.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { max: 0.1, rms: 0.05 };

    #[test]
    fn errors_are_relative_to_the_row() {
        let expected = [1.0, 1.0, 1.0, 1.0, 100.0, 100.0, 100.0, 100.0];
        assert!(near(&[1.0, 1.0, 1.0, 1.0, 105.0, 100.0, 100.0, 100.0], &expected, 4, TOLERANCE).is_ok());
        assert!(near(&[1.2, 1.0, 1.0, 1.0, 100.0, 100.0, 100.0, 100.0], &expected, 4, TOLERANCE).is_err());
    }

    #[test]
    fn small_errors_everywhere_are_seen_too() {
        assert!(near(&[1.08; 400], &[1.0; 400], 4, TOLERANCE).is_err());
    }

    #[test]
    fn not_a_number_is_an_error() {
        assert!(near(&[f32::NAN, 1.0], &[1.0, 1.0], 2, TOLERANCE).unwrap_err().contains("column 0"));
        assert!(near(&[1.0], &[1.0, 1.0], 2, TOLERANCE).is_err());
    }
}
