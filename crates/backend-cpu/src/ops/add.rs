//! `y = a + b`

/// `a [T, D]`, `b [T, D]`, `y [T, D]`
pub(crate) fn run(a: &[f32], b: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (a, b))| *y = a + b);
}
