//! Whole blocks of ops through scratch memory: placement, going step by step, and runs that follow each other.

use hala_plan::ops::matmul::{self, Norm, Rows, Write};
use hala_plan::ops::{attention, rope_kv, short_conv, swiglu};
use hala_plan::{BufferId, Cancel, StateId, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::backends::{self, Pace};
use hala_tests::case::{Action, Case, Recording};
use hala_tests::check;
use hala_tests::random::{Rng, float, vector, with_last_row};
use hala_tests::tolerances::{self, EXACT, F16_BLOCKS, F32_BLOCKS, INT8_BLOCKS, Tolerance};

use crate::EPS;

const D: usize = 40;
const F: usize = 72;
const A: usize = 10;
const H: usize = 4;
const K: usize = 2;
const N_VOCAB: usize = 50;
const CAPACITY: usize = 64;

/// A model of one convolution block and one attention block.
struct Blocks {
    weight_dtype: DType,
    cache: DType,
    case: Case,
    table: WeightId,
    rope: WeightId,
    norms: Vec<WeightId>,
    taps: WeightId,
    head_norms: [WeightId; 2],
    /// in_proj, out_proj, q, k, v, out_proj, then w1, w3, w2 of each block.
    projections: Vec<WeightId>,
    conv: StateId,
    keys: StateId,
    values: StateId,
}

/// Where buffers between steps live.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Scratch,
    Outputs,
}

impl Blocks {
    fn new(weight_dtype: DType, cache: DType) -> Self {
        Self::with_table(weight_dtype, cache, |table| table)
    }

    /// A model whose embedding is changed by `change`.
    fn with_table(weight_dtype: DType, cache: DType, change: impl FnOnce(Tensor) -> Tensor) -> Self {
        let mut case = Case::new(&format!("blocks of {weight_dtype}, cache of {cache}"));
        let mut rng = Rng::new(&case.name);
        let shapes = [
            [3 * D, D],
            [D, D],
            [H * A, D],
            [K * A, D],
            [K * A, D],
            [D, H * A],
            [F, D],
            [F, D],
            [D, F],
            [F, D],
            [F, D],
            [D, F],
        ];
        let table = change(rng.projection(N_VOCAB, D, weight_dtype));
        let rope = (0..CAPACITY * A).map(|_| rng.uniform()).collect();
        let projections: Vec<Tensor> =
            shapes.iter().map(|[o, i]| rng.projection(*o, *i, weight_dtype)).collect();
        Self {
            weight_dtype,
            cache,
            table: case.weight("table", &table),
            rope: case.weight("rope", &float(Shape::matrix(CAPACITY, A), rope)),
            norms: (0..5).map(|_| case.weight("norm", &vector(rng.around(1.0, D)))).collect(),
            taps: case.weight("taps", &rng.matrix(D, 3, 0.6)),
            head_norms: [0, 1].map(|_| case.weight("head norm", &vector(rng.around(1.0, A)))),
            projections: projections.iter().map(|w| case.weight("projection", w)).collect(),
            conv: case.recurrent("conv", Shape::matrix(2, D)),
            keys: case.per_token("keys", Shape::cube(K, CAPACITY, A), cache),
            values: case.per_token("values", Shape::cube(K, CAPACITY, A), cache),
            case,
        }
    }

    fn tolerance(&self) -> Tolerance {
        match (self.weight_dtype, self.cache) {
            (DType::Int8 { .. } | DType::Int4 { .. }, _) => INT8_BLOCKS,
            (_, DType::F16) => F16_BLOCKS,
            _ => F32_BLOCKS,
        }
    }

    /// Adds a plan; the logits are read, of all rows or the last.
    fn plan(&mut self, n_tokens: usize, between: Between, rows: Rows) -> usize {
        let tolerance = self.tolerance();
        let mut case = std::mem::replace(&mut self.case, Case::new(""));
        let plan = case.plan(n_tokens, |r| {
            let mut pass = Pass { r, model: self, between };
            let y = pass.record(rows);
            r.read(y, tolerance);
        });
        self.case = case;
        plan
    }
}

struct Pass<'a, 'b> {
    r: &'a mut Recording<'b>,
    model: &'a Blocks,
    between: Between,
}

impl Pass<'_, '_> {
    fn buffer(&mut self, label: &str, n_columns: usize) -> BufferId {
        match self.between {
            Between::Scratch => self.r.scratch(label, n_columns),
            Between::Outputs => self.r.output(label, n_columns),
        }
    }

    fn norm(&mut self, idx: usize) -> Norm {
        Norm { weight: self.r.weight(self.model.norms[idx]), eps: EPS }
    }

    fn projections<const N: usize>(&mut self, first: usize) -> [BufferId; N] {
        std::array::from_fn(|i| self.r.weight(self.model.projections[first + i]))
    }

    fn record(&mut self, rows: Rows) -> BufferId {
        let h = self.buffer("h", D);
        self.r.fill(self.model.table, h);
        self.conv(h);
        self.feed_forward(h, 1, 6);
        self.attention(h);
        self.feed_forward(h, 3, 9);
        let n_rows = if rows == Rows::Last { 1 } else { self.r.recorder.n_tokens() };
        let y = self.r.recorder.output("logits", Shape::matrix(n_rows, N_VOCAB));
        let (norm, weights) = (Some(self.norm(4)), [self.r.weight(self.model.table)]);
        let write = Write::Set;
        self.matmul(matmul::Args { x: h, norm, weights: &weights, bias: None, y, write, rows });
        y
    }

    fn matmul(&mut self, args: matmul::Args<'_>) {
        self.r.recorder.matmul(args).unwrap();
    }

    fn add(&mut self, x: BufferId, weight: BufferId, h: BufferId) {
        let (write, rows) = (Write::Add, Rows::All);
        self.matmul(matmul::Args { x, norm: None, weights: &[weight], bias: None, y: h, write, rows });
    }

    fn conv(&mut self, h: BufferId) {
        let [in_proj, out_proj] = self.projections(0);
        let norm = self.norm(0);
        let args = short_conv::Args {
            x: h,
            norm: Some(norm),
            in_proj,
            taps: self.r.weight(self.model.taps),
            bias: None,
            state: self.r.state(self.model.conv),
            projected: self.buffer("projected", 3 * D),
            y: self.buffer("conv", D),
        };
        self.r.recorder.short_conv(args).unwrap();
        self.add(args.y, out_proj, h);
    }

    fn feed_forward(&mut self, h: BufferId, norm: usize, first: usize) {
        let [w1, w3, w2] = self.projections(first);
        let (norm, y) = (Some(self.norm(norm)), self.buffer(&format!("gated {first}"), F));
        let args = swiglu::Args { x: h, norm, activation: swiglu::Activation::Silu, w1, w3, y };
        self.r.recorder.swiglu(args).unwrap();
        self.add(y, w2, h);
    }

    fn attention(&mut self, h: BufferId) {
        let weights: [BufferId; 3] = self.projections(2);
        let [out_proj] = self.projections(5);
        let (norm, qkv) = (Some(self.norm(2)), self.buffer("qkv", (H + 2 * K) * A));
        let (write, rows) = (Write::Set, Rows::All);
        self.matmul(matmul::Args { x: h, norm, weights: &weights, bias: None, y: qkv, write, rows });
        let [q_norm, k_norm] = self.model.head_norms.map(|id| self.r.weight(id));
        let table = self.r.weight(self.model.rope);
        let args = rope_kv::Args {
            qkv,
            norms: Some(rope_kv::Norms { q: q_norm, k: k_norm, eps: EPS }),
            turn: Some(rope_kv::Turn { table, pairs: rope_kv::Pairs::Halves }),
            q: self.buffer("q", H * A),
            keys: self.r.state(self.model.keys),
            values: self.r.state(self.model.values),
        };
        self.r.recorder.rope_kv(args).unwrap();
        let (q, keys, values, y) = (args.q, args.keys, args.values, self.buffer("attended", H * A));
        let args = attention::Args { q, keys, values, y, scale: 0.3, softcap: None, window: None };
        self.r.recorder.attention(args).unwrap();
        self.add(y, out_proj, h);
    }
}

const MODELS: [[DType; 2]; 5] = [
    [DType::F32, DType::F32],
    [DType::BF16, DType::F16],
    [DType::F16, DType::F32],
    [DType::E4M3, DType::F16],
    [DType::Int8 { group: 64 }, DType::F16],
];

/// A prompt of 26 tokens cut into runs, on plans for 1, 7 and 33 tokens; the last row of the last run.
fn last_rows(dtypes: [DType; 2], runs: &[usize], between: Between, pace: Pace) -> Vec<Vec<f32>> {
    let mut blocks = Blocks::new(dtypes[0], dtypes[1]);
    let plans = [1, 7, 33].map(|n| (n, blocks.plan(n, between, Rows::Last)));
    let mut case = blocks.case;
    let ids = Rng::new("prompt").ids(26, N_VOCAB);
    let mut position = 0;
    for n in runs {
        let (_, plan) = plans.iter().find(|(size, _)| size >= n).unwrap();
        case.run(*plan, &ids[position..position + n], position);
        position += n;
    }
    assert_eq!(position, ids.len(), "the runs take the prompt whole");
    let last = |b: &dyn backends::Runner| b.run(&case, pace, &Cancel::new()).unwrap().pop().unwrap().concat();
    backends::all().map(last).collect()
}

fn assert_same(found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: Tolerance, what: &str) {
    for ((found, expected), backend) in found.iter().zip(expected).zip(backends::all()) {
        let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
        if let Err(error) = check::near(found, &expected, N_VOCAB, tolerance) {
            panic!("{what}, {}: {error}", backend.name());
        }
    }
}

#[test]
fn every_backend_gives_the_plain_run_s_logits() {
    for dtypes in MODELS {
        let all = last_rows(dtypes, &[26], Between::Scratch, Pace::Whole);
        let plain = vec![all[0].clone(); all.len()];
        assert_same(&all, &plain, Blocks::new(dtypes[0], dtypes[1]).tolerance(), &format!("{dtypes:?}"));
    }
}

#[test]
fn however_a_prompt_is_cut_the_answer_is_the_same() {
    let cuts: [&[usize]; 6] = [&[1; 26], &[7, 7, 7, 5], &[25, 1], &[1, 25], &[3, 20, 2, 1], &[2; 13]];
    for dtypes in MODELS {
        let tolerance = Blocks::new(dtypes[0], dtypes[1]).tolerance();
        let whole = last_rows(dtypes, &[26], Between::Scratch, Pace::Whole);
        for cut in cuts {
            let parts = last_rows(dtypes, cut, Between::Scratch, Pace::Whole);
            assert_same(&parts, &whole, tolerance, &format!("{dtypes:?} cut {cut:?}"));
        }
    }
}

#[test]
fn shared_slots_and_single_steps_change_nothing() {
    for dtypes in MODELS {
        for runs in [&[26][..], &[20, 1, 1, 1, 3]] {
            let scratch = last_rows(dtypes, runs, Between::Scratch, Pace::Whole);
            let outputs = last_rows(dtypes, runs, Between::Outputs, Pace::Whole);
            assert_same(&outputs, &scratch, EXACT, "buffers of their own");
            let steps = last_rows(dtypes, runs, Between::Scratch, Pace::Stepwise);
            assert_same(&steps, &scratch, EXACT, "step by step");
        }
    }
}

#[test]
fn the_last_row_alone_is_the_last_of_all_rows() {
    for dtypes in MODELS {
        let mut blocks = Blocks::new(dtypes[0], dtypes[1]);
        let (all, last) =
            (blocks.plan(7, Between::Scratch, Rows::All), blocks.plan(7, Between::Scratch, Rows::Last));
        let tolerance = tolerances::product(dtypes[0]);
        for n in [1, 4, 7] {
            let ids = Rng::new("rows").ids(n, N_VOCAB);
            blocks.case.run(all, &ids, 0);
            let run = |case: &Case| -> Vec<Vec<f32>> {
                let last =
                    |b: &dyn backends::Runner| b.run(case, Pace::Whole, &Cancel::new()).unwrap().remove(0);
                backends::all().map(|b| last(b).concat()).collect()
            };
            let rows = run(&blocks.case);
            blocks.case.clear_actions();
            blocks.case.run(last, &ids, 0);
            let row = run(&blocks.case);
            blocks.case.clear_actions();
            let ends: Vec<Vec<f32>> = rows.iter().map(|r| r[(n - 1) * N_VOCAB..].to_vec()).collect();
            assert_same(&row, &ends, tolerance, &format!("{dtypes:?}, {n} tokens"));
        }
    }
}

/// The logits of a prompt, bit by bit, after a prompt with the last id in it where `poisoned`.
fn after_another_prompt(dtypes: [DType; 2], value: f32, poisoned: bool) -> Vec<Vec<u32>> {
    let mut blocks = Blocks::with_table(dtypes[0], dtypes[1], |table| with_last_row(&table, value));
    let plans = [7, 1].map(|n| blocks.plan(n, Between::Scratch, Rows::All));
    let mut case = blocks.case;
    let last = N_VOCAB as u32 - 1;
    case.act(Action::Snapshot);
    let ids = if poisoned { [last; 7] } else { [3; 7] };
    case.run(plans[0], &ids, 0);
    case.run(plans[1], &ids[..1], 7);
    case.act(Action::Restore);
    case.run(plans[0], &[5, 8, 13, 21, 34], 0);
    case.run(plans[1], &[2], 5);
    let bits = |b: &dyn backends::Runner| {
        let readings = b.run(&case, Pace::Whole, &Cancel::new()).unwrap();
        readings[2..].concat().concat().into_iter().map(f32::to_bits).collect()
    };
    backends::all().map(bits).collect()
}

#[test]
fn what_was_not_finite_leaves_nothing_behind() {
    for (dtypes, value) in MODELS.iter().flat_map(|dtypes| [f32::NAN, f32::INFINITY].map(|v| (*dtypes, v))) {
        let [found, expected] = [true, false].map(|poisoned| after_another_prompt(dtypes, value, poisoned));
        for ((found, expected), backend) in found.iter().zip(&expected).zip(backends::all()) {
            assert_eq!(found, expected, "{dtypes:?} after {value}, {}", backend.name());
        }
    }
}
