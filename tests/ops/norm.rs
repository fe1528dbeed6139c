//! `norm`: RMS and layer norms, set and added.

use hala_plan::ops::matmul::{Norm, Write};
use hala_plan::ops::norm::{Args, Kind};
use hala_plan::{PlanError, Recorder, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances::F32_SUMS;

use crate::formulas::{gather, rms_norm};
use crate::{EPS, SIZES, TOKENS};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// One row of a table of tests.
#[derive(Debug, Clone)]
struct Spec {
    width: usize,
    kind: Kind,
    write: Write,
    runs: Vec<usize>,
    /// The inputs' mean, in their deviations.
    mean: f32,
    eps: f32,
}

impl Spec {
    fn new(width: usize, kind: Kind, write: Write, n_tokens: usize) -> Self {
        Self { width, kind, write, runs: vec![n_tokens], mean: 0.5, eps: EPS }
    }

    fn row(&self) -> Row {
        let mut case = Case::new(&format!("norm {self:?}"));
        let mut rng = Rng::new(&case.name);
        let shifted = rng.normals(N_INPUTS * self.width, 1.0).iter().map(|x| x + self.mean).collect();
        let inputs = float(Shape::matrix(N_INPUTS, self.width), shifted);
        let before = rng.matrix(N_INPUTS, self.width, 1.0);
        let weight = rng.around(1.0, self.width);
        let ids = [case.weight("inputs", &inputs), case.weight("before", &before)];
        let weight_id = case.weight("norm", &vector(weight.clone()));
        let plan = case.plan(*self.runs.iter().max().unwrap(), |r| {
            let (x, y) = (r.filled("x", ids[0]), r.output("y", self.width));
            r.fill(ids[1], y);
            let norm = Norm { weight: r.weight(weight_id), eps: self.eps };
            r.recorder.add(Args { x, norm, kind: self.kind, y, write: self.write }).unwrap();
            r.read(y, F32_SUMS);
        });
        let mut expected = Vec::new();
        for n in &self.runs {
            let ids = rng.ids(*n, N_INPUTS);
            case.run(plan, &ids, 0);
            expected.push(vec![self.formula(&inputs, &before, &weight, &ids)]);
        }
        Row::new(case, expected)
    }

    fn formula(&self, inputs: &Tensor, before: &Tensor, weight: &[f32], ids: &[u32]) -> Vec<f64> {
        let row = |(x, before): (Vec<f64>, Vec<f64>)| -> Vec<f64> {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let centred = match self.kind {
                Kind::Rms => x,
                Kind::Layer => x.iter().map(|x| x - mean).collect(),
            };
            let normed = rms_norm(&centred, weight, self.eps);
            match self.write {
                Write::Set => normed,
                Write::Add => normed.iter().zip(before).map(|(normed, before)| before + normed).collect(),
            }
        };
        gather(inputs, ids).into_iter().zip(gather(before, ids)).flat_map(row).collect()
    }
}

const WAYS: [(Kind, Write); 4] =
    [(Kind::Rms, Write::Set), (Kind::Rms, Write::Add), (Kind::Layer, Write::Set), (Kind::Layer, Write::Add)];

#[test]
fn odd_widths_in_every_way() {
    let specs = WAYS.iter().flat_map(|way| SIZES.map(|width| (*way, width)));
    check::all(specs.flat_map(|((kind, write), width)| {
        TOKENS.map(|n_tokens| Spec::new(width, kind, write, n_tokens).row())
    }));
}

#[test]
fn a_run_may_have_fewer_tokens_than_the_plan() {
    let spec = |(kind, write)| Spec { runs: vec![33, 1, 5, 32, 2], ..Spec::new(129, kind, write, 33) };
    check::all(WAYS.map(|way| spec(way).row()));
}

#[test]
fn epsilon_counts_and_a_mean_is_taken_off() {
    let sizes = [(0.0, 0.5), (3.0, 1e-5), (-3.0, 0.5)];
    let spec = |(mean, eps), (kind, write)| Spec { mean, eps, ..Spec::new(65, kind, write, 3) };
    check::all(WAYS.iter().flat_map(|way| sizes.map(|size| spec(size, *way).row())));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record = |weight: usize, y: [usize; 2]| {
        let mut r = Recorder::new("bad", 3);
        let x = r.scratch("x", Shape::matrix(3, 8), DType::F32);
        let weight = r.weight(WeightId(0), "norm", Shape::vector(weight), DType::F32);
        let y = r.scratch("y", Shape::matrix(y[0], y[1]), DType::F32);
        let norm = Norm { weight, eps: EPS };
        let in_place = r.add(Args { x, norm, kind: Kind::Rms, y: x, write: Write::Set });
        assert!(!matches!(in_place, Ok(())), "one buffer is read and written");
        match r.add(Args { x, norm, kind: Kind::Rms, y, write: Write::Set }) {
            Ok(()) => String::new(),
            Err(PlanError::Shape { label, .. }) => label,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(record(8, [3, 8]), "");
    assert_eq!(record(7, [3, 8]), "norm");
    assert_eq!(record(8, [3, 7]), "y");
    assert_eq!(record(8, [1, 8]), "y");
}
