//! `matmul`: products with every weight type, with and without norm, bias and sum, of all rows and of those that are wanted.

use hala_plan::PlanError;
use hala_plan::ops::gather;
use hala_plan::ops::matmul::{Args, Norm, Write};
use hala_plan::{BufferId, Recorder, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::{Action, Case, Part, Recording, Run};
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances::{self, INT8_OUTLIER, Tolerance};

use crate::formulas::{self, project, rms_norm, widen};
use crate::{EPS, TOKENS, WEIGHTS, matrices, some_tokens};

/// Rows of the tables that inputs are taken from.
const N_INPUTS: usize = 40;

/// Which rows are multiplied.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Which {
    All,
    /// The last of each run.
    Last,
    /// The first and every third after it.
    Thirds,
}

impl Which {
    /// Indices, of a run of `n` rows.
    fn of(self, n: usize) -> Vec<u32> {
        match self {
            Self::All => (0..n as u32).collect(),
            Self::Last => vec![n as u32 - 1],
            Self::Thirds => (0..n as u32).step_by(3).collect(),
        }
    }

    /// Fills `y` with those of the rows of `table` that the run's ids name.
    fn fill(self, r: &mut Recording<'_>, table: WeightId, y: BufferId) {
        if self == Self::All {
            return r.fill(table, y);
        }
        let x = r.filled("all", table);
        r.recorder.add(gather::Args { x, y }).unwrap();
    }
}

/// One row of a table of tests.
#[derive(Debug, Clone)]
struct Spec {
    n_in: usize,
    /// Rows and type of each matrix.
    weights: Vec<(usize, DType)>,
    /// T of the plan.
    n_tokens: usize,
    /// Tokens of each run, at most T.
    runs: Vec<usize>,
    eps: Option<f32>,
    bias: bool,
    write: Write,
    which: Which,
    /// The inputs' magnitude.
    scale: f32,
    /// One input of each row is a hundred times the others.
    outlier: bool,
}

impl Spec {
    fn new(n_in: usize, n_out: usize, dtype: DType, n_tokens: usize) -> Self {
        Self {
            n_in,
            weights: vec![(n_out, dtype)],
            n_tokens,
            runs: vec![n_tokens],
            eps: None,
            bias: false,
            write: Write::Set,
            which: Which::All,
            scale: 1.0,
            outlier: false,
        }
    }

    fn n_out(&self) -> usize {
        self.weights.iter().map(|(n, _)| n).sum()
    }

    /// `x` and `y`.
    fn buffers(&self, r: &mut Recording<'_>) -> [BufferId; 2] {
        let [n_in, n_out] = [self.n_in, self.n_out()];
        if self.which == Which::All {
            return [r.scratch("x", n_in), r.output("y", n_out)];
        }
        let [x, y] = [n_in, n_out].map(|n| Shape::matrix(self.which.of(self.n_tokens).len(), n));
        [r.recorder.scratch_of_wanted("x", x, DType::F32), r.recorder.output_of_wanted("y", y)]
    }

    fn tolerance(&self) -> Tolerance {
        let int8 =
            self.weights.iter().find(|(_, dtype)| matches!(dtype, DType::Int8 { .. } | DType::Int4 { .. }));
        match int8 {
            Some(_) if self.outlier => INT8_OUTLIER,
            Some((_, dtype)) => tolerances::product(*dtype),
            None => tolerances::product(DType::F32),
        }
    }

    fn row(&self) -> Row {
        let mut case = Case::new(&format!("matmul {self:?}"));
        let mut rng = Rng::new(&case.name);
        let data = Data::new(self, &mut rng);
        let plan = data.record(self, &mut case);
        let mut expected = Vec::new();
        for n in &self.runs {
            let ids = rng.ids(*n, N_INPUTS);
            let wanted = self.which.of(*n);
            let named: Vec<u32> = wanted.iter().map(|row| ids[*row as usize]).collect();
            let parts = vec![Part { sequence: 0, ids, position: 0 }];
            case.act(Action::Run(Run { wanted, ..Run::new(plan, parts) }));
            expected.push(vec![data.formula(self, &named)]);
        }
        Row::new(case, expected)
    }
}

struct Data {
    x: Tensor,
    before: Tensor,
    weights: Vec<Tensor>,
    norm: Vec<f32>,
    bias: Vec<f32>,
}

impl Data {
    fn new(spec: &Spec, rng: &mut Rng) -> Self {
        let mut x = rng.normals(N_INPUTS * spec.n_in, spec.scale);
        if spec.outlier {
            x.chunks_mut(spec.n_in).for_each(|row| row[rng.below(spec.n_in)] *= 100.0);
        }
        let n_out = spec.n_out();
        Self {
            x: float(Shape::matrix(N_INPUTS, spec.n_in), x),
            before: rng.matrix(N_INPUTS, n_out, 1.0),
            weights: spec.weights.iter().map(|(n, dtype)| rng.projection(*n, spec.n_in, *dtype)).collect(),
            norm: rng.around(1.0, spec.n_in),
            bias: rng.normals(n_out, 1.0),
        }
    }

    fn record(&self, spec: &Spec, case: &mut Case) -> usize {
        let inputs = case.weight("inputs", &self.x);
        let before = case.weight("before", &self.before);
        let weights: Vec<WeightId> = self.weights.iter().map(|w| case.weight("w", w)).collect();
        let norm = case.weight("norm", &vector(self.norm.clone()));
        let bias = case.weight("bias", &vector(self.bias.clone()));
        case.plan(spec.n_tokens, |r: &mut Recording<'_>| {
            let weights: Vec<BufferId> = weights.iter().map(|id| r.weight(*id)).collect();
            let norm = spec.eps.map(|eps| Norm { weight: r.weight(norm), eps });
            let bias = spec.bias.then(|| r.weight(bias));
            let [x, y] = spec.buffers(r);
            spec.which.fill(r, inputs, x);
            if spec.write == Write::Add {
                spec.which.fill(r, before, y);
            }
            let (x, norm, write) = (r.normed(x, norm), None, spec.write);
            let args = Args { x, norm, weights: &weights, bias, y, write };
            r.recorder.add(args).unwrap();
            r.read(y, spec.tolerance());
        })
    }

    /// For the wanted of a run's ids.
    fn formula(&self, spec: &Spec, wanted: &[u32]) -> Vec<f64> {
        let weights: Vec<Vec<f32>> = self.weights.iter().map(Tensor::to_f32).collect();
        let before = formulas::gather(&self.before, wanted);
        let row = |(x, before): (Vec<f64>, &Vec<f64>)| {
            let x = spec.eps.map_or(x.clone(), |eps| rms_norm(&x, &self.norm, eps));
            let product = weights.iter().flat_map(|w| project(&x, w));
            let biased = product.zip(&self.bias).map(|(y, b)| if spec.bias { y + f64::from(*b) } else { y });
            let add = spec.write == Write::Add;
            biased.zip(before).map(|(y, before)| if add { y + before } else { y }).collect::<Vec<_>>()
        };
        formulas::gather(&self.x, wanted).into_iter().zip(&before).flat_map(row).collect()
    }
}

#[test]
fn odd_shapes_in_every_dtype() {
    let specs = matrices().enumerate().flat_map(|(n, (i, o, dtype))| {
        some_tokens(n, i * o).into_iter().map(move |t| Spec::new(i, o, dtype, t))
    });
    check::all(specs.map(|spec| spec.row()));
}

#[test]
#[ignore = "long: every number of tokens for every shape and type"]
fn odd_shapes_in_every_dtype_with_every_number_of_tokens() {
    check::all(matrices().flat_map(|(i, o, dtype)| TOKENS.map(|t| Spec::new(i, o, dtype, t).row())));
}

#[test]
fn every_choice_with_every_other() {
    let mut specs = Vec::new();
    for (dtype, n_tokens) in WEIGHTS.into_iter().flat_map(|dtype| [1, 3, 33].map(|t| (dtype, t))) {
        for (eps, bias) in [(None, false), (None, true), (Some(EPS), false), (Some(EPS), true)] {
            let ways = [(Write::Set, Which::All), (Write::Add, Which::All), (Write::Set, Which::Last)];
            for (write, which) in ways {
                let plain = Spec::new(129, 31, dtype, n_tokens);
                specs.push(Spec { eps, bias, write, which, ..plain });
            }
        }
    }
    for n_tokens in [1, 5] {
        let plain = Spec::new(31, 129, DType::F32, n_tokens);
        specs.push(Spec { write: Write::Add, which: Which::Last, ..plain });
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn two_or_three_matrices_are_side_by_side() {
    let outs = [vec![31, 129], vec![129, 1], vec![1, 1, 1], vec![1025, 31, 33], vec![64, 32, 32]];
    let mut specs = Vec::new();
    for (dtype, n_tokens) in WEIGHTS.into_iter().flat_map(|dtype| [1, 5, 31].map(|t| (dtype, t))) {
        for outs in &outs {
            let weights = outs.iter().map(|n| (*n, dtype)).collect();
            let plain = Spec::new(129, 1, dtype, n_tokens);
            specs.push(Spec { weights, eps: Some(EPS), bias: true, ..plain });
        }
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn matrices_of_one_step_may_differ_in_type() {
    let int8 = DType::Int8 { group: 64 };
    let mixtures =
        [[int8, DType::BF16, DType::F32], [DType::F16, int8, DType::E4M3], [DType::F32, int8, int8]];
    let weights = mixtures.map(|dtypes| [33, 31, 65].into_iter().zip(dtypes).collect::<Vec<_>>());
    let specs = weights.map(|weights| Spec { weights, eps: Some(EPS), ..Spec::new(129, 1, int8, 5) });
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn a_run_may_have_fewer_tokens_than_the_plan() {
    let mut specs = Vec::new();
    for dtype in WEIGHTS {
        let ways = [(Which::All, Write::Set), (Which::All, Write::Add), (Which::Last, Write::Set)];
        for (which, write) in ways {
            let runs = vec![33, 1, 5, 32, 2];
            specs.push(Spec { runs, which, write, eps: Some(EPS), ..Spec::new(129, 31, dtype, 33) });
        }
    }
    check::all(specs.iter().map(Spec::row));
}

#[test]
fn the_rows_that_are_wanted_may_be_any() {
    let spec = |dtype, write| {
        let runs = vec![33, 1, 5, 31, 2];
        Spec { runs, which: Which::Thirds, write, eps: Some(EPS), ..Spec::new(129, 65, dtype, 33) }
    };
    check::all(
        WEIGHTS.iter().flat_map(|dtype| [Write::Set, Write::Add].map(|write| spec(*dtype, write).row())),
    );
}

#[test]
fn epsilon_counts_where_inputs_are_small() {
    let sizes = [(1e-3, 1e-5), (1e-2, 1e-5), (1.0, 0.5), (0.0, 1e-5), (1e4, 1e-6)];
    let spec = |(scale, eps), dtype| Spec { scale, eps: Some(eps), ..Spec::new(129, 65, dtype, 3) };
    check::all(WEIGHTS.iter().flat_map(|dtype| sizes.map(|size| spec(size, *dtype).row())));
}

#[test]
fn a_row_of_zeros_gives_the_bias() {
    let spec = |dtype| Spec { scale: 0.0, bias: true, ..Spec::new(129, 65, dtype, 3) };
    check::all(WEIGHTS.map(|dtype| spec(dtype).row()));
}

#[test]
fn one_large_input_among_small_ones() {
    let spec = |dtype, n_in| Spec { outlier: true, ..Spec::new(n_in, 129, dtype, 3) };
    check::all(WEIGHTS.iter().flat_map(|dtype| [129, 1025].map(|n| spec(*dtype, n).row())));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record = |n_weights: usize, w: [usize; 2], y: [usize; 2], bias: usize| {
        let mut r = Recorder::new("bad", 3);
        let x = r.scratch("x", Shape::matrix(3, 8), DType::F32);
        let shape = Shape::matrix(w[0], w[1]);
        let weights: Vec<_> = (0..n_weights).map(|_| r.weight(WeightId(0), "w", shape, DType::F32)).collect();
        let bias = Some(r.weight(WeightId(1), "bias", Shape::vector(bias), DType::F32));
        let y = r.scratch("y", Shape::matrix(y[0], y[1]), DType::F32);
        r.add(Args { x, norm: None, weights: &weights, bias, y, write: Write::Set })
    };
    assert_eq!(record(1, [5, 8], [3, 5], 5), Ok(()));
    let label = |result| match result {
        Err(PlanError::Shape { label, .. }) => label,
        other => panic!("{other:?}"),
    };
    assert_eq!(label(record(1, [5, 7], [3, 5], 5)), "w");
    assert_eq!(label(record(1, [5, 8], [3, 6], 5)), "y");
    assert_eq!(label(record(1, [5, 8], [2, 5], 5)), "y");
    assert_eq!(label(record(2, [5, 8], [3, 5], 5)), "y");
    assert_eq!(label(record(1, [5, 8], [3, 5], 4)), "bias");
    assert!(matches!(record(0, [5, 8], [3, 5], 5), Err(PlanError::Parameter { .. })));
    assert!(matches!(record(4, [5, 8], [3, 20], 20), Err(PlanError::Parameter { .. })));
}

#[test]
fn the_formula_on_numbers_done_by_hand() {
    // x = [3, 4]: mean square 12.5; eps 12.5 makes the root 5; weights 2 and 1 give [1.2, 0.8].
    let normed = rms_norm(&[3.0, 4.0], &[2.0, 1.0], 12.5);
    assert!((normed[0] - 1.2).abs() < 1e-12 && (normed[1] - 0.8).abs() < 1e-12);
    assert_eq!(project(&widen(&[1.0, 2.0]), &[1.0, 0.5, -1.0, 2.0]), [2.0, 3.0]);
}
