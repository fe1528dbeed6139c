//! `gate`: values through a gate, silu or gelu.

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

const WAYS: [Activation; 2] = [Activation::Silu, Activation::GeluTanh];

fn row(n_columns: usize, runs: &[usize], (activation, size): (Activation, f32)) -> Row {
    let mut case = Case::new(&format!("gate {n_columns} {runs:?} {activation:?} {size}"));
    let mut rng = Rng::new(&case.name);
    let [a, b] = [size, 1.0].map(|size| rng.matrix(N_INPUTS, n_columns, size));
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
        expected.push(vec![a.iter().zip(b).map(|(a, b)| act(activation, *a) * b).collect()]);
    }
    Row::new(case, expected)
}

#[test]
fn odd_widths_and_runs() {
    let shapes = SIZES.iter().flat_map(|n| TOKENS.map(|t| (*n, t)));
    check::all(shapes.flat_map(|(n, t)| WAYS.map(|way| row(n, &[t], (way, 1.0)))));
    check::all(WAYS.map(|way| row(129, &[33, 1, 5, 32, 2], (way, 1.0))));
}

#[test]
fn gates_that_are_shut_or_open_do_not_overflow() {
    let sizes = [1e-3, 30.0, 200.0].into_iter();
    check::all(sizes.flat_map(|size| WAYS.map(|way| row(65, &[3], (way, size)))));
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
    assert!(matches!(record([3, 7], [3, 8]), Err(PlanError::Shape { .. })));
    assert!(matches!(record([3, 8], [2, 8]), Err(PlanError::Shape { .. })));
}
