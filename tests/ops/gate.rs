//! `gate`: values through a gate, silu, gelu or sigmoid, each with a gate of its own or some side by side with one.

use hala_plan::ops::gate::{Activation, Args};
use hala_plan::{PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::F32_SUMS;

use crate::formulas::{act, gather};
use crate::{SIZES, TOKENS};

/// Rows of the tables that inputs are taken from.
const N_INPUTS: usize = 40;

const WAYS: [Activation; 3] = [Activation::Silu, Activation::GeluTanh, Activation::Sigmoid];

/// `n_gates` gates of `n_each` columns.
fn row([n_gates, n_each]: [usize; 2], runs: &[usize], (activation, size): (Activation, f32)) -> Row {
    let n_columns = n_gates * n_each;
    let mut case = Case::new(&format!("gate {n_gates} of {n_each} {runs:?} {activation:?} {size}"));
    let mut rng = Rng::new(&case.name);
    let [a, b] = [(n_gates, size), (n_columns, 1.0)].map(|(n, size)| rng.matrix(N_INPUTS, n, size));
    let (a_id, b_id) = (case.weight("a", &a), case.weight("b", &b));
    let plan = case.plan(*runs.iter().max().unwrap(), |r| {
        let (a, b, y) = (r.filled("a", a_id), r.filled("b", b_id), r.output("y", n_columns));
        r.recorder.add(Args { a, b, activation, y }).unwrap();
        r.read(y, F32_SUMS);
    });
    let mut expected = Vec::new();
    for n in runs {
        let ids = rng.ids(*n, N_INPUTS);
        case.run(plan, &ids, 0);
        let (a, b) = (gather(&a, &ids).concat(), gather(&b, &ids).concat());
        let gated = |(i, b): (usize, f64)| act(activation, a[i / n_each]) * b;
        expected.push(vec![b.into_iter().enumerate().map(gated).collect()]);
    }
    Row::new(case, expected)
}

#[test]
fn odd_widths_and_runs() {
    let shapes = SIZES.iter().flat_map(|n| TOKENS.map(|t| (*n, t)));
    check::all(shapes.flat_map(|(n, t)| WAYS.map(|way| row([n, 1], &[t], (way, 1.0)))));
    check::all(WAYS.map(|way| row([129, 1], &[33, 1, 5, 32, 2], (way, 1.0))));
}

#[test]
fn gates_of_heads() {
    let heads = [[1, 31], [3, 20], [16, 128], [5, 65], [129, 2]].into_iter();
    let shapes = heads.flat_map(|heads| TOKENS.map(|t| (heads, t)));
    check::all(shapes.map(|(heads, t)| row(heads, &[t], (Activation::Sigmoid, 1.0))));
    check::all(WAYS.map(|way| row([6, 24], &[33, 1, 5, 32, 2], (way, 1.0))));
}

#[test]
fn gates_that_are_shut_or_open_do_not_overflow() {
    let sizes = [1e-3, 30.0, 200.0].into_iter();
    check::all(sizes.flat_map(|size| WAYS.map(|way| row([65, 1], &[3], (way, size)))));
}

#[test]
fn what_does_not_fit_is_refused() {
    let record = |b: [usize; 2], y: [usize; 2]| {
        let mut r = Recorder::new("bad", 3);
        let a = r.scratch("a", Shape::matrix(3, 8), DType::F32);
        let [b, y] = [b, y].map(|[n, m]| r.scratch("x", Shape::matrix(n, m), DType::F32));
        let activation = Activation::Silu;
        assert!(r.add(Args { a, b, activation, y: a }).is_err(), "one buffer is read and written");
        r.add(Args { a, b, activation, y })
    };
    assert!(record([3, 8], [3, 8]).is_ok());
    assert!(record([3, 24], [3, 24]).is_ok(), "each gate has three columns");
    assert!(matches!(record([3, 12], [3, 12]), Err(PlanError::Parameter { .. })));
    assert!(matches!(record([3, 8], [3, 24]), Err(PlanError::Shape { .. })));
    assert!(matches!(record([3, 8], [2, 8]), Err(PlanError::Shape { .. })));
}
