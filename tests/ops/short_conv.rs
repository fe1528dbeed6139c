//! `short_conv`: the gated convolution, its biases, and the inputs that it carries from run to run. It is recorded as models do, so that
//! each backend has the steps joined that it has kernels for.

use hala_plan::ops::convolve;
use hala_plan::ops::matmul::{self, Norm, Write};
use hala_plan::ops::short_conv::Args;
use hala_plan::{PlanError, Recorder, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::{Action, Case, Part};
use hala_tests::check::{self, Expected, Row};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances;

use crate::formulas::{gather, project, rms_norm};
use crate::{EPS, TOKENS, WEIGHTS, some_tokens};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// Model widths: the projection has three times as many rows.
const WIDTHS: [usize; 4] = [1, 31, 129, 260];

/// One row of a table of tests.
#[derive(Debug, Clone)]
struct Spec {
    width: usize,
    n_taps: usize,
    dtype: DType,
    bias: bool,
    is_normed: bool,
    /// T of the plan.
    n_tokens: usize,
    /// Which sequences each run has, and how many rows of each; the state goes from one to the next.
    runs: Vec<Vec<(usize, usize)>>,
}

impl Spec {
    fn new(width: usize, n_taps: usize, dtype: DType, n_tokens: usize) -> Self {
        Self { width, n_taps, dtype, bias: false, is_normed: true, n_tokens, runs: alone(&[n_tokens]) }
    }

    fn row(&self) -> Row {
        let mut rng = Rng::new(&format!("{self:?}"));
        let data = Data::new(self, &mut rng);
        let (mut case, plan) = data.case(self);
        let mut ids: Vec<Vec<u32>> = vec![Vec::new(); self.n_sequences()];
        for run in &self.runs {
            let parts = run.iter().map(|(sequence, n)| {
                let (new, seen) = (rng.ids(*n, N_INPUTS), &mut ids[*sequence]);
                let position = seen.len();
                seen.extend(&new);
                Part { sequence: *sequence, ids: new, position }
            });
            case.run_parts(plan, parts.collect());
        }
        let expected = data.formula(self, &ids);
        Row::new(case, expected)
    }

    fn n_sequences(&self) -> usize {
        self.runs.iter().flatten().map(|(sequence, _)| sequence + 1).max().unwrap()
    }
}

struct Data {
    x: Tensor,
    norm: Vec<f32>,
    in_proj: Tensor,
    taps: Vec<f32>,
    in_bias: Vec<f32>,
    conv_bias: Vec<f32>,
}

impl Data {
    fn new(spec: &Spec, rng: &mut Rng) -> Self {
        let (width, n_taps) = (spec.width, spec.n_taps);
        Self {
            x: rng.matrix(N_INPUTS, width, 1.0),
            norm: rng.around(1.0, width),
            in_proj: rng.projection(3 * width, width, spec.dtype),
            taps: rng.normals(width * n_taps, 1.0 / (n_taps as f32).sqrt()),
            in_bias: rng.normals(3 * width, 0.5),
            conv_bias: rng.normals(width, 0.5),
        }
    }

    /// A plan that reads `y` and the state.
    fn case(&self, spec: &Spec) -> (Case, usize) {
        let mut case = Case::new(&format!("short_conv {spec:?}"));
        let inputs = case.weight("inputs", &self.x);
        let norm = case.weight("norm", &vector(self.norm.clone()));
        let in_proj = case.weight("in_proj", &self.in_proj);
        let taps = float(Shape::matrix(spec.width, spec.n_taps), self.taps.clone());
        let taps = case.weight("taps", &taps);
        let in_bias = case.weight("in_proj.bias", &vector(self.in_bias.clone()));
        let conv_bias = case.weight("conv.bias", &vector(self.conv_bias.clone()));
        let state = case.recurrent("state", Shape::matrix(spec.n_taps - 1, spec.width));
        let plan = case.plan(spec.n_tokens, |r| {
            let norm = spec.is_normed.then(|| Norm { weight: r.weight(norm), eps: EPS });
            let x = r.filled("x", inputs);
            let (x, projected) = (r.normed(x, norm), r.scratch("projected", 3 * spec.width));
            let (weights, write) = (&[r.weight(in_proj)], Write::Set);
            let bias = spec.bias.then(|| r.weight(in_bias));
            r.recorder.add(matmul::Args { x, norm: None, weights, bias, y: projected, write }).unwrap();
            let args = convolve::Args {
                projected,
                taps: r.weight(taps),
                bias: spec.bias.then(|| r.weight(conv_bias)),
                state: r.state(state),
                y: r.output("y", spec.width),
            };
            r.recorder.add(args).unwrap();
            r.read(args.y, tolerances::gated(spec.dtype));
            r.read(args.state, tolerances::gated(spec.dtype));
        });
        (case, plan)
    }

    /// `y` and the states after each run: neither runs nor other sequences must show.
    fn formula(&self, spec: &Spec, ids: &[Vec<u32>]) -> Expected {
        let sequences: Vec<_> = ids.iter().map(|ids| self.sequence(spec, ids)).collect();
        let mut ends = vec![0; sequences.len()];
        let run = |run: &Vec<(usize, usize)>| {
            let mut both = vec![Vec::new(), Vec::new()];
            for (sequence, n) in run {
                let (start, (y, u)) = (ends[*sequence], &sequences[*sequence]);
                let end = start + n;
                ends[*sequence] = end;
                both[0].extend(y[start..end].concat());
                both[1].extend(u[end..end + spec.n_taps - 1].concat());
            }
            both
        };
        spec.runs.iter().map(run).collect()
    }

    /// `y` of every token of a sequence, and `u`, from before the start on; computed over all tokens at once.
    fn sequence(&self, spec: &Spec, ids: &[u32]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let (d, k) = (spec.width, spec.n_taps);
        let weight = self.in_proj.to_f32();
        let bias = |b: &[f32], i: usize| if spec.bias { f64::from(b[i]) } else { 0.0 };
        let project = |x: Vec<f64>| {
            let x = if spec.is_normed { rms_norm(&x, &self.norm, EPS) } else { x };
            let rows = project(&x, &weight);
            rows.into_iter().enumerate().map(|(i, y)| y + bias(&self.in_bias, i)).collect::<Vec<_>>()
        };
        let projected: Vec<Vec<f64>> = gather(&self.x, ids).into_iter().map(project).collect();
        // u at a token, counted from before the start, where it is 0.
        let u = |t: usize, i: usize| {
            t.checked_sub(k - 1).map_or(0.0, |t| projected[t][i] * projected[t][2 * d + i])
        };
        let y = |t: usize, i: usize| {
            let sum: f64 = (0..k).map(|tap| f64::from(self.taps[i * k + tap]) * u(t + tap, i)).sum();
            projected[t][d + i] * (sum + bias(&self.conv_bias, i))
        };
        let row = |t: usize, value: &dyn Fn(usize, usize) -> f64| (0..d).map(|i| value(t, i)).collect();
        let y = (0..ids.len()).map(|t| row(t, &y)).collect();
        (y, (0..ids.len() + k - 1).map(|t| row(t, &u)).collect())
    }
}

/// Runs of one sequence, of so many rows each.
fn alone(runs: &[usize]) -> Vec<Vec<(usize, usize)>> {
    runs.iter().map(|n| vec![(0, *n)]).collect()
}

#[test]
fn the_norm_may_be_left_out() {
    let spec = |dtype, bias, n_tokens| Spec {
        is_normed: false,
        bias,
        runs: alone(&[n_tokens, 1]),
        ..Spec::new(129, 3, dtype, n_tokens)
    };
    let specs = WEIGHTS.iter().flat_map(|dtype| [false, true].map(|bias| (*dtype, bias)));
    check::all(specs.flat_map(|(dtype, bias)| [1, 5].map(|t| spec(dtype, bias, t).row())));
}

#[test]
fn odd_widths_in_every_dtype() {
    let shapes = WIDTHS.iter().flat_map(|width| WEIGHTS.map(|dtype| (*width, dtype)));
    let specs = shapes.enumerate().flat_map(|(n, (width, dtype))| {
        some_tokens(n, width * width).into_iter().map(move |t| Spec::new(width, 3, dtype, t))
    });
    check::all(specs.map(|spec| spec.row()));
}

#[test]
#[ignore = "long: every number of tokens for every width and type"]
fn odd_widths_in_every_dtype_with_every_number_of_tokens() {
    let shapes = WIDTHS.iter().flat_map(|width| WEIGHTS.map(|dtype| (*width, dtype)));
    check::all(shapes.flat_map(|(width, dtype)| TOKENS.map(|t| Spec::new(width, 3, dtype, t).row())));
}

#[test]
fn two_to_seven_taps_with_and_without_biases() {
    let mut specs = Vec::new();
    for (dtype, n_taps) in WEIGHTS.into_iter().flat_map(|dtype| [2, 3, 4, 7].map(|k| (dtype, k))) {
        for (bias, n_tokens) in [(false, 5), (true, 5), (true, 1), (true, 33)] {
            specs.push(Spec { bias, ..Spec::new(65, n_taps, dtype, n_tokens) });
        }
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn what_was_seen_before_is_carried_over_every_split() {
    let splits: [&[usize]; 7] =
        [&[1; 8], &[2, 2, 2, 2], &[1, 7], &[7, 1], &[3, 5], &[5, 1, 1, 1], &[1, 2, 3, 2]];
    let mut specs = Vec::new();
    for (n_taps, split) in [2, 3, 4, 5].iter().flat_map(|k| splits.map(|s| (*k, s))) {
        for dtype in [DType::F32, DType::Int8 { group: 64 }] {
            // The plan is as long as its longest run, or longer: then no run fills it.
            let longest = *split.iter().max().unwrap();
            for n_tokens in [longest, 9] {
                let runs = alone(split);
                specs.push(Spec { runs, bias: true, ..Spec::new(33, n_taps, dtype, n_tokens) });
            }
        }
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn prompts_longer_than_the_plan_go_through_it_in_pieces() {
    let spec = |dtype| Spec { runs: alone(&[33, 33, 31, 1, 1]), ..Spec::new(129, 3, dtype, 33) };
    check::all(WEIGHTS.map(|dtype| spec(dtype).row()));
}

#[test]
fn each_sequence_carries_its_own_inputs() {
    let batches = [
        vec![vec![(0, 5), (1, 1), (2, 3)], vec![(1, 1), (0, 1), (2, 1)], vec![(2, 2), (3, 4), (0, 1)]],
        vec![vec![(1, 9)], vec![(3, 1), (2, 1), (1, 1), (0, 1)], vec![(0, 1), (1, 1), (2, 1), (3, 1)]],
        vec![vec![(0, 1), (1, 20)], vec![(1, 7), (0, 2)]],
    ];
    let mut specs = Vec::new();
    for (n_taps, runs) in [2, 3, 4, 5].iter().flat_map(|k| batches.iter().map(|runs| (*k, runs))) {
        for (dtype, width) in [(DType::F32, 33), (DType::Int8 { group: 64 }, 129)] {
            specs.push(Spec { runs: runs.clone(), bias: true, ..Spec::new(width, n_taps, dtype, 21) });
        }
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn a_restored_snapshot_forgets_what_came_after_it() {
    let spec = Spec { runs: alone(&[5, 2, 3]), bias: true, ..Spec::new(65, 4, DType::F32, 5) };
    let mut rng = Rng::new("snapshot");
    let data = Data::new(&spec, &mut rng);
    let (mut case, plan) = data.case(&spec);
    let ids = rng.ids(10, N_INPUTS);
    case.run(plan, &ids[..5], 0);
    case.act(Action::Snapshot(0));
    case.run(plan, &ids[5..7], 5);
    case.run(plan, &ids[7..10], 7);
    case.act(Action::Restore(0));
    case.run(plan, &ids[7..10], 5);
    case.act(Action::Restore(0));
    case.run(plan, &ids[5..7], 5);
    case.run(plan, &ids[7..10], 7);
    let turned = Spec { runs: alone(&[5, 3]), ..spec.clone() };
    let other = data.formula(&turned, &[[&ids[..5], &ids[7..]].concat()]);
    let straight = data.formula(&spec, &[ids]);
    let expected = [&straight[..], &other[1..], &straight[1..]].concat();
    check::all([Row::new(case, expected)]);
}

#[test]
fn a_slot_that_is_used_again_has_nothing_of_its_last_sequence() {
    let spec = Spec { runs: alone(&[3, 1]), bias: true, ..Spec::new(65, 4, DType::F32, 5) };
    let mut rng = Rng::new("a slot used again");
    let data = Data::new(&spec, &mut rng);
    let (mut case, plan) = data.case(&spec);
    let [first, second] = [rng.ids(4, N_INPUTS), rng.ids(4, N_INPUTS)];
    for (sequence, ids) in [&first, &second].into_iter().enumerate() {
        case.run_parts(plan, vec![Part { sequence, ids: ids[..3].to_vec(), position: 0 }]);
        case.run_parts(plan, vec![Part { sequence, ids: ids[3..].to_vec(), position: 3 }]);
        case.act(Action::Forget(sequence));
    }
    let expected = [first, second].map(|ids| data.formula(&spec, &[ids])).concat();
    check::all([Row::new(case, expected)]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert!(record(3, 2, [12, 4], 12).is_ok());
    assert!(matches!(record(1, 0, [12, 4], 12), Err(PlanError::Parameter { .. })));
    let label = |result| match result {
        Err(PlanError::Shape { label, .. }) => label,
        other => panic!("{other:?}"),
    };
    assert_eq!(label(record(3, 3, [12, 4], 12)), "state");
    assert_eq!(label(record(3, 2, [8, 4], 12)), "in_proj");
    assert_eq!(label(record(3, 2, [12, 5], 12)), "in_proj");
    assert_eq!(label(record(3, 2, [12, 4], 8)), "projected");
}

fn record(n_taps: usize, n_state: usize, in_proj: [usize; 2], projected: usize) -> Result<(), PlanError> {
    let mut r = Recorder::new("bad", 3);
    let x = r.scratch("x", Shape::matrix(3, 4), DType::F32);
    let weight = r.weight(WeightId(0), "norm", Shape::vector(4), DType::F32);
    let in_proj = r.weight(WeightId(1), "in_proj", Shape::matrix(in_proj[0], in_proj[1]), DType::F32);
    let taps = r.weight(WeightId(2), "taps", Shape::matrix(4, n_taps), DType::F32);
    let (label, kind) = (String::from("state"), StateKind::Recurrent);
    let spec = StateSpec { label, shape: Shape::matrix(n_state, 4), dtype: DType::F32, kind };
    let state = r.state(StateId(0), &spec);
    let projected = r.scratch("projected", Shape::matrix(3, projected), DType::F32);
    let y = r.scratch("y", Shape::matrix(3, 4), DType::F32);
    let norm = Some(Norm { weight, eps: EPS });
    r.add(Args { x, norm, in_proj, taps, bias: None, state, projected, y })
}
