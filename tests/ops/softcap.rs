//! `softcap`: values brought between −cap and cap, in place.

use hala_plan::ops::softcap::Args;
use hala_plan::{PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::F32_SUMS;

use crate::formulas::gather;
use crate::{SIZES, TOKENS};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

fn row(n_columns: usize, runs: &[usize], (cap, size): (f32, f32)) -> Row {
    let mut case = Case::new(&format!("softcap {n_columns} {runs:?} {cap} {size}"));
    let mut rng = Rng::new(&case.name);
    let inputs = rng.matrix(N_INPUTS, n_columns, size);
    let table = case.weight("inputs", &inputs);
    let plan = case.plan(*runs.iter().max().unwrap(), |r| {
        let x = r.output("x", n_columns);
        r.fill(table, x);
        r.recorder.add(Args { x, cap }).unwrap();
        r.read(x, F32_SUMS);
    });
    let mut expected = Vec::new();
    for n in runs {
        let ids = rng.ids(*n, N_INPUTS);
        case.run(plan, &ids, 0);
        let x = gather(&inputs, &ids).concat();
        let cap = f64::from(cap);
        expected.push(vec![x.iter().map(|x| cap * (x / cap).tanh()).collect()]);
    }
    Row::new(case, expected)
}

#[test]
fn odd_widths_and_runs() {
    let shapes = SIZES.iter().flat_map(|n| TOKENS.map(|t| (*n, t)));
    check::all(shapes.map(|(n, t)| row(n, &[t], (1.5, 1.0))));
    check::all([row(129, &[33, 1, 5, 32, 2], (1.5, 1.0))]);
}

#[test]
fn bounds_near_and_far() {
    check::all([(30.0, 1.0), (1.0, 30.0), (1e-3, 1e6), (0.5, 0.0)].map(|sizes| row(65, &[3], sizes)));
}

#[test]
fn bounds_and_rows_that_do_not_fit_are_refused() {
    let record = |n_rows: usize, cap: f32| {
        let mut r = Recorder::new("bad", 3);
        let x = r.scratch("x", Shape::matrix(n_rows, 8), DType::F32);
        r.add(Args { x, cap })
    };
    assert!(record(3, 1.0).is_ok());
    assert!(matches!(record(1, 1.0), Err(PlanError::Shape { .. })));
    let mut r = Recorder::new("of the wanted", 3);
    let x = r.scratch_of_wanted("x", Shape::matrix(1, 8), DType::F32);
    assert!(r.add(Args { x, cap: 1.0 }).is_ok());
    for cap in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(record(3, cap), Err(PlanError::Parameter { .. })), "{cap}");
    }
}
