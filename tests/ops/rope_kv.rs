//! `rope_kv`: queries and keys normalised and turned, or not, keys and values at their place in the cache.

use hala_plan::ops::rope_kv::{Args, Norms, Pairs, Turn};
use hala_plan::{PlanError, Recorder, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::{Case, Recording};
use hala_tests::check::{self, Expected, Row};
use hala_tests::random::{Rng, float, vector};
use hala_tests::tolerances::{self, F16_CELL, F32_SUMS, PLAIN, Tolerance};
use half::f16;

use crate::formulas::{gather, rms_norm};
use crate::{EPS, TOKENS};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// Heads, cache and runs; the op of `attention` is tested on the same.
#[derive(Debug, Clone)]
pub(crate) struct Heads {
    /// H.
    pub(crate) n_heads: usize,
    /// K.
    pub(crate) n_kv_heads: usize,
    /// A.
    pub(crate) head_size: usize,
    /// S.
    pub(crate) capacity: usize,
    /// f32 or f16.
    pub(crate) cache: DType,
    /// T of each plan; a run takes the smallest that holds it.
    pub(crate) plans: Vec<usize>,
    /// Position of the first run.
    pub(crate) position: usize,
    /// Tokens of each run.
    pub(crate) runs: Vec<usize>,
    /// Whether heads are normalised.
    pub(crate) is_normed: bool,
    /// What turns together, if anything does.
    pub(crate) pairs: Option<Pairs>,
}

impl Heads {
    /// One run from the start of a cache with room for a little more.
    pub(crate) fn new(heads: [usize; 2], head_size: usize, cache: DType, n_tokens: usize) -> Self {
        let [n_heads, n_kv_heads] = heads;
        let (plans, runs, capacity) = (vec![n_tokens], vec![n_tokens], n_tokens + 3);
        let (is_normed, pairs) = (true, Some(Pairs::Halves));
        Self { n_heads, n_kv_heads, head_size, capacity, cache, plans, position: 0, runs, is_normed, pairs }
    }

    /// `(H + 2K)·A`
    fn width(&self) -> usize {
        (self.n_heads + 2 * self.n_kv_heads) * self.head_size
    }

    /// Columns of the queries, `H·A`.
    pub(crate) fn q_width(&self) -> usize {
        self.n_heads * self.head_size
    }

    /// Adds every run, each on the smallest plan that holds it; returns all ids.
    pub(crate) fn add_runs(&self, case: &mut Case, rng: &mut Rng) -> Vec<u32> {
        let mut ids: Vec<u32> = Vec::new();
        for n in &self.runs {
            let start = ids.len();
            ids.extend(rng.ids(*n, N_INPUTS));
            let fitting = (0..self.plans.len()).filter(|plan| self.plans[*plan] >= *n);
            let plan = fitting.min_by_key(|plan| self.plans[*plan]).unwrap();
            case.run(plan, &ids[start..], self.position + start);
        }
        ids
    }

    fn row(&self) -> Row {
        let mut case = Case::new(&format!("rope_kv {self:?}"));
        let mut rng = Rng::new(&case.name);
        let data = Data::new(self, &mut rng);
        let ids = data.declare(self, &mut case);
        for n_tokens in &self.plans {
            case.plan(*n_tokens, |r| {
                let args = ids.record(self, r);
                r.read(args.q, F32_SUMS);
                r.read(args.keys, tolerances::cache(self.cache));
                r.read(args.values, tolerances::cache(self.cache));
            });
        }
        let tokens = self.add_runs(&mut case, &mut rng);
        let turned = data.formula(self, &tokens);
        let mut expected: Expected = Vec::new();
        let mut end = 0;
        for n in &self.runs {
            let start = end;
            end += n;
            let caches = [&turned.keys, &turned.values].map(|rows| self.cells(rows, end));
            let [keys, values] = caches;
            expected.push(vec![turned.q[start..end].concat(), keys, values]);
        }
        Row { plain: self.plain(), ..Row::new(case, expected) }
    }

    /// Tolerance of the plain run: a cell of f16 may be rounded the other way.
    pub(crate) fn plain(&self) -> Tolerance {
        if self.cache == DType::F16 { F16_CELL } else { PLAIN }
    }

    /// `[K, S, A]` after the first `end` tokens; elsewhere zeros.
    fn cells(&self, rows: &[Vec<f64>], end: usize) -> Vec<f64> {
        let (k, s, a) = (self.n_kv_heads, self.capacity, self.head_size);
        let mut cells = vec![0.0; k * s * a];
        for (t, row) in rows[..end].iter().enumerate() {
            for (head, values) in row.chunks_exact(a).enumerate() {
                cells[(head * s + self.position + t) * a..][..a].copy_from_slice(values);
            }
        }
        cells
    }
}

/// The tensors of one case.
pub(crate) struct Data {
    qkv: Tensor,
    q_norm: Vec<f32>,
    k_norm: Vec<f32>,
    rope: Vec<f32>,
}

/// The ids under which a case holds them.
pub(crate) struct Ids {
    qkv: WeightId,
    q_norm: WeightId,
    k_norm: WeightId,
    rope: WeightId,
    keys: StateId,
    values: StateId,
}

/// Each token's queries, keys and values after the op, `[T][·]`.
pub(crate) struct Turned {
    pub(crate) q: Vec<Vec<f64>>,
    /// As the cache holds them.
    pub(crate) keys: Vec<Vec<f64>>,
    /// As the cache holds them.
    pub(crate) values: Vec<Vec<f64>>,
}

impl Data {
    pub(crate) fn new(heads: &Heads, rng: &mut Rng) -> Self {
        Self {
            qkv: rng.matrix(N_INPUTS, heads.width(), 1.0),
            // Larger than 1, so that attention is not flat.
            q_norm: rng.around(1.5, heads.head_size),
            k_norm: rng.around(1.5, heads.head_size),
            rope: angles(heads.capacity, heads.head_size),
        }
    }

    pub(crate) fn declare(&self, heads: &Heads, case: &mut Case) -> Ids {
        let cache = Shape::cube(heads.n_kv_heads, heads.capacity, heads.head_size);
        let rope = Shape::matrix(heads.capacity, heads.head_size);
        Ids {
            qkv: case.weight("inputs", &self.qkv),
            q_norm: case.weight("q_norm", &vector(self.q_norm.clone())),
            k_norm: case.weight("k_norm", &vector(self.k_norm.clone())),
            rope: case.weight("rope", &float(rope, self.rope.clone())),
            keys: case.per_token("keys", cache, heads.cache),
            values: case.per_token("values", cache, heads.cache),
        }
    }

    pub(crate) fn formula(&self, heads: &Heads, ids: &[u32]) -> Turned {
        let (a, q_width) = (heads.head_size, heads.q_width());
        let k_width = heads.n_kv_heads * a;
        let cell = |x: f64| if heads.cache == DType::F16 { f16::from_f64(x).to_f64() } else { x };
        let mut turned = Turned { q: vec![], keys: vec![], values: vec![] };
        for (t, row) in gather(&self.qkv, ids).into_iter().enumerate() {
            let angles = &self.rope[(heads.position + t) * a..][..a];
            let turn = |part: &[f64], norm: &[f32]| -> Vec<f64> {
                let normed = |h: &[f64]| if heads.is_normed { rms_norm(h, norm, EPS) } else { h.to_vec() };
                let turned =
                    |z: Vec<f64>| heads.pairs.map_or(z.clone(), |pairs| turned_head(&z, angles, pairs));
                part.chunks_exact(a).flat_map(|head| turned(normed(head))).collect()
            };
            let (q, kv) = row.split_at(q_width);
            let (k, v) = kv.split_at(k_width);
            turned.q.push(turn(q, &self.q_norm));
            turned.keys.push(turn(k, &self.k_norm).into_iter().map(cell).collect());
            turned.values.push(v.iter().copied().map(cell).collect());
        }
        turned
    }
}

impl Ids {
    /// Records the op with inputs taken from the table; `q` is an output.
    pub(crate) fn record(&self, heads: &Heads, r: &mut Recording<'_>) -> Args {
        let norms =
            heads.is_normed.then(|| Norms { q: r.weight(self.q_norm), k: r.weight(self.k_norm), eps: EPS });
        let turn = heads.pairs.map(|pairs| Turn { table: r.weight(self.rope), pairs });
        let args = Args {
            qkv: r.filled("qkv", self.qkv),
            norms,
            turn,
            q: r.output("q", heads.q_width()),
            keys: r.state(self.keys),
            values: r.state(self.values),
        };
        r.recorder.rope_kv(args).unwrap();
        args
    }
}

/// Pairs turned by the angles whose cosines and sines are given.
fn turned_head(z: &[f64], angles: &[f32], pairs: Pairs) -> Vec<f64> {
    let half = z.len() / 2;
    let mut turned = vec![0.0; z.len()];
    for i in 0..half {
        let (a, b) = match pairs {
            Pairs::Halves => (i, i + half),
            Pairs::Neighbours => (2 * i, 2 * i + 1),
        };
        let (c, s) = (f64::from(angles[i]), f64::from(angles[half + i]));
        (turned[a], turned[b]) = (z[a] * c - z[b] * s, z[b] * c + z[a] * s);
    }
    turned
}

/// `[S, A]`: cosines, then sines, of `position · 10000^(−2i/A)`.
fn angles(n_positions: usize, head_size: usize) -> Vec<f32> {
    let half = head_size / 2;
    let angle = |p: usize, i: usize| p as f64 * 1e4f64.powf(-2.0 * i as f64 / head_size as f64);
    let row = |p: usize| {
        let cos = (0..half).map(move |i| angle(p, i).cos() as f32);
        cos.chain((0..half).map(move |i| angle(p, i).sin() as f32))
    };
    (0..n_positions).flat_map(row).collect()
}

/// Query and key/value heads in ratios of 1 to 4.
pub(crate) const RATIOS: [[usize; 2]; 8] = [[1, 1], [3, 3], [2, 1], [4, 2], [3, 1], [6, 2], [4, 1], [8, 2]];

/// What a cache may be held in.
pub(crate) const CACHES: [DType; 2] = [DType::F32, DType::F16];

#[test]
fn odd_heads_in_both_kinds_of_cache() {
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let rows = shapes.enumerate().flat_map(|(i, (heads, a))| {
        // Each shape with one token and another number of them in turn, and with one kind of cache in turn.
        [1, TOKENS[1 + i % 7]].map(|t| Heads::new(heads, a, CACHES[(i + i / RATIOS.len()) % 2], t).row())
    });
    check::all(rows);
}

/// Sizes of heads around what kernels take at once.
pub(crate) const HEAD_SIZES: [usize; 7] = [2, 6, 24, 62, 64, 66, 128];

#[test]
#[ignore = "long: every number of tokens for every shape of heads"]
fn every_shape_of_heads_with_every_number_of_tokens() {
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let rows = shapes.flat_map(|(heads, a)| CACHES.map(|cache| (heads, a, cache)));
    check::all(rows.flat_map(|(heads, a, cache)| TOKENS.map(|t| Heads::new(heads, a, cache, t).row())));
}

#[test]
fn heads_may_stay_as_they_are_and_neighbours_may_turn() {
    let ways = [(false, Some(Pairs::Halves)), (false, Some(Pairs::Neighbours)), (false, None)];
    let ways = ways.into_iter().chain([(true, Some(Pairs::Neighbours)), (true, None)]);
    let rows = ways.flat_map(|way| CACHES.map(|cache| (way, cache)));
    check::all(rows.flat_map(|((is_normed, pairs), cache)| {
        [2, 62, 64, 128].map(|a| Heads { is_normed, pairs, ..Heads::new([6, 2], a, cache, 5) }.row())
    }));
}

#[test]
fn keys_and_values_go_to_the_run_s_positions_alone() {
    let places: [(usize, &[usize]); 4] = [(7, &[5]), (128, &[1]), (30, &[1, 2, 3]), (96, &[33])];
    let spec = |(position, runs): (usize, &[usize]), cache| Heads {
        position,
        runs: runs.to_vec(),
        capacity: 129,
        plans: vec![33, 1],
        ..Heads::new([4, 2], 64, cache, 33)
    };
    check::all(CACHES.iter().flat_map(|cache| places.map(|place| spec(place, *cache).row())));
}

#[test]
fn a_run_may_have_fewer_tokens_than_the_plan() {
    let spec = |cache| Heads { runs: vec![33, 1, 5, 31], capacity: 70, ..Heads::new([6, 2], 32, cache, 33) };
    check::all(CACHES.map(|cache| spec(cache).row()));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert!(record(6, 30, DType::F16).is_ok());
    // Five of a head's six columns: no whole number of heads.
    assert!(matches!(record(6, 29, DType::F32), Err(PlanError::Shape { .. })));
    assert!(matches!(record(5, 25, DType::F32), Err(PlanError::Parameter { .. })));
    assert!(matches!(record(6, 30, DType::BF16), Err(PlanError::DType { .. })));
}

/// One key/value head of `head_size`, and `qkv` of `width` columns.
fn record(head_size: usize, width: usize, cache: DType) -> Result<(), PlanError> {
    let mut r = Recorder::new("bad", 2);
    let qkv = r.scratch("qkv", Shape::matrix(2, width));
    let q = r.scratch("q", Shape::matrix(2, width.saturating_sub(2 * head_size)));
    let norm = r.weight(WeightId(0), "norm", Shape::vector(head_size), DType::F32);
    let rope = r.weight(WeightId(1), "rope", Shape::matrix(9, head_size), DType::F32);
    let [keys, values] = ["keys", "values"].map(|label| {
        let shape = Shape::cube(1, 9, head_size);
        let spec = StateSpec { label: label.to_owned(), shape, dtype: cache, kind: StateKind::PerToken };
        r.state(StateId(u32::from(label == "values")), &spec)
    });
    let norms = Some(Norms { q: norm, k: norm, eps: EPS });
    let turn = Some(Turn { table: rope, pairs: Pairs::Halves });
    r.rope_kv(Args { qkv, norms, turn, q, keys, values })
}
