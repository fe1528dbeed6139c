//! `attention`: over caches short and long, filled run by run, with one to eight query heads for each key/value head, over all
//! positions or a window of them, with scores that are bounded or not.

use hala_plan::ops::attention::Args;
use hala_plan::{PlanError, Recorder, StateId, StateKind, StateSpec};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Expected, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::{self, F16_ATTENTION, PLAIN};

use crate::TOKENS;
use crate::rope_kv::{CACHES, Data, Heads, RATIOS, Turned};

/// How scores are computed, and which.
#[derive(Debug, Clone, Copy)]
struct Scores {
    scale: f32,
    softcap: Option<f32>,
    window: Option<u32>,
}

/// All of them, without a bound.
fn scaled(scale: f32) -> Scores {
    Scores { scale, softcap: None, window: None }
}

fn row(heads: &Heads, scores: Scores) -> Row {
    let mut case = Case::new(&format!("attention {heads:?} {scores:?}"));
    let mut rng = Rng::new(&case.name);
    let data = Data::new(heads, &mut rng);
    let ids = data.declare(heads, &mut case);
    for n_tokens in &heads.plans {
        case.plan(*n_tokens, |r| {
            let turned = ids.record(heads, r);
            let y = r.output("y", heads.q_width());
            let (q, keys, values) = (turned.q, turned.keys, turned.values);
            let Scores { scale, softcap, window } = scores;
            r.recorder.attention(Args { q, keys, values, y, scale, softcap, window }).unwrap();
            r.read(y, tolerances::attention(heads.cache));
        });
    }
    let tokens = heads.add_runs(&mut case, &mut rng);
    let turned = data.formula(heads, &tokens);
    let mut expected: Expected = Vec::new();
    let mut end = 0;
    for n in &heads.runs {
        let start = end;
        end += n;
        expected.push(vec![(start..end).flat_map(|t| attend(heads, &turned, t, scores)).collect()]);
    }
    let plain = if heads.cache == DType::F16 { F16_ATTENTION } else { PLAIN };
    Row { plain, ..Row::new(case, expected) }
}

/// All heads of token `t`, over the tokens up to it that are in its window.
fn attend(heads: &Heads, turned: &Turned, t: usize, scores: Scores) -> Vec<f64> {
    let seen = scores.window.map_or(0, |window| (t + 1).saturating_sub(window as usize))..t + 1;
    let capped = |z: f64| scores.softcap.map(f64::from).map_or(z, |cap| cap * (z / cap).tanh());
    let a = heads.head_size;
    let mut y = Vec::with_capacity(heads.q_width());
    for (h, q) in turned.q[t].chunks_exact(a).enumerate() {
        let group = h / (heads.n_heads / heads.n_kv_heads);
        let of = |row: &Vec<f64>| row[group * a..][..a].to_vec();
        let dot = |k: Vec<f64>| k.iter().zip(q).map(|(k, q)| k * q).sum::<f64>() * f64::from(scores.scale);
        let scores: Vec<f64> = turned.keys[seen.clone()].iter().map(|k| capped(dot(of(k)))).collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
        let total: f64 = shares.iter().sum();
        let mut sums = vec![0.0; a];
        for (share, v) in shares.iter().zip(&turned.values[seen.clone()]) {
            sums.iter_mut().zip(of(v)).for_each(|(sum, v)| *sum += share / total * v);
        }
        y.extend(sums);
    }
    y
}

/// The usual scale.
fn scale(heads: &Heads) -> Scores {
    scaled(1.0 / (heads.head_size as f32).sqrt())
}

#[test]
fn odd_heads_in_both_kinds_of_cache() {
    let shapes = [2, 6, 24, 62, 64, 66, 128].iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let specs = shapes.flat_map(|(heads, a)| CACHES.map(|cache| (heads, a, cache)));
    let specs = specs.flat_map(|(heads, a, cache)| TOKENS.map(|t| Heads::new(heads, a, cache, t)));
    check::all(specs.map(|heads| row(&heads, scale(&heads))));
}

#[test]
fn the_cache_is_filled_run_by_run() {
    let splits: [&[usize]; 5] =
        [&[1; 9], &[5, 1, 1, 1], &[33, 31, 1, 1], &[1, 2, 3, 5, 31], &[33, 33, 33, 30]];
    let mut rows = Vec::new();
    for (runs, cache) in splits.iter().flat_map(|runs| CACHES.map(|cache| (runs, cache))) {
        for (head_size, plans) in [(64, vec![33]), (64, vec![33, 1]), (24, vec![5, 33, 1])] {
            // The capacity is what the runs fill, to the last position.
            let (runs, capacity) = (runs.to_vec(), runs.iter().sum());
            let heads = Heads { runs, capacity, plans, ..Heads::new([6, 2], head_size, cache, 33) };
            rows.push(row(&heads, scale(&heads)));
        }
    }
    check::all(rows);
}

#[test]
fn a_long_cache_is_seen_to_its_start() {
    let (prefill, pieces) = (vec![1025, 1], vec![512, 512, 1, 5, 1]);
    let specs = [
        ([3, 1], 16, DType::F32, &prefill),
        ([3, 1], 16, DType::F16, &prefill),
        ([2, 1], 64, DType::F16, &pieces),
    ];
    check::all(specs.map(|(heads, head_size, cache, runs)| {
        let (runs, plans) = (runs.clone(), vec![1, runs[0]]);
        let heads = Heads { runs, plans, capacity: 1040, ..Heads::new(heads, head_size, cache, 1) };
        row(&heads, scale(&heads))
    }));
}

/// A prompt in two runs, then one token, that fill the cache.
fn until(n_seen: usize, heads: [usize; 2], head_size: usize, cache: DType) -> Row {
    let heads = filled(n_seen, heads, head_size, cache);
    row(&heads, scale(&heads))
}

/// Those runs.
fn filled(n_seen: usize, heads: [usize; 2], head_size: usize, cache: DType) -> Heads {
    let runs = match n_seen {
        1 => vec![1],
        n => vec![n / 3, n - n / 3 - 1, 1],
    };
    let plans = vec![n_seen.max(4) - 1, n_seen / 3 + 1, 1];
    Heads { runs, plans, capacity: n_seen, ..Heads::new(heads, head_size, cache, 1) }
}

/// H and K, with one to eight query heads for each key/value head.
const GROUPS: [[usize; 2]; 6] = [[2, 2], [4, 2], [6, 2], [4, 1], [5, 1], [8, 1]];

#[test]
fn groups_of_heads_around_the_ends_of_tiles() {
    let lengths = [1, 17, 63, 64, 65, 257].iter().flat_map(|n| GROUPS.map(|heads| (*n, heads)));
    let specs = lengths.flat_map(|(n, heads)| CACHES.map(|cache| (n, heads, cache)));
    check::all(specs.map(|(n, heads, cache)| until(n, heads, 64, cache)));
}

#[test]
fn groups_of_heads_around_the_length_that_is_split() {
    let specs = [(511, [3, 1]), (512, [2, 1]), (513, [3, 1]), (769, [1, 1]), (1100, [4, 1])];
    check::all(specs.map(|(n, heads)| until(n, heads, 64, CACHES[n % 2])));
    check::all(GROUPS.map(|heads| until(520, heads, 8, DType::F16)));
}

#[test]
fn every_size_of_head_in_caches_short_and_long() {
    let specs = [8, 16, 32, 40, 60, 80, 128, 256].iter().flat_map(|a| [40, 300].map(|n| (n, *a)));
    let specs = specs.chain([(520, 80), (520, 256)]);
    check::all(specs.flat_map(|(n, a)| CACHES.map(|cache| until(n, [2, 1], a, cache))));
}

#[test]
fn a_window_hides_what_is_further_back() {
    let windows = [1, 2, 15, 16, 17, 63, 64, 65, 129, 299, 300, 301].into_iter();
    let specs = windows.flat_map(|window| [[2, 2], [6, 2], [5, 1]].map(|heads| (window, heads)));
    check::all(specs.flat_map(|(window, ratio)| {
        [(64, DType::F32), (128, DType::F16), (6, DType::F32)].map(|(head_size, cache)| {
            let heads = filled(300, ratio, head_size, cache);
            row(&heads, Scores { window: Some(window), ..scale(&heads) })
        })
    }));
}

#[test]
fn a_window_begins_within_and_between_the_parts_of_a_long_cache() {
    let windows = [1, 13, 255, 256, 257, 300, 511, 600, 777].iter();
    check::all(windows.flat_map(|window| {
        [(777, [4, 1], 64), (770, [2, 1], 16), (1025, [3, 1], 256)].map(|(n, ratio, head_size)| {
            let heads = filled(n, ratio, head_size, CACHES[n % 2]);
            row(&heads, Scores { window: Some(*window), ..scale(&heads) })
        })
    }));
}

#[test]
fn scores_may_be_bounded() {
    let caps = [(0.5, 1.0), (5.0, 0.3), (50.0, 0.25), (50.0, 1e-3)].into_iter();
    let specs = caps.flat_map(|cap| [None, Some(40)].map(|window| (cap, window)));
    check::all(specs.flat_map(|((cap, scale), window)| {
        [(65, [4, 2], 64), (300, [2, 1], 128), (520, [3, 1], 16)].map(|(n, ratio, head_size)| {
            let heads = filled(n, ratio, head_size, DType::F32);
            row(&heads, Scores { scale, softcap: Some(cap), window })
        })
    }));
}

#[test]
fn sharp_and_flat_scores() {
    // A scale of 8 gives scores in the hundreds, whose exponentials are beyond f32 unless the largest is taken off
    // first; with 0 all positions have the same share. Sharp scores magnify what f16 rounds, so those caches are left out.
    let specs = [2, 64].map(|a| Heads::new([4, 2], a, DType::F32, 33));
    check::all(specs.iter().flat_map(|heads| [0.0, 0.01, 1.0].map(|scale| row(heads, scaled(scale)))));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record_with = |n_heads: usize, y: usize, cache: DType, softcap, window| {
        let mut r = Recorder::new("bad", 2);
        let q = r.scratch("q", Shape::matrix(2, n_heads * 6));
        let y = r.scratch("y", Shape::matrix(2, y));
        let [keys, values] = [0, 1].map(|id| {
            let (label, shape) = (format!("state {id}"), Shape::cube(2, 9, 6));
            r.state(StateId(id), &StateSpec { label, shape, dtype: cache, kind: StateKind::PerToken })
        });
        r.attention(Args { q, keys, values, y, scale: 1.0, softcap, window })
    };
    let record = |n_heads, y, cache| record_with(n_heads, y, cache, None, None);
    assert!(record(4, 24, DType::F32).is_ok());
    assert!(matches!(record(3, 18, DType::F32), Err(PlanError::Parameter { .. })));
    assert!(matches!(record(4, 18, DType::F32), Err(PlanError::Shape { .. })));
    assert!(matches!(record(4, 24, DType::E4M3), Err(PlanError::DType { .. })));
    for (softcap, window) in [(Some(0.0), None), (Some(f32::NAN), None), (Some(-1.0), None), (None, Some(0))]
    {
        let refused = record_with(4, 24, DType::F32, softcap, window);
        assert!(matches!(refused, Err(PlanError::Parameter { .. })), "{softcap:?} {window:?}: {refused:?}");
    }
}
