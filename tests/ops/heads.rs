//! Heads, their caches and the runs that fill them, which `rope_kv` and `attention` are tested on.

use hala_plan::ops::rope_kv::{Args, Norms, Pairs, Turn};
use hala_plan::{PAGE, StateId, WeightId};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::case::{Action, Case, Part, Recording};
use hala_tests::random::{Rng, float, vector};
use half::f16;

use crate::EPS;
use crate::formulas::{gather, rms_norm};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// Heads, cache and runs.
#[derive(Debug, Clone)]
pub(crate) struct Heads {
    /// H.
    pub(crate) n_heads: usize,
    /// K.
    pub(crate) n_kv_heads: usize,
    /// A.
    pub(crate) head_size: usize,
    /// S.
    pub(crate) n_positions: usize,
    /// f32 or f16.
    pub(crate) cache: DType,
    /// T of each plan; a run takes the smallest that holds it.
    pub(crate) plans: Vec<usize>,
    /// Position of each sequence's first row.
    pub(crate) position: usize,
    /// Which sequences each run has, and how many rows of each.
    pub(crate) runs: Vec<Vec<(usize, usize)>>,
    /// Whether heads are normalised.
    pub(crate) is_normed: bool,
    /// What turns together, if anything does.
    pub(crate) pairs: Option<Pairs>,
}

/// Runs of one sequence, of so many rows each.
pub(crate) fn alone(runs: &[usize]) -> Vec<Vec<(usize, usize)>> {
    runs.iter().map(|n| vec![(0, *n)]).collect()
}

impl Heads {
    /// One run from the start of a cache with room for a little more.
    pub(crate) fn new(heads: [usize; 2], head_size: usize, cache: DType, n_tokens: usize) -> Self {
        let [n_heads, n_kv_heads] = heads;
        Self {
            n_heads,
            n_kv_heads,
            head_size,
            n_positions: n_tokens + 3,
            cache,
            plans: vec![n_tokens],
            position: 0,
            runs: alone(&[n_tokens]),
            is_normed: true,
            pairs: Some(Pairs::Halves),
        }
    }

    /// `(H + 2K)·A`
    fn width(&self) -> usize {
        (self.n_heads + 2 * self.n_kv_heads) * self.head_size
    }

    /// Columns of the queries, `H·A`.
    pub(crate) fn q_width(&self) -> usize {
        self.n_heads * self.head_size
    }

    /// Sequences in all runs.
    pub(crate) fn n_sequences(&self) -> usize {
        self.runs.iter().flatten().map(|(sequence, _)| sequence + 1).max().unwrap()
    }

    /// Adds every run, each on the smallest plan that holds it; returns the ids of each sequence.
    pub(crate) fn add_runs(&self, case: &mut Case, rng: &mut Rng) -> Vec<Vec<u32>> {
        let mut ids: Vec<Vec<u32>> = vec![Vec::new(); self.n_sequences()];
        for run in &self.runs {
            let n_rows = run.iter().map(|(_, n)| n).sum();
            let fitting = (0..self.plans.len()).filter(|plan| self.plans[*plan] >= n_rows);
            let plan = fitting.min_by_key(|plan| self.plans[*plan]).unwrap();
            let parts = run.iter().map(|(sequence, n)| {
                let (new, seen) = (rng.ids(*n, N_INPUTS), &mut ids[*sequence]);
                let position = self.position + seen.len();
                seen.extend(&new);
                Part { sequence: *sequence, ids: new, position }
            });
            case.run_parts(plan, parts.collect());
        }
        ids
    }

    /// The runs as spans of each sequence's rows: which sequence, the first and the end.
    pub(crate) fn spans(&self) -> Vec<Vec<(usize, usize, usize)>> {
        let mut ends = vec![0; self.n_sequences()];
        let mut span = |(sequence, n): &(usize, usize)| {
            let start = ends[*sequence];
            ends[*sequence] += n;
            (*sequence, start, start + n)
        };
        self.runs.iter().map(|run| run.iter().map(&mut span).collect()).collect()
    }
}

/// Prompts of several lengths side by side, some beside sequences that decode, then sequences that decode; one comes late.
pub(crate) fn batches() -> Vec<Vec<(usize, usize)>> {
    vec![
        vec![(0, 70), (1, 5), (2, 1), (3, 33)],
        vec![(2, 1), (1, 60), (0, 1), (3, 30)],
        vec![(3, 1), (2, 1), (1, 1), (0, 1)],
        vec![(0, 3), (4, 17), (1, 1)],
        vec![(4, 1), (1, 1)],
    ]
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
    /// `[1, (H + 2K)·A]`: NaN.
    poison: WeightId,
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
            rope: angles(heads.n_positions, heads.head_size),
        }
    }

    /// Declares the weights, and a cache whose pages behind the window are given back.
    pub(crate) fn declare(&self, heads: &Heads, case: &mut Case, window: Option<u32>) -> Ids {
        let table = case.table(window);
        let page = Shape::cube(heads.n_kv_heads, PAGE, heads.head_size);
        let rope = Shape::matrix(heads.n_positions, heads.head_size);
        let poison = float(Shape::matrix(1, heads.width()), vec![f32::NAN; heads.width()]);
        Ids {
            qkv: case.weight("inputs", &self.qkv),
            poison: case.weight("poison", &poison),
            q_norm: case.weight("q_norm", &vector(self.q_norm.clone())),
            k_norm: case.weight("k_norm", &vector(self.k_norm.clone())),
            rope: case.weight("rope", &float(rope, self.rope.clone())),
            keys: case.paged("keys", page, heads.cache, table),
            values: case.paged("values", page, heads.cache, table),
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
        self.record_of(heads, r, self.qkv)
    }

    fn record_of(&self, heads: &Heads, r: &mut Recording<'_>, table: WeightId) -> Args {
        let norms =
            heads.is_normed.then(|| Norms { q: r.weight(self.q_norm), k: r.weight(self.k_norm), eps: EPS });
        let turn = heads.pairs.map(|pairs| Turn { table: r.weight(self.rope), pairs });
        let args = Args {
            qkv: r.filled("qkv", table),
            norms,
            turn,
            q: r.output("q", heads.q_width()),
            keys: r.state(self.keys),
            values: r.state(self.values),
            n_positions: heads.n_positions,
        };
        r.recorder.add(args).unwrap();
        args
    }

    /// Fills pages for as many sequences with NaN, and gives them back, so that they are the next to be given out.
    pub(crate) fn poison(&self, heads: &Heads, case: &mut Case, n_sequences: usize) {
        let n = heads.n_positions;
        assert!(n.is_multiple_of(PAGE), "pages are filled to their end");
        let plan = case.plan(n, |r| {
            self.record_of(heads, r, self.poison);
        });
        let others = n_sequences..2 * n_sequences;
        for sequence in others.clone() {
            case.run_parts(plan, vec![Part { sequence, ids: vec![0; n], position: 0 }]);
        }
        others.for_each(|sequence| case.act(Action::Forget(sequence)));
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

/// Sizes of heads around what kernels take at once.
pub(crate) const HEAD_SIZES: [usize; 7] = [2, 6, 24, 62, 64, 66, 128];
