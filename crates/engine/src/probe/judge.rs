//! How far what a step wrote is from what it should have written.

use hala_plan::Tolerance;

/// The element that is furthest off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Element {
    /// Index among the rows that were judged.
    pub(super) idx: usize,
    pub(super) column: usize,
    pub(super) found: f32,
    pub(super) expected: f32,
}

/// Errors of rows, relative to the magnitude of each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Errors {
    /// The largest; infinite where a value is no number.
    pub(super) largest: f64,
    pub(super) worst: Option<Element>,
    squares: f64,
    n_elements: usize,
    n_rows: usize,
}

/// What one row should have become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) values: &'a [f32],
    /// What it was before, where the step adds to it: an error is then one of what was added.
    pub(super) before: Option<&'a [f32]>,
    /// The part of a value that its rounding to the buffer's type may change.
    pub(super) rounding: f64,
}

impl Errors {
    /// Adds a row.
    pub(super) fn add(&mut self, found: &[f32], expected: Expected<'_>) {
        let Expected { values, before, rounding } = expected;
        let change = |i: usize| f64::from(values[i]) - before.map_or(0.0, |before| f64::from(before[i]));
        let squares: f64 = (0..values.len()).map(|i| change(i) * change(i)).sum();
        let magnitude = (squares / values.len().max(1) as f64).sqrt();
        for (column, expected) in values.iter().enumerate() {
            let found = found.get(column).copied().unwrap_or(f32::NAN);
            let error = error(found, *expected, rounding) / magnitude.max(f64::MIN_POSITIVE);
            let error = if error.is_nan() { f64::INFINITY } else { error };
            self.squares += error * error;
            if self.worst.is_none() || error > self.largest {
                self.largest = error;
                self.worst = Some(Element { idx: self.n_rows, column, found, expected: *expected });
            }
        }
        self.n_elements += values.len();
        self.n_rows += 1;
    }

    /// Root of the mean square.
    pub(super) fn mean(&self) -> f64 {
        (self.squares / self.n_elements.max(1) as f64).sqrt()
    }

    /// The largest error as a share of what is allowed, or the mean one where that is more: above 1 is a departure.
    pub(super) fn share(&self, tolerance: Tolerance) -> f64 {
        let mean_limit = tolerance.rms_limit(self.n_elements);
        let of = |error: f64, limit: f64| if error == 0.0 { 0.0 } else { error / limit };
        of(self.largest, f64::from(tolerance.max)).max(of(self.mean(), mean_limit))
    }
}

/// The difference beyond what rounding explains; not a number where one of the two is none.
fn error(found: f32, expected: f32, rounding: f64) -> f64 {
    if !found.is_finite() || !expected.is_finite() {
        return f64::NAN;
    }
    let difference = (f64::from(found) - f64::from(expected)).abs();
    (difference - rounding * f64::from(expected).abs()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { max: 0.1, rms: 0.05 };

    fn share(found: &[f32], values: &[f32], before: Option<&[f32]>) -> f64 {
        let mut errors = Errors::default();
        errors.add(found, Expected { values, before, rounding: 0.0 });
        errors.share(TOLERANCE)
    }

    #[test]
    fn errors_are_relative_to_the_row_however_small_it_is() {
        for size in [1e-6, 1.0, 1e6] {
            let values = [size; 4];
            assert!(share(&[1.09 * size, size, size, size], &values, None) < 1.0);
            assert!(share(&[1.2 * size, size, size, size], &values, None) > 1.0);
        }
        assert_eq!(share(&[0.0; 2], &[0.0; 2], None), 0.0);
        assert!(share(&[0.0, 1e-9], &[0.0; 2], None) > 1.0);
    }

    #[test]
    fn what_is_added_is_judged_by_its_own_size() {
        let (before, values) = ([100.0; 4], [101.0; 4]);
        assert!(share(&[101.05, 101.0, 101.0, 101.0], &values, Some(&before)) < 1.0);
        assert!(share(&[101.5, 101.0, 101.0, 101.0], &values, Some(&before)) > 1.0);
        assert!(share(&[101.5, 101.0, 101.0, 101.0], &values, None) < 1.0);
    }

    #[test]
    fn small_errors_everywhere_are_seen_too() {
        assert!(share(&[1.08; 400], &[1.0; 400], None) > 1.0);
    }

    #[test]
    fn what_is_no_number_departs_whatever_is_expected() {
        for found in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(share(&[1.0, found], &[1.0, 1.0], None), f64::INFINITY);
            assert_eq!(share(&[1.0, found], &[1.0, found], None), f64::INFINITY);
        }
        assert_eq!(share(&[1.0], &[1.0, 1.0], None), f64::INFINITY);
    }

    #[test]
    fn the_furthest_element_is_told() {
        let mut errors = Errors::default();
        errors.add(&[1.0, 1.0], Expected { values: &[1.0, 1.0], before: None, rounding: 0.0 });
        errors.add(&[1.0, 3.0], Expected { values: &[1.0, 1.0], before: None, rounding: 0.0 });
        let worst = errors.worst.unwrap();
        assert_eq!((worst.idx, worst.column, worst.found), (1, 1, 3.0));
    }
}
