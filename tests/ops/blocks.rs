//! A model of one convolution block and one attention block, whose buffers between steps are scratch memory or outputs.

use hala_plan::ops::matmul::{self, Norm, Write};
use hala_plan::ops::{attention, convolve, gate, gather, rope_kv, sample};
use hala_plan::{BufferId, PAGE, StateId, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::{Case, Recording};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances::{F16_BLOCKS, F32_BLOCKS, INT8_BLOCKS, Tolerance};

use crate::EPS;

const D: usize = 40;
const F: usize = 72;
const A: usize = 10;
const H: usize = 4;
const K: usize = 2;
/// Tokens of its vocabulary.
pub(crate) const N_VOCAB: usize = 50;
/// Positions of a sequence at most.
const N_POSITIONS: usize = 160;

/// A model of one convolution block and one attention block.
pub(crate) struct Blocks {
    weight_dtype: DType,
    cache: DType,
    pub(crate) case: Case,
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
pub(crate) enum Between {
    Scratch,
    Outputs,
}

/// Whose logits a plan computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Logits {
    All,
    /// Of up to so many rows, those that are wanted.
    Wanted(usize),
}

impl Blocks {
    pub(crate) fn new(weight_dtype: DType, cache: DType) -> Self {
        Self::with_table(weight_dtype, cache, |table| table)
    }

    /// A model whose embedding is changed by `change`.
    pub(crate) fn with_table(
        weight_dtype: DType,
        cache: DType,
        change: impl FnOnce(Tensor) -> Tensor,
    ) -> Self {
        let mut case = Case::new(&format!("blocks of {weight_dtype}, cache of {cache}"));
        let mut rng = Rng::new(&case.name);
        let layer = case.table(None);
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
        let rope = (0..N_POSITIONS * A).map(|_| rng.uniform()).collect();
        let projections: Vec<Tensor> =
            shapes.iter().map(|[o, i]| rng.projection(*o, *i, weight_dtype)).collect();
        Self {
            weight_dtype,
            cache,
            table: case.weight("table", &table),
            rope: case.weight("rope", &float(Shape::matrix(N_POSITIONS, A), rope)),
            norms: (0..5).map(|_| case.weight("norm", &vector(rng.around(1.0, D)))).collect(),
            taps: case.weight("taps", &rng.matrix(D, 3, 0.6)),
            head_norms: [0, 1].map(|_| case.weight("head norm", &vector(rng.around(1.0, A)))),
            projections: projections.iter().map(|w| case.weight("projection", w)).collect(),
            conv: case.recurrent("conv", Shape::matrix(2, D)),
            keys: case.paged("keys", Shape::cube(K, PAGE, A), cache, layer),
            values: case.paged("values", Shape::cube(K, PAGE, A), cache, layer),
            case,
        }
    }

    pub(crate) fn tolerance(&self) -> Tolerance {
        match (self.weight_dtype, self.cache) {
            (DType::Int8 { .. } | DType::Int4 { .. }, _) => INT8_BLOCKS,
            (_, DType::F16) => F16_BLOCKS,
            _ => F32_BLOCKS,
        }
    }

    /// Adds a plan; the logits are read.
    pub(crate) fn plan(&mut self, n_rows: usize, between: Between, logits: Logits) -> usize {
        let tolerance = self.tolerance();
        self.record(n_rows, |r, model| {
            let y = Pass { r, model, between }.record(logits);
            r.read(y, tolerance);
        })
    }

    /// Adds a plan that chooses tokens.
    pub(crate) fn plan_to_choose(&mut self, n_rows: usize) -> usize {
        self.record(n_rows, |r, model| {
            let logits = Pass { r, model, between: Between::Scratch }.record(Logits::All);
            let ids = r.ids();
            r.recorder.add(sample::Args { logits, ids }).unwrap();
        })
    }

    fn record(&mut self, n_rows: usize, record: impl FnOnce(&mut Recording<'_>, &Self)) -> usize {
        let mut case = std::mem::replace(&mut self.case, Case::new(""));
        let plan = case.plan(n_rows, |r| record(r, self));
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

    fn record(&mut self, logits: Logits) -> BufferId {
        let h = self.buffer("h", D);
        self.r.fill(self.model.table, h);
        self.conv(h);
        self.feed_forward(h, 1, 6);
        self.attention(h);
        self.feed_forward(h, 3, 9);
        let (x, y) = match logits {
            Logits::All => (h, self.r.output("logits", N_VOCAB)),
            Logits::Wanted(n) => {
                let recorder = &mut self.r.recorder;
                let y = recorder.scratch_of_wanted("wanted", Shape::matrix(n, D), DType::F32);
                recorder.add(gather::Args { x: h, y }).unwrap();
                (y, recorder.output_of_wanted("logits", Shape::matrix(n, N_VOCAB)))
            }
        };
        let (norm, weights) = (Some(self.norm(4)), [self.r.weight(self.model.table)]);
        self.matmul(matmul::Args { x, norm, weights: &weights, bias: None, y, write: Write::Set });
        y
    }

    fn matmul(&mut self, args: matmul::Args<'_>) {
        let x = self.r.normed(args.x, args.norm);
        self.r.recorder.add(matmul::Args { x, norm: None, ..args }).unwrap();
    }

    /// `y = x · Wᵀ`
    fn product(&mut self, x: BufferId, weight: BufferId, y: BufferId) {
        self.matmul(matmul::Args { x, norm: None, weights: &[weight], bias: None, y, write: Write::Set });
    }

    fn add(&mut self, x: BufferId, weight: BufferId, h: BufferId) {
        let write = Write::Add;
        self.matmul(matmul::Args { x, norm: None, weights: &[weight], bias: None, y: h, write });
    }

    fn conv(&mut self, h: BufferId) {
        let [in_proj, out_proj] = self.projections(0);
        let (norm, projected) = (self.norm(0), self.r.scratch("projected", 3 * D));
        let x = self.r.normed(h, Some(norm));
        self.product(x, in_proj, projected);
        let args = convolve::Args {
            projected,
            taps: self.r.weight(self.model.taps),
            bias: None,
            state: self.r.state(self.model.conv),
            y: self.buffer("conv", D),
        };
        self.r.recorder.add(args).unwrap();
        self.add(args.y, out_proj, h);
    }

    fn feed_forward(&mut self, h: BufferId, norm: usize, first: usize) {
        let [w1, w3, w2] = self.projections(first);
        let (norm, y) = (self.norm(norm), self.buffer(&format!("gated {first}"), F));
        let x = self.r.normed(h, Some(norm));
        let [a, b] = ["gate", "up"].map(|part| self.r.scratch(&format!("{part} {first}"), F));
        self.product(x, w1, a);
        self.product(x, w3, b);
        self.r.recorder.add(gate::Args { a, b, activation: gate::Activation::Silu, y }).unwrap();
        self.add(y, w2, h);
    }

    fn attention(&mut self, h: BufferId) {
        let weights: [BufferId; 3] = self.projections(2);
        let [out_proj] = self.projections(5);
        let (norm, qkv) = (Some(self.norm(2)), self.buffer("qkv", (H + 2 * K) * A));
        let write = Write::Set;
        self.matmul(matmul::Args { x: h, norm, weights: &weights, bias: None, y: qkv, write });
        let [q_norm, k_norm] = self.model.head_norms.map(|id| self.r.weight(id));
        let table = self.r.weight(self.model.rope);
        let args = rope_kv::Args {
            qkv,
            norms: Some(rope_kv::Norms { q: q_norm, k: k_norm, eps: EPS }),
            turn: Some(rope_kv::Turn { table, pairs: rope_kv::Pairs::Halves }),
            q: self.buffer("q", H * A),
            keys: self.r.state(self.model.keys),
            values: self.r.state(self.model.values),
            n_positions: N_POSITIONS,
        };
        self.r.recorder.add(args).unwrap();
        let (q, keys, values, y) = (args.q, args.keys, args.values, self.buffer("attended", H * A));
        let (n_positions, scale) = (N_POSITIONS, 0.3);
        let args = attention::Args { q, keys, values, y, n_positions, scale, softcap: None, window: None };
        self.r.recorder.add(args).unwrap();
        self.add(y, out_proj, h);
    }
}

/// Types of weights and of the cache.
pub(crate) const MODELS: [[DType; 2]; 5] = [
    [DType::F32, DType::F32],
    [DType::BF16, DType::F16],
    [DType::F16, DType::F32],
    [DType::E4M3, DType::F16],
    [DType::Int8 { group: 64 }, DType::F16],
];
