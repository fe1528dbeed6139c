//! `attention`: over caches short and long, filled run by run, with one to eight query heads for each key/value head, over all
//! positions or a window of them, with scores that are bounded or not.

mod batch;
mod long;

use hala_plan::ops::attention::Args;
use hala_plan::{PAGE, PlanError, Recorder, StateId, StateKind, StateSpec};
use hala_tensor::{DType, Shape};
use hala_tests::case::{Case, Read};
use hala_tests::check::{self, Expected, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::{self, F16_ATTENTION, PLAIN};

use crate::TOKENS;
use crate::heads::{CACHES, Data, HEAD_SIZES, Heads, RATIOS, Turned, alone};

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

/// Which runs compute attention, and what pages hold before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    /// Those on plans of at most so many tokens; others fill the cache alone: what sees a long cache is quick, and what fills it is not.
    most: usize,
    /// Whether pages hold NaN when they are given out.
    is_poisoned: bool,
}

impl Way {
    const EVERY: Self = Self { most: usize::MAX, is_poisoned: false };

    fn up_to(most: usize) -> Self {
        Self { most, ..Self::EVERY }
    }
}

fn row(heads: &Heads, scores: Scores) -> Row {
    row_of(heads, scores, Way::EVERY)
}

/// As [`row`], and only single tokens look at what the other runs have left.
fn row_of_tokens(heads: &Heads, scores: Scores) -> Row {
    row_of(heads, scores, Way::up_to(1))
}

fn row_of(heads: &Heads, scores: Scores, way: Way) -> Row {
    let mut case = Case::new(&format!("attention {heads:?} {scores:?} {way:?}"));
    let mut rng = Rng::new(&case.name);
    let data = Data::new(heads, &mut rng);
    let ids = data.declare(heads, &mut case, scores.window);
    for n_tokens in &heads.plans {
        case.plan(*n_tokens, |r| {
            let turned = ids.record(heads, r);
            if *n_tokens > way.most {
                return;
            }
            let y = r.output("y", heads.q_width());
            let (q, keys, values, n_positions) = (turned.q, turned.keys, turned.values, heads.n_positions);
            let Scores { scale, softcap, window } = scores;
            r.recorder.add(Args { q, keys, values, y, n_positions, scale, softcap, window }).unwrap();
            r.read(y, tolerances::attention(heads.cache));
        });
    }
    if way.is_poisoned {
        ids.poison(heads, &mut case, heads.n_sequences());
    }
    let mut expected: Expected = vec![vec![]; case.runs().count()];
    let tokens = heads.add_runs(&mut case, &mut rng);
    let turned: Vec<Turned> = tokens.iter().map(|ids| data.formula(heads, ids)).collect();
    for (spans, (recorded, _)) in heads.spans().iter().zip(case.runs().skip(expected.len())) {
        let of_span = |(sequence, start, end): &(usize, usize, usize)| -> Vec<f64> {
            (*start..*end).flat_map(|t| attend(heads, &turned[*sequence], t, scores)).collect()
        };
        let of = |_: &Read| spans.iter().flat_map(of_span).collect();
        expected.push(recorded.reads.iter().map(of).collect());
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
        let mine = group * a..(group + 1) * a;
        let dot = |k: &[f64]| k.iter().zip(q).map(|(k, q)| k * q).sum::<f64>() * f64::from(scores.scale);
        let keys = turned.keys[seen.clone()].iter().map(|row| &row[mine.clone()]);
        let scores: Vec<f64> = keys.map(|k| capped(dot(k))).collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
        let total: f64 = shares.iter().sum();
        let mut sums = vec![0.0; a];
        for (share, v) in shares.iter().zip(&turned.values[seen.clone()]) {
            sums.iter_mut().zip(&v[mine.clone()]).for_each(|(sum, v)| *sum += share / total * v);
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
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let specs = shapes.enumerate().flat_map(|(i, (heads, a))| {
        // Each shape with one token and two other numbers in turn, and with one kind of cache in turn.
        let turn = i + i / RATIOS.len();
        [1, TOKENS[turn % 8], TOKENS[(turn + 3) % 8]].map(|t| Heads::new(heads, a, CACHES[turn % 2], t))
    });
    let all_tokens = CACHES.iter().flat_map(|cache| TOKENS.map(|t| Heads::new([6, 2], 64, *cache, t)));
    check::all(specs.chain(all_tokens).map(|heads| row(&heads, scale(&heads))));
}

#[test]
fn the_cache_is_filled_run_by_run() {
    let splits: [&[usize]; 5] =
        [&[1; 9], &[5, 1, 1, 1], &[33, 31, 1, 1], &[1, 2, 3, 5, 31], &[33, 33, 33, 30]];
    let mut rows = Vec::new();
    for (runs, cache) in splits.iter().flat_map(|runs| CACHES.map(|cache| (runs, cache))) {
        for (head_size, plans) in [(64, vec![33]), (64, vec![33, 1]), (24, vec![5, 33, 1])] {
            // The positions are what the runs fill, to the last.
            let (runs, n_positions) = (alone(runs), runs.iter().sum());
            let heads = Heads { runs, n_positions, plans, ..Heads::new([6, 2], head_size, cache, 33) };
            rows.push(row(&heads, scale(&heads)));
        }
    }
    check::all(rows);
}

#[test]
fn a_long_cache_is_seen_to_its_start() {
    let prompt = long_cache([3, 1], 16, DType::F16, &[545, 1]);
    let pieces = long_cache([2, 1], 64, DType::F16, &[512, 512, 1, 5, 1]);
    check::all([
        row(&prompt, scale(&prompt)),
        // A short run and single tokens see more than a thousand positions.
        row_of(&pieces, scale(&pieces), Way::up_to(5)),
    ]);
}

/// Runs that leave some of a cache empty, on plans for one token, for the short ones and for the longest.
fn long_cache(heads: [usize; 2], head_size: usize, cache: DType, runs: &[usize]) -> Heads {
    let (n_positions, plans) = (runs.iter().sum::<usize>() + 9, vec![1, 5, runs[0]]);
    Heads { n_positions, runs: alone(runs), plans, ..Heads::new(heads, head_size, cache, 1) }
}

/// A prompt in two runs, then one token, that fill the cache.
fn filled(n_seen: usize, heads: [usize; 2], head_size: usize, cache: DType) -> Heads {
    let runs = match n_seen {
        1 => vec![1],
        n => vec![n / 3, n - n / 3 - 1, 1],
    };
    let plans = vec![n_seen.max(4) - 1, n_seen / 3 + 1, 1];
    Heads { runs: alone(&runs), plans, n_positions: n_seen, ..Heads::new(heads, head_size, cache, 1) }
}

/// Attention of all those runs.
fn until(n_seen: usize, heads: [usize; 2], head_size: usize, cache: DType) -> Row {
    let heads = filled(n_seen, heads, head_size, cache);
    row(&heads, scale(&heads))
}

/// Attention of the last token alone.
fn at_the_end(n_seen: usize, heads: [usize; 2], head_size: usize, cache: DType) -> Row {
    let heads = filled(n_seen, heads, head_size, cache);
    row_of_tokens(&heads, scale(&heads))
}

/// H and K, with one to eight query heads for each key/value head.
const GROUPS: [[usize; 2]; 6] = [[2, 2], [4, 2], [6, 2], [4, 1], [5, 1], [8, 1]];

#[test]
fn groups_of_heads_around_the_ends_of_tiles() {
    let specs = GROUPS.iter().flat_map(|heads| [1, 17, 63, 64, 65].map(|n| (n, *heads)));
    // With an odd number of lengths, each group meets both kinds of cache at each length of the next.
    let specs = specs.enumerate().map(|(i, (n, heads))| until(n, heads, 64, CACHES[i % 2]));
    check::all(specs.chain(CACHES.map(|cache| until(257, [5, 1], 64, cache))));
}

#[test]
fn groups_of_heads_around_the_length_that_is_split() {
    let specs = [(511, [3, 1]), (512, [2, 1]), (513, [3, 1]), (769, [1, 1]), (1100, [4, 1])];
    check::all(specs.map(|(n, heads)| at_the_end(n, heads, 64, CACHES[n % 2])));
    check::all(GROUPS.map(|heads| at_the_end(520, heads, 8, DType::F16)));
}

#[test]
fn every_size_of_head_in_caches_short_and_long() {
    let sizes = [8, 16, 32, 40, 60, 80, 128, 256];
    check::all(
        sizes.iter().enumerate().map(|(i, a)| until(40 + 90 * (i % 2), [2, 1], *a, CACHES[i / 2 % 2])),
    );
    check::all(sizes.iter().flat_map(|a| CACHES.map(|cache| at_the_end(520, [2, 1], *a, cache))));
}

#[test]
fn a_window_hides_what_is_further_back() {
    let windows = [1, 2, 15, 16, 17, 63, 64, 65, 119, 120, 121];
    let ratios = [[2, 2], [6, 2], [5, 1]];
    let sizes = [(64, DType::F32), (128, DType::F16), (6, DType::F32)];
    let specs = windows
        .iter()
        .enumerate()
        .flat_map(|(i, window)| [0, 1, 2].map(|j| (*window, ratios[(i + j) % 3], sizes[j])));
    check::all(specs.map(|(window, ratio, (head_size, cache))| {
        let heads = filled(120, ratio, head_size, cache);
        row(&heads, Scores { window: Some(window), ..scale(&heads) })
    }));
}

/// Windows that begin within and between the parts that a long cache is seen in.
const LONG_WINDOWS: [u32; 9] = [1, 13, 255, 256, 257, 300, 511, 600, 777];

#[test]
fn a_window_begins_within_and_between_the_parts_of_a_long_cache() {
    check::all(LONG_WINDOWS.iter().flat_map(|window| {
        [(777, [4, 1], 64), (770, [2, 1], 16), (1025, [3, 1], 256)].map(|(n, ratio, head_size)| {
            let heads = filled(n, ratio, head_size, CACHES[n % 2]);
            row_of_tokens(&heads, Scores { window: Some(*window), ..scale(&heads) })
        })
    }));
}

/// Bounds of scores, each with a scale.
const CAPS: [(f32, f32); 4] = [(0.5, 1.0), (5.0, 0.3), (50.0, 0.25), (50.0, 1e-3)];

#[test]
fn scores_may_be_bounded() {
    let specs = CAPS.iter().flat_map(|cap| [None, Some(40)].map(|window| (*cap, window)));
    check::all(specs.flat_map(|((cap, scale), window)| {
        let scores = Scores { scale, softcap: Some(cap), window };
        [
            row(&filled(65, [4, 2], 64, DType::F32), scores),
            row(&filled(70, [2, 1], 128, DType::F32), scores),
            row_of_tokens(&filled(520, [3, 1], 16, DType::F32), scores),
        ]
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
        let q = r.scratch("q", Shape::matrix(2, n_heads * 6), DType::F32);
        let y = r.scratch("y", Shape::matrix(2, y), DType::F32);
        let [keys, values] = [0, 1].map(|id| {
            let (label, shape) = (format!("state {id}"), Shape::cube(2, PAGE, 6));
            let kind = StateKind::Paged { table: 0 };
            r.state(StateId(id), &StateSpec { label, shape, dtype: cache, kind })
        });
        r.add(Args { q, keys, values, y, n_positions: 9, scale: 1.0, softcap, window })
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
