//! `add`: the sum of two buffers.

use hala_plan::ops::add::Args;
use hala_plan::{PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::F32_SUMS;

use crate::formulas::gather;
use crate::{SIZES, TOKENS};

/// Rows of the tables that inputs are taken from.
const N_INPUTS: usize = 40;

fn row(width: usize, runs: &[usize]) -> Row {
    let mut case = Case::new(&format!("add {width} {runs:?}"));
    let mut rng = Rng::new(&case.name);
    let [a, b] = [1.0, 30.0].map(|size| rng.matrix(N_INPUTS, width, size));
    let (a_id, b_id) = (case.weight("a", &a), case.weight("b", &b));
    let plan = case.plan(*runs.iter().max().unwrap(), |r| {
        let (a, b, y) = (r.filled("a", a_id), r.filled("b", b_id), r.output("y", width));
        r.recorder.add(Args { a, b, y }).unwrap();
        r.read(y, F32_SUMS);
    });
    let mut expected = Vec::new();
    for n in runs {
        let ids = rng.ids(*n, N_INPUTS);
        case.run(plan, &ids, 0);
        let (a, b) = (gather(&a, &ids).concat(), gather(&b, &ids).concat());
        expected.push(vec![a.iter().zip(b).map(|(a, b)| a + b).collect()]);
    }
    Row::new(case, expected)
}

#[test]
fn odd_widths_and_runs() {
    check::all(SIZES.iter().flat_map(|n| TOKENS.map(|t| row(*n, &[t]))));
    check::all([row(129, &[33, 1, 5, 32, 2])]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let record = |b: [usize; 2], y: [usize; 2]| {
        let mut r = Recorder::new("bad", 3);
        let buffer = |[n_rows, n_columns]: [usize; 2]| Shape::matrix(n_rows, n_columns);
        let a = r.scratch("a", buffer([3, 8]), DType::F32);
        let (b, y) = (r.scratch("b", buffer(b), DType::F32), r.scratch("y", buffer(y), DType::F32));
        assert!(r.add(Args { a, b, y: a }).is_err(), "one buffer is read and written");
        r.add(Args { a, b, y })
    };
    assert!(record([3, 8], [3, 8]).is_ok());
    assert!(matches!(record([3, 7], [3, 8]), Err(PlanError::Shape { .. })));
    assert!(matches!(record([3, 8], [3, 9]), Err(PlanError::Shape { .. })));
    let mut r = Recorder::new("bad", 3);
    let [a, b] = [DType::F32, DType::F16].map(|dtype| r.scratch("x", Shape::matrix(3, 8), dtype));
    let y = r.scratch("y", Shape::matrix(3, 8), DType::F32);
    assert!(matches!(r.add(Args { a, b, y }), Err(PlanError::DType { .. })));
}
