//! Gradients by finite differences in f64.

/// Half the distance of the two points that a difference is taken between: its square is what the result is off by, about.
const STEP: f64 = 1e-4;

/// Of f32 results whose sums were in f64, and of the differences themselves.
const BOUND: f64 = 1e-6;

/// Checks `found`, the gradients of `Σ dy · f(inputs)` in each input.
pub(super) fn check(f: impl Fn(&[Vec<f64>]) -> Vec<f64>, inputs: &[Vec<f64>], dy: &[f64], found: &[&[f32]]) {
    assert_eq!(inputs.len(), found.len());
    let value = |inputs: &[Vec<f64>]| -> f64 {
        let y = f(inputs);
        assert_eq!(y.len(), dy.len());
        y.iter().zip(dy).map(|(y, dy)| y * dy).sum()
    };
    let mut moved = inputs.to_vec();
    for (idx, found) in found.iter().enumerate() {
        let mut expected = Vec::new();
        for i in 0..inputs[idx].len() {
            let at = inputs[idx][i];
            let [high, low] = [STEP, -STEP].map(|step| {
                moved[idx][i] = at + step;
                value(&moved)
            });
            moved[idx][i] = at;
            expected.push((high - low) / (2.0 * STEP));
        }
        near(&format!("the gradient of input {idx}"), found, &expected, BOUND);
    }
}

/// Checks results against a formula in f64.
pub(super) fn same(what: &str, found: &[f32], expected: &[f64]) {
    near(what, found, expected, BOUND);
}

/// Checks fast loops against plain ones; zeros must be zeros.
pub(super) fn alike(what: &str, found: &[f32], expected: &[f32], bound: f64) {
    let wide: Vec<f64> = expected.iter().copied().map(f64::from).collect();
    if wide.iter().all(|x| *x == 0.0) {
        assert!(found.iter().all(|x| *x == 0.0), "{what}: what is 0 in plain loops");
    } else {
        near(what, found, &wide, bound);
    }
}

fn near(what: &str, found: &[f32], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: elements");
    let error: f64 = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    let magnitude: f64 = expected.iter().map(|b| b * b).sum();
    assert!(magnitude > 0.0, "{what}: all zeros check nothing");
    let error = (error / magnitude).sqrt();
    assert!(error <= bound, "{what}: a relative error of {error:e}");
}
