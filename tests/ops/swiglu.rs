//! `swiglu`: the gated half of a feed-forward block, with and without its norm, through silu and through gelu. It is recorded as models
//! do, so that each backend has the steps joined that it has kernels for.

use hala_plan::ops::gate::{self, Activation};
use hala_plan::ops::matmul::{self, Norm, Write};
use hala_plan::ops::swiglu::Args;
use hala_plan::{PlanError, Recorder, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, vector};
use hala_tests::tolerances::{self, Tolerance};

use crate::formulas::{act, gather, project, rms_norm};
use crate::{EPS, TOKENS, WEIGHTS, matrices, some_tokens};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// One row of a table of tests.
#[derive(Debug, Clone)]
struct Spec {
    n_in: usize,
    n_out: usize,
    /// Types of w1 and w3.
    dtypes: [DType; 2],
    n_tokens: usize,
    runs: Vec<usize>,
    /// The inputs' magnitude, which the norm takes away.
    scale: f32,
    eps: f32,
    /// Magnitude of the norm's weights, and so of the gate's argument.
    gain: f32,
    normed: bool,
    activation: Activation,
}

impl Spec {
    fn new(n_in: usize, n_out: usize, dtype: DType, n_tokens: usize) -> Self {
        let (dtypes, runs) = ([dtype; 2], vec![n_tokens]);
        let activation = Activation::Silu;
        Self {
            n_in,
            n_out,
            dtypes,
            n_tokens,
            runs,
            scale: 1.0,
            eps: EPS,
            gain: 1.0,
            normed: true,
            activation,
        }
    }

    fn tolerance(&self) -> Tolerance {
        let int8 = self.dtypes.iter().find(|dtype| matches!(dtype, DType::Int8 { .. } | DType::Int4 { .. }));
        tolerances::gated(*int8.unwrap_or(&self.dtypes[0]))
    }

    fn row(&self) -> Row {
        let mut case = Case::new(&format!("swiglu {self:?}"));
        let mut rng = Rng::new(&case.name);
        let inputs = rng.matrix(N_INPUTS, self.n_in, self.scale);
        let norm = rng.around(self.gain, self.n_in);
        let [w1, w3] = self.dtypes.map(|dtype| rng.projection(self.n_out, self.n_in, dtype));
        let x = case.weight("inputs", &inputs);
        let norm_id = case.weight("norm", &vector(norm.clone()));
        let (w1_id, w3_id) = (case.weight("w1", &w1), case.weight("w3", &w3));
        let plan = case.plan(self.n_tokens, |r| {
            let (x, y) = (r.filled("x", x), r.output("y", self.n_out));
            let norm = self.normed.then(|| Norm { weight: r.weight(norm_id), eps: self.eps });
            let (w1, w3) = (r.weight(w1_id), r.weight(w3_id));
            let (x, activation) = (r.normed(x, norm), self.activation);
            let [a, b] = [(w1, "a"), (w3, "b")].map(|(weight, label)| {
                let y = r.scratch(label, self.n_out);
                let (weights, write) = (&[weight], Write::Set);
                r.recorder.add(matmul::Args { x, norm: None, weights, bias: None, y, write }).unwrap();
                y
            });
            r.recorder.add(gate::Args { a, b, activation, y }).unwrap();
            r.read(y, self.tolerance());
        });
        let mut expected = Vec::new();
        for n in &self.runs {
            let ids = rng.ids(*n, N_INPUTS);
            case.run(plan, &ids, 0);
            let normed = |x: Vec<f64>| if self.normed { rms_norm(&x, &norm, self.eps) } else { x };
            let x = gather(&inputs, &ids).into_iter().map(normed);
            expected.push(vec![x.flat_map(|x| self.formula(&x, &w1, &w3)).collect()]);
        }
        Row::new(case, expected)
    }

    fn formula(&self, x: &[f64], w1: &Tensor, w3: &Tensor) -> Vec<f64> {
        let (gate, up) = (project(x, &w1.to_f32()), project(x, &w3.to_f32()));
        gate.iter().zip(up).map(|(z, up)| act(self.activation, *z) * up).collect()
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
fn a_run_may_have_fewer_tokens_than_the_plan() {
    let spec = |dtype| Spec { runs: vec![33, 1, 5, 32, 2], ..Spec::new(129, 31, dtype, 33) };
    check::all(WEIGHTS.map(|dtype| spec(dtype).row()));
}

#[test]
fn the_norm_may_be_left_out_and_gates_may_pass_through_gelu() {
    let spec = |normed, activation, dtype, n_tokens| Spec {
        normed,
        activation,
        ..Spec::new(129, 65, dtype, n_tokens)
    };
    let ways =
        [(false, Activation::Silu), (true, Activation::GeluTanh), (false, Activation::GeluTanh)].into_iter();
    let specs = ways.flat_map(|(normed, activation)| WEIGHTS.map(|dtype| (normed, activation, dtype)));
    check::all(specs.flat_map(|(n, a, dtype)| [1, 5, 33].map(|t| spec(n, a, dtype, t).row())));
}

#[test]
fn the_two_matrices_may_differ_in_type() {
    let int8 = DType::Int8 { group: 64 };
    let mixtures = [
        [int8, DType::Int4 { group: 32 }],
        [int8, DType::BF16],
        [DType::F32, int8],
        [DType::E4M3, DType::F16],
    ];
    let specs = mixtures.iter().flat_map(|dtypes| [true, false].map(|normed| (*dtypes, normed)));
    check::all(specs.map(|(dtypes, normed)| Spec { dtypes, normed, ..Spec::new(129, 65, int8, 5) }.row()));
}

#[test]
fn gates_that_are_shut_or_open_do_not_overflow() {
    // Arguments of ±200 and more: e²⁰⁰ is beyond f32.
    let spec = |dtype, gain, activation| Spec { gain, activation, ..Spec::new(129, 65, dtype, 3) };
    let gains = [0.01, 30.0, 200.0].iter();
    let ways = gains.flat_map(|gain| [Activation::Silu, Activation::GeluTanh].map(|a| (*gain, a)));
    check::all(ways.flat_map(|(gain, a)| WEIGHTS.map(|dtype| spec(dtype, gain, a).row())));
}

#[test]
fn epsilon_counts_where_inputs_are_small() {
    let sizes = [(1e-3, 1e-5), (1.0, 0.5), (0.0, 1e-5)];
    let spec = |(scale, eps), dtype| Spec { scale, eps, ..Spec::new(129, 65, dtype, 3) };
    check::all(WEIGHTS.iter().flat_map(|dtype| sizes.map(|size| spec(size, *dtype).row())));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record = |norm: usize, w1: [usize; 2], w3: [usize; 2], y: [usize; 2]| {
        let mut r = Recorder::new("bad", 3);
        let x = r.scratch("x", Shape::matrix(3, 8), DType::F32);
        let weight = r.weight(WeightId(0), "norm", Shape::vector(norm), DType::F32);
        let w1 = r.weight(WeightId(1), "w1", Shape::matrix(w1[0], w1[1]), DType::F32);
        let w3 = r.weight(WeightId(2), "w3", Shape::matrix(w3[0], w3[1]), DType::F32);
        let y = r.scratch("y", Shape::matrix(y[0], y[1]), DType::F32);
        let norm = Some(Norm { weight, eps: EPS });
        match r.add(Args { x, norm, activation: Activation::Silu, w1, w3, y }) {
            Ok(()) => String::new(),
            Err(PlanError::Shape { label, .. }) => label,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(record(8, [5, 8], [5, 8], [3, 5]), "");
    assert_eq!(record(7, [5, 8], [5, 8], [3, 5]), "norm");
    assert_eq!(record(8, [5, 7], [5, 8], [3, 5]), "w1");
    assert_eq!(record(8, [5, 8], [4, 8], [3, 5]), "w3");
    assert_eq!(record(8, [5, 8], [5, 8], [3, 6]), "y");
}
