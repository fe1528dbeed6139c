//! `sample`: every backend chooses the token that the engine's sampler would, or declines where it may.

use hala_engine::{Sampler, Sampling};
use hala_plan::ops::sample::{Args, Choice, DECLINED, TokenSet};
use hala_plan::{BackendError, PlanError, Recorder};
use hala_tensor::{DType, Shape};
use hala_tests::backends::{self, N_AHEAD};
use hala_tests::case::Case;
use hala_tests::chain::Chain;
use hala_tests::random::{Rng, float};

/// Around the words of sets, the threads of a workgroup, and what models have.
const VOCABULARIES: [usize; 5] = [1, 31, 129, 1025, 65_536];

/// Rows of logits.
const N_ROWS: usize = 5;

/// Rows of a run, and draws in it from each row of logits and choice: alone, and beside rows that are chosen from in other ways.
const RUNS: [(usize, u64); 2] = [(1, 6), (8, 2)];

/// Rows of logits, and a plan that chooses from the row that its id names.
struct Rows {
    case: Case,
    n_vocab: usize,
    logits: Vec<f32>,
}

impl Rows {
    fn new(n_vocab: usize, logits: Vec<f32>) -> Self {
        Self::side_by_side(1, n_vocab, logits)
    }

    /// With a plan for `n_rows` rows.
    fn side_by_side(n_rows: usize, n_vocab: usize, logits: Vec<f32>) -> Self {
        let mut case = Case::new(&format!("sample of {n_vocab}"));
        let table = float(Shape::matrix(logits.len() / n_vocab, n_vocab), logits.clone());
        let table = case.weight("table", &table);
        case.plan(n_rows, |r| {
            let (logits, ids) = (r.filled("logits", table), r.ids());
            r.recorder.add(Args { logits, ids }).unwrap();
        });
        Self { case, n_vocab, logits }
    }

    /// Logits as a model's: most are unlikely.
    fn random(n_rows: usize, n_vocab: usize) -> Self {
        let logits = Rng::new(&format!("logits {n_vocab}")).normals(N_ROWS * n_vocab, 3.0);
        Self::side_by_side(n_rows, n_vocab, logits)
    }

    fn row(&self, row: u32) -> Vec<f32> {
        self.logits[row as usize * self.n_vocab..][..self.n_vocab].to_vec()
    }

    /// What every backend chooses, with its name, for as many chains at once as the plan has rows.
    fn chosen(&self, chains: &[Chain]) -> Vec<(String, Vec<u32>)> {
        let n_rows = self.case.plans()[0].plan.n_tokens();
        let queued: Vec<Vec<Chain>> = chains.chunks(n_rows).map(<[Chain]>::to_vec).collect();
        backends::all().map(|b| (b.name(), b.choose(&self.case, &queued).unwrap().concat())).collect()
    }

    /// One token from row 0 on every backend.
    fn one(&self, choice: Choice, banned: &[u32]) -> Vec<(String, Vec<u32>)> {
        let banned = TokenSet::of(self.n_vocab, banned.iter().copied());
        self.chosen(&[Chain { choice, banned, draws: vec![0.5], ..Chain::default() }])
    }
}

/// The first number that the engine draws from a seed: SplitMix64.
fn first_draw(seed: u64) -> f32 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((z >> 11) as f64 / (1u64 << 53) as f64) as f32
}

/// The engine's options as a device takes them.
fn choice(sampling: &Sampling) -> Choice {
    Choice {
        temperature: sampling.temperature,
        top_k: sampling.top_k as u32,
        top_p: sampling.top_p,
        min_p: sampling.min_p,
        repetition_penalty: sampling.repetition_penalty,
    }
}

/// Options, and whether a device may find its candidates too few.
fn samplings() -> Vec<(Sampling, bool)> {
    let warm = Sampling { temperature: 0.8, ..Sampling::default() };
    let all = Sampling { top_k: 60, top_p: 0.95, min_p: 0.02, repetition_penalty: 1.3, ..warm.clone() };
    vec![
        (Sampling::default(), false),
        (Sampling { repetition_penalty: 1.5, ..Sampling::default() }, false),
        (Sampling::conversation(), false),
        (Sampling { top_k: 1, ..warm.clone() }, false),
        (Sampling { top_k: 40, ..warm.clone() }, false),
        (Sampling { top_k: 40, top_p: 0.7, ..warm.clone() }, false),
        (Sampling { top_k: 40, temperature: 0.01, ..warm.clone() }, false),
        (Sampling { top_k: 100, temperature: 3.0, ..warm.clone() }, true),
        (Sampling { min_p: 0.1, ..warm.clone() }, false),
        (Sampling { min_p: 0.05, top_p: 0.9, ..warm.clone() }, true),
        (Sampling { top_p: 0.5, ..warm.clone() }, true),
        (Sampling { top_p: 0.9, temperature: 0.3, ..warm.clone() }, true),
        (all, false),
        (warm, true),
    ]
}

#[test]
fn every_backend_chooses_what_the_engine_s_sampler_does() {
    for (n_rows, n_seeds, n_vocab) in RUNS.iter().flat_map(|(n, seeds)| VOCABULARIES.map(|v| (*n, *seeds, v)))
    {
        let rows = Rows::random(n_rows, n_vocab);
        let (mut chains, mut expected) = (Vec::new(), Vec::new());
        let seen = |seed: u64| Rng::new(&format!("seen {seed}")).ids(20, rows.n_vocab);
        for (sampling, may_decline) in samplings() {
            for (seed, id) in (0..n_seeds).zip((0..rows.n_vocab.min(N_ROWS) as u32).cycle()) {
                let (sampling, seen) = (Sampling { seed, ..sampling.clone() }, seen(seed));
                let mut sampler = Sampler::new(sampling.clone()).unwrap();
                expected.push((sampler.sample(&mut rows.row(id), &seen, &[]).unwrap(), may_decline));
                let (choice, seen) = (choice(&sampling), TokenSet::of(rows.n_vocab, seen));
                chains.push(Chain { id, choice, seen, draws: vec![first_draw(seed)], ..Chain::default() });
            }
        }
        for (name, found) in rows.chosen(&chains) {
            let n_declined = found.iter().filter(|id| **id == DECLINED).count();
            println!("{name}: {} logits: {n_declined} of {} declined", rows.n_vocab, found.len());
            for ((chain, found), (expected, may_decline)) in chains.iter().zip(found).zip(&expected) {
                let is_right = found == *expected || (*may_decline && found == DECLINED);
                assert!(
                    is_right,
                    "{name}: {} logits: {found} for {expected}: {:?}",
                    rows.n_vocab, chain.choice
                );
            }
        }
    }
}

#[test]
fn nothing_is_declined_where_every_token_is_a_candidate() {
    let rows = Rows::random(1, 31);
    let choice = Choice { temperature: 2.0, ..Choice::GREEDY };
    for (name, found) in rows.one(choice, &[]) {
        assert!(found[0] < 31, "{name}");
    }
}

#[test]
fn banned_ids_are_never_chosen() {
    for n_vocab in [31, 129, 1025] {
        let rows = Rows::random(1, n_vocab);
        let last = n_vocab as u32 - 1;
        for left in [0, last / 2, last] {
            let banned: Vec<u32> = (0..=last).filter(|id| *id != left).collect();
            for temperature in [0.0, 5.0] {
                let choice = Choice { temperature, ..Choice::GREEDY };
                for (name, found) in rows.one(choice, &banned) {
                    assert_eq!(found, [left], "{name}: {n_vocab} logits at {temperature}");
                }
            }
        }
    }
}

#[test]
fn the_first_of_equals_is_chosen_and_zero_has_no_sign() {
    for n_vocab in [31, 129, 1025] {
        let mut logits = vec![-1.0; n_vocab];
        for (first, value) in [(n_vocab - 1, 0.0), (n_vocab / 2, -0.0), (n_vocab / 3, 0.0), (7, -0.0)] {
            logits[first] = value;
            for (name, found) in Rows::new(n_vocab, logits.clone()).one(Choice::GREEDY, &[]) {
                assert_eq!(found, [first as u32], "{name}: {n_vocab} logits");
            }
        }
    }
}

#[test]
fn logits_that_are_no_numbers_are_declined_unless_they_are_banned() {
    for odd in [f32::NAN, -f32::NAN, f32::INFINITY] {
        let mut logits = Rng::new("odd").normals(129, 1.0);
        logits[100] = odd;
        let rows = Rows::new(129, logits);
        for (name, found) in rows.one(Choice::GREEDY, &[]) {
            assert_eq!(found, [DECLINED], "{name}: {odd}");
        }
        for (name, found) in rows.one(Choice::GREEDY, &[100]) {
            assert!(found[0] < 129, "{name}: {odd}");
        }
    }
}

#[test]
fn where_nothing_can_be_chosen_greed_takes_the_first_and_a_draw_is_declined() {
    let rows = Rows::new(33, vec![f32::NEG_INFINITY; 33]);
    for (temperature, expected) in [(0.0, 0), (1.0, DECLINED)] {
        for (name, found) in rows.one(Choice { temperature, ..Choice::GREEDY }, &[]) {
            assert_eq!(found, [expected], "{name}");
        }
    }
}

#[test]
fn a_draw_from_too_many_candidates_is_right_or_declined() {
    let rows = Rows::new(1025, vec![1.0; 1025]);
    let expected = rows.one(Choice { temperature: 1.0, ..Choice::GREEDY }, &[])[0].1.clone();
    assert_eq!(expected, [512]);
    for (name, found) in rows.one(Choice { temperature: 1.0, ..Choice::GREEDY }, &[]) {
        assert!(found == expected || found == [DECLINED], "{name}: {found:?}");
    }
}

#[test]
fn a_chain_feeds_each_token_back_and_counts_it_as_seen() {
    const N: usize = 31;
    let rows = Rows::new(N, Rng::new("chain").normals(N * N, 1.0));
    let sampling =
        Sampling { temperature: 0.7, top_k: 9, repetition_penalty: 1.8, seed: 5, ..Sampling::default() };
    let mut sampler = Sampler::new(sampling.clone()).unwrap();
    let mut expected = vec![3];
    for _ in 0..11 {
        let next = sampler.sample(&mut rows.row(expected[expected.len() - 1]), &[], &expected).unwrap();
        expected.push(next);
    }
    // The number of step n under a seed is the first under the seed n steps on.
    let draw = |n: u64| first_draw(5u64.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let first = Chain {
        id: 3,
        choice: choice(&sampling),
        seen: TokenSet::of(N, [3]),
        draws: (0..3).map(draw).collect(),
        ..Chain::default()
    };
    let on = |steps: std::ops::Range<u64>| Chain {
        goes_on: true,
        draws: steps.map(draw).collect(),
        ..first.clone()
    };
    for (name, found) in rows.chosen(&[first.clone(), on(3..7), on(7..8), on(8..11)]) {
        assert_eq!(found, expected[1..], "{name}");
    }
}

#[test]
fn runs_that_cannot_be_queued_are_refused() {
    let rows = Rows::random(1, 31);
    for backend in backends::all() {
        for n in [0, N_AHEAD + 1] {
            let chain = Chain { draws: vec![0.0; n], ..Chain::default() };
            let error = backend.choose(&rows.case, &[vec![chain]]).unwrap_err();
            let limit = N_AHEAD;
            assert!(
                matches!(error, BackendError::Limit { found, limit: l, .. } if found == n && l == limit),
                "{error}"
            );
        }
        let one = |n| Chain { draws: vec![0.0; n], ..Chain::default() };
        for chains in [vec![one(1), one(2)], vec![one(1); 2]] {
            let error = backend.choose(&rows.case, &[chains]).unwrap_err();
            assert!(matches!(error, BackendError::Limit { found: 2, limit: 1, .. }), "{error}");
        }
        let chain = Chain { id: N_ROWS as u32, draws: vec![0.0], ..Chain::default() };
        let error = backend.choose(&rows.case, &[vec![chain]]).unwrap_err();
        assert!(matches!(error, BackendError::Id { .. }), "{error}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let record = |n_tokens: usize, n_rows: usize| {
        let mut r = Recorder::new("bad", n_tokens);
        let ids = r.ids();
        let logits = r.scratch("logits", Shape::matrix(n_rows, 9), DType::F32);
        match r.add(Args { logits, ids }) {
            Ok(()) => String::new(),
            Err(PlanError::Shape { label, .. }) => label,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(record(1, 1), "");
    assert_eq!(record(2, 2), "");
    assert_eq!(record(1, 2), "logits");
    assert_eq!(record(2, 1), "logits");
}
