//! `rope_kv`: queries and keys normalised and turned, or not, keys and values at their place in the cache.

use hala_plan::ops::rope_kv::{Args, Norms, Pairs, Turn};
use hala_plan::{PAGE, PlanError, Recorder, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Expected, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::{self, F16_CELL, F32_SUMS, PLAIN};

use crate::heads::{CACHES, Data, HEAD_SIZES, Heads, RATIOS, Turned, alone, batches};
use crate::{EPS, TOKENS};

fn row(heads: &Heads) -> Row {
    let mut case = Case::new(&format!("rope_kv {heads:?}"));
    let mut rng = Rng::new(&case.name);
    let data = Data::new(heads, &mut rng);
    let ids = data.declare(heads, &mut case, None);
    for n_tokens in &heads.plans {
        case.plan(*n_tokens, |r| {
            let args = ids.record(heads, r);
            r.read(args.q, F32_SUMS);
            r.read(args.keys, tolerances::cache(heads.cache));
            r.read(args.values, tolerances::cache(heads.cache));
        });
    }
    let tokens = heads.add_runs(&mut case, &mut rng);
    let turned: Vec<Turned> = tokens.iter().map(|ids| data.formula(heads, ids)).collect();
    let run = |spans: &Vec<(usize, usize, usize)>| {
        let q = spans.iter().flat_map(|(s, start, end)| turned[*s].q[*start..*end].concat());
        let cells = |rows: &dyn Fn(&Turned) -> &Vec<Vec<f64>>| {
            spans.iter().flat_map(|(s, _, end)| cells_of(heads, &rows(&turned[*s])[..*end])).collect()
        };
        vec![q.collect(), cells(&|turned| &turned.keys), cells(&|turned| &turned.values)]
    };
    let expected: Expected = heads.spans().iter().map(run).collect();
    // A cell of f16 may be rounded the other way.
    let plain = if heads.cache == DType::F16 { F16_CELL } else { PLAIN };
    Row { plain, ..Row::new(case, expected) }
}

/// A sequence's pages `[S / PAGE, K, PAGE, A]` after these rows; elsewhere zeros.
fn cells_of(heads: &Heads, rows: &[Vec<f64>]) -> Vec<f64> {
    let (k, a) = (heads.n_kv_heads, heads.head_size);
    let n_pages = (heads.position + rows.len()).div_ceil(PAGE);
    let mut cells = vec![0.0; n_pages * k * PAGE * a];
    for (position, row) in (heads.position..).zip(rows) {
        for (head, values) in row.chunks_exact(a).enumerate() {
            let entry = (position / PAGE * k + head) * PAGE + position % PAGE;
            cells[entry * a..][..a].copy_from_slice(values);
        }
    }
    cells
}

#[test]
fn odd_heads_in_both_kinds_of_cache() {
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let rows = shapes.enumerate().flat_map(|(i, (heads, a))| {
        // Each shape with one token and another number of them in turn, and with one kind of cache in turn.
        [1, TOKENS[1 + i % 7]].map(|t| Heads::new(heads, a, CACHES[(i + i / RATIOS.len()) % 2], t))
    });
    check::all(rows.map(|heads| row(&heads)));
}

#[test]
#[ignore = "long: every number of tokens for every shape of heads"]
fn every_shape_of_heads_with_every_number_of_tokens() {
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let rows = shapes.flat_map(|(heads, a)| CACHES.map(|cache| (heads, a, cache)));
    check::all(rows.flat_map(|(heads, a, cache)| TOKENS.map(|t| row(&Heads::new(heads, a, cache, t)))));
}

#[test]
fn heads_may_stay_as_they_are_and_neighbours_may_turn() {
    let ways = [(false, Some(Pairs::Halves)), (false, Some(Pairs::Neighbours)), (false, None)];
    let ways = ways.into_iter().chain([(true, Some(Pairs::Neighbours)), (true, None)]);
    let rows = ways.flat_map(|way| CACHES.map(|cache| (way, cache)));
    check::all(rows.flat_map(|((is_normed, pairs), cache)| {
        [2, 62, 64, 128].map(|a| row(&Heads { is_normed, pairs, ..Heads::new([6, 2], a, cache, 5) }))
    }));
}

#[test]
fn keys_and_values_go_to_the_run_s_positions_alone() {
    let places: [(usize, &[usize]); 4] = [(7, &[5]), (128, &[1]), (30, &[1, 2, 3]), (96, &[33])];
    let spec = |(position, runs): (usize, &[usize]), cache| Heads {
        position,
        runs: alone(runs),
        n_positions: 129,
        plans: vec![33, 1],
        ..Heads::new([4, 2], 64, cache, 33)
    };
    check::all(CACHES.iter().flat_map(|cache| places.map(|place| row(&spec(place, *cache)))));
}

#[test]
fn a_run_may_have_fewer_tokens_than_the_plan() {
    let runs = alone(&[33, 1, 5, 31]);
    let spec = |cache| Heads { runs: runs.clone(), n_positions: 70, ..Heads::new([6, 2], 32, cache, 33) };
    check::all(CACHES.map(|cache| row(&spec(cache))));
}

#[test]
fn each_row_goes_to_its_own_sequence() {
    let sizes = [(2, Pairs::Halves), (62, Pairs::Neighbours), (64, Pairs::Halves), (128, Pairs::Neighbours)];
    let specs = sizes.iter().flat_map(|size| CACHES.map(|cache| (*size, cache)));
    check::all(specs.map(|((head_size, pairs), cache)| {
        let (pairs, plans) = (Some(pairs), vec![4, 109]);
        let heads = Heads::new([4, 2], head_size, cache, 109);
        row(&Heads { pairs, runs: batches(), plans, n_positions: 75, ..heads })
    }));
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
    let qkv = r.scratch("qkv", Shape::matrix(2, width), DType::F32);
    let q = r.scratch("q", Shape::matrix(2, width.saturating_sub(2 * head_size)), DType::F32);
    let norm = r.weight(WeightId(0), "norm", Shape::vector(head_size), DType::F32);
    let rope = r.weight(WeightId(1), "rope", Shape::matrix(9, head_size), DType::F32);
    let [keys, values] = ["keys", "values"].map(|label| {
        let (shape, kind) = (Shape::cube(1, PAGE, head_size), StateKind::Paged { table: 0 });
        let spec = StateSpec { label: label.to_owned(), shape, dtype: cache, kind };
        r.state(StateId(u32::from(label == "values")), &spec)
    });
    let norms = Some(Norms { q: norm, k: norm, eps: EPS });
    let turn = Some(Turn { table: rope, pairs: Pairs::Halves });
    r.add(Args { qkv, norms, turn, q, keys, values, n_positions: 9 })
}
