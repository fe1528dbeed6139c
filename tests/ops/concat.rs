//! `concat`: the columns of two or three buffers side by side.

use hala_plan::ops::concat::Args;
use hala_plan::{BufferId, PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::EXACT;

use crate::TOKENS;
use crate::formulas::gather;

/// Rows of the tables that inputs are taken from.
const N_INPUTS: usize = 40;

fn row(widths: &[usize], runs: &[usize]) -> Row {
    let mut case = Case::new(&format!("concat {widths:?} {runs:?}"));
    let mut rng = Rng::new(&case.name);
    let tables: Vec<_> = widths.iter().map(|width| rng.matrix(N_INPUTS, *width, 1.0)).collect();
    let ids: Vec<_> = tables.iter().map(|table| case.weight("part", table)).collect();
    let plan = case.plan(*runs.iter().max().unwrap(), |r| {
        let parts: Vec<BufferId> = ids.iter().map(|id| r.filled("part", *id)).collect();
        let y = r.output("y", widths.iter().sum());
        r.recorder.add(Args { parts: &parts, y }).unwrap();
        r.read(y, EXACT);
    });
    let mut expected = Vec::new();
    for n in runs {
        let ids = rng.ids(*n, N_INPUTS);
        case.run(plan, &ids, 0);
        let parts: Vec<_> = tables.iter().map(|table| gather(table, &ids)).collect();
        let row = |t: usize| parts.iter().flat_map(move |part| part[t].clone());
        expected.push(vec![(0..*n).flat_map(row).collect()]);
    }
    Row { plain: EXACT, ..Row::new(case, expected) }
}

#[test]
fn odd_widths_and_runs() {
    let widths: [&[usize]; 5] = [&[1, 1], &[31, 129], &[64, 64, 64], &[65, 1, 260], &[129, 31, 5]];
    check::all(widths.iter().flat_map(|widths| TOKENS.map(|t| row(widths, &[t]))));
    check::all([row(&[129, 31, 5], &[33, 1, 5, 32, 2])]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let record = |n_parts: usize, n_rows: usize, n_columns: usize| {
        let mut r = Recorder::new("bad", 3);
        let part = |r: &mut Recorder| r.scratch("part", Shape::matrix(n_rows, 8), DType::F32);
        let parts: Vec<BufferId> = (0..n_parts).map(|_| part(&mut r)).collect();
        let y = r.scratch("y", Shape::matrix(3, n_columns), DType::F32);
        r.add(Args { parts: &parts, y })
    };
    assert!(record(2, 3, 16).is_ok() && record(3, 3, 24).is_ok());
    for (n_parts, n_columns) in [(1, 8), (4, 32)] {
        assert!(matches!(record(n_parts, 3, n_columns), Err(PlanError::Parameter { .. })), "{n_parts}");
    }
    assert!(matches!(record(2, 2, 16), Err(PlanError::Shape { .. })));
    assert!(matches!(record(2, 3, 17), Err(PlanError::Shape { .. })));
}
