//! `convolve`: the gated convolution of what was projected before. What goes with it, other types of weights and the inputs that it
//! carries over splits, forks and snapshots, is tested with `short_conv`.

use hala_plan::ops::convolve::Args;
use hala_plan::{PlanError, Recorder, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape};
use hala_tests::case::{Case, Part};
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances::F32_SUMS;

use crate::formulas::gather;

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// Channels, taps, and whether there is a bias.
#[derive(Debug, Clone, Copy)]
struct Spec {
    width: usize,
    n_taps: usize,
    bias: bool,
}

/// Runs of a plan for 33 rows: which sequences each has, and how many rows of each.
fn row(spec: Spec, runs: &[&[(usize, usize)]]) -> Row {
    let Spec { width, n_taps, bias } = spec;
    let mut case = Case::new(&format!("convolve {spec:?} {runs:?}"));
    let mut rng = Rng::new(&case.name);
    let inputs = rng.matrix(N_INPUTS, 3 * width, 1.0);
    let taps = rng.normals(width * n_taps, 1.0);
    let added = rng.normals(width, 0.5);
    let table = case.weight("inputs", &inputs);
    let taps_id = case.weight("taps", &float(Shape::matrix(width, n_taps), taps.clone()));
    let bias_id = case.weight("bias", &vector(added.clone()));
    let state = case.recurrent("state", Shape::matrix(n_taps - 1, width));
    let plan = case.plan(33, |r| {
        let (projected, taps) = (r.filled("projected", table), r.weight(taps_id));
        let bias = bias.then(|| r.weight(bias_id));
        let (state, y) = (r.state(state), r.output("y", width));
        r.recorder.add(Args { projected, taps, bias, state, y }).unwrap();
        r.read(y, F32_SUMS);
        r.read(state, F32_SUMS);
    });
    // u of each sequence so far, from before its start on.
    let mut carried: Vec<Vec<Vec<f64>>> = vec![vec![vec![0.0; width]; n_taps - 1]; 4];
    let (mut ends, mut expected) = ([0; 4], Vec::new());
    for run in runs {
        let (mut y, mut states, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (sequence, n) in *run {
            let ids = rng.ids(*n, N_INPUTS);
            for row in gather(&inputs, &ids) {
                let u = &mut carried[*sequence];
                u.push((0..width).map(|i| row[i] * row[2 * width + i]).collect());
                let last = &u[u.len() - n_taps..];
                let sum =
                    |i: usize| (0..n_taps).map(|k| f64::from(taps[i * n_taps + k]) * last[k][i]).sum::<f64>();
                let added = |i: usize| if bias { f64::from(added[i]) } else { 0.0 };
                y.extend((0..width).map(|i| row[width + i] * (sum(i) + added(i))));
            }
            states.extend(carried[*sequence][carried[*sequence].len() - (n_taps - 1)..].concat());
            parts.push(Part { sequence: *sequence, ids, position: ends[*sequence] });
            ends[*sequence] += n;
        }
        case.run_parts(plan, parts);
        expected.push(vec![y, states]);
    }
    Row::new(case, expected)
}

#[test]
fn odd_widths_taps_and_runs() {
    let runs: [&[(usize, usize)]; 4] = [&[(0, 5)], &[(0, 1), (2, 20), (1, 3)], &[(1, 1), (0, 1)], &[(2, 33)]];
    let sizes = [1, 31, 65, 129, 260].into_iter().flat_map(|width| [2, 3, 4, 7, 10].map(|n| (width, n)));
    let specs = sizes.flat_map(|(width, n_taps)| [false, true].map(|bias| Spec { width, n_taps, bias }));
    check::all(specs.map(|spec| row(spec, &runs)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let record = |n_taps: usize, projected: usize, n_state: usize| {
        let mut r = Recorder::new("bad", 3);
        let projected = r.scratch("projected", Shape::matrix(3, projected), DType::F32);
        let taps = r.weight(WeightId(0), "taps", Shape::matrix(4, n_taps), DType::F32);
        let (label, kind) = (String::from("state"), StateKind::Recurrent);
        let spec = StateSpec { label, shape: Shape::matrix(n_state, 4), dtype: DType::F32, kind };
        let state = r.state(StateId(0), &spec);
        let y = r.scratch("y", Shape::matrix(3, 4), DType::F32);
        r.add(Args { projected, taps, bias: None, state, y })
    };
    assert!(record(3, 12, 2).is_ok());
    assert!(matches!(record(1, 12, 0), Err(PlanError::Parameter { .. })));
    assert!(matches!(record(3, 8, 2), Err(PlanError::Shape { .. })));
    assert!(matches!(record(3, 12, 3), Err(PlanError::Shape { .. })));
}
