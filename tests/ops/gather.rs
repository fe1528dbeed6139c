//! `gather`: the rows whose logits are wanted, side by side.

use hala_plan::ops::gather::Args;
use hala_plan::ops::matmul::{Norm, Write};
use hala_plan::ops::norm::{self, Kind};
use hala_plan::ops::softcap;
use hala_plan::{PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::case::{Action, Case, Part, Run};
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, vector};
use hala_tests::tolerances::{EXACT, F32_SUMS};

use crate::formulas::{gather, rms_norm};
use crate::{EPS, SIZES};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// Runs of a plan for 33 rows of which up to `n_wanted` are wanted: how many rows of each sequence, and which are.
fn row(width: usize, n_wanted: usize, runs: &[(&[usize], &[u32])]) -> Row {
    let mut case = Case::new(&format!("gather {width} {n_wanted} {runs:?}"));
    let mut rng = Rng::new(&case.name);
    let inputs = rng.matrix(N_INPUTS, width, 1.0);
    let table = case.weight("inputs", &inputs);
    let plan = case.plan(33, |r| {
        let x = r.filled("x", table);
        let y = r.recorder.output_of_wanted("y", Shape::matrix(n_wanted, width));
        r.recorder.add(Args { x, y }).unwrap();
        r.read(y, EXACT);
    });
    let mut expected = Vec::new();
    for (lengths, wanted) in runs {
        let part =
            |(sequence, n): (usize, &usize)| Part { sequence, ids: rng.ids(*n, N_INPUTS), position: 0 };
        let parts: Vec<Part> = lengths.iter().enumerate().map(part).collect();
        let ids: Vec<u32> = parts.iter().flat_map(|part| &part.ids).copied().collect();
        let ids: Vec<u32> = wanted.iter().map(|row| ids[*row as usize]).collect();
        case.act(Action::Run(Run { wanted: wanted.to_vec(), ..Run::new(plan, parts) }));
        expected.push(vec![gather(&inputs, &ids).concat()]);
    }
    Row { plain: EXACT, ..Row::new(case, expected) }
}

#[test]
fn wanted_rows_are_side_by_side() {
    let all: Vec<u32> = (0..33).collect();
    let runs: [(&[usize], &[u32]); 7] = [
        (&[33], &all),
        (&[33], &[32]),
        (&[33], &[0, 1, 5, 30]),
        (&[1], &[0]),
        (&[5, 1, 7, 1], &[4, 5, 12, 13]),
        (&[3, 4], &[3]),
        (&[9], &[]),
    ];
    check::all(SIZES.map(|width| row(width, 33, &runs)));
    check::all(SIZES.map(|width| row(width, 4, &runs[1..])));
}

#[test]
fn ops_after_it_work_on_the_wanted_rows_alone() {
    let row = |width: usize| {
        let mut case = Case::new(&format!("gather, norm and softcap {width}"));
        let mut rng = Rng::new(&case.name);
        let (inputs, weight) = (rng.matrix(N_INPUTS, width, 1.0), rng.around(1.0, width));
        let (table, norm) = (case.weight("inputs", &inputs), case.weight("norm", &vector(weight.clone())));
        let plan = case.plan(9, |r| {
            let x = r.filled("x", table);
            let gathered = r.recorder.scratch_of_wanted("gathered", Shape::matrix(4, width), DType::F32);
            r.recorder.add(Args { x, y: gathered }).unwrap();
            let y = r.recorder.output_of_wanted("y", Shape::matrix(4, width));
            let norm = Norm { weight: r.weight(norm), eps: EPS };
            let args = norm::Args { x: gathered, norm, kind: Kind::Rms, y, write: Write::Set };
            r.recorder.add(args).unwrap();
            r.recorder.add(softcap::Args { x: y, cap: 1.5 }).unwrap();
            r.read(y, F32_SUMS);
        });
        let mut expected = Vec::new();
        for wanted in [vec![0, 8], vec![1, 2, 5, 7], vec![4]] {
            let ids = rng.ids(9, N_INPUTS);
            let named: Vec<u32> = wanted.iter().map(|row| ids[*row as usize]).collect();
            let parts = vec![Part { sequence: 0, ids, position: 0 }];
            case.act(Action::Run(Run { wanted, ..Run::new(plan, parts) }));
            let normed = gather(&inputs, &named).into_iter().flat_map(|x| rms_norm(&x, &weight, EPS));
            expected.push(vec![normed.map(|x| 1.5 * (x / 1.5).tanh()).collect()]);
        }
        Row::new(case, expected)
    };
    check::all(SIZES.map(row));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record = |x: [usize; 2], y: [usize; 2]| {
        let mut r = Recorder::new("bad", 3);
        let x = r.scratch("x", Shape::matrix(x[0], x[1]), DType::F32);
        let y = r.scratch_of_wanted("y", Shape::matrix(y[0], y[1]), DType::F32);
        r.add(Args { x, y })
    };
    assert_eq!(record([3, 8], [2, 8]), Ok(()));
    for (x, y) in [([2, 8], [2, 8]), ([3, 8], [2, 7])] {
        assert!(matches!(record(x, y), Err(PlanError::Shape { .. })));
    }
    let mut r = Recorder::new("bad", 3);
    let [x, y] = ["x", "y"].map(|label| r.scratch(label, Shape::matrix(3, 8), DType::F32));
    assert!(matches!(r.add(Args { x, y }), Err(PlanError::Parameter { .. })));
}
