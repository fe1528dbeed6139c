//! Several sequences in one run: each gives what it gives alone, whoever it shares the run and the pool with.

use hala_plan::Cancel;
use hala_plan::ops::sample::{Choice, DECLINED, TokenSet};
use hala_tensor::DType;
use hala_tests::backends::{self, Runner};
use hala_tests::case::{Action, Case, Pace, Part};
use hala_tests::chain::Chain;
use hala_tests::check;
use hala_tests::random::{Rng, with_last_row};

use crate::blocks::{Between, Blocks, Logits, MODELS, N_VOCAB};
use crate::heads::{alone, batches};

/// Rows of the largest of [`batches`].
const MOST: usize = 109;

/// Ids that each sequence reads.
fn texts() -> Vec<Vec<u32>> {
    (0..5).map(|sequence| Rng::new(&format!("text {sequence}")).ids(128, N_VOCAB)).collect()
}

/// A model with plans for the runs of [`batches`].
fn model(dtypes: [DType; 2]) -> Case {
    let mut blocks = Blocks::new(dtypes[0], dtypes[1]);
    for n_rows in [4, MOST] {
        blocks.plan(n_rows, Between::Scratch, Logits::Wanted(4));
    }
    blocks.case
}

/// Adds runs of sequences that go on with their texts.
fn add_runs(case: &mut Case, runs: &[Vec<(usize, usize)>], texts: &[Vec<u32>]) {
    let mut ends = vec![0; texts.len()];
    for run in runs {
        let part = |(sequence, n): &(usize, usize)| {
            let position = ends[*sequence];
            ends[*sequence] += n;
            Part { sequence: *sequence, ids: texts[*sequence][position..position + n].to_vec(), position }
        };
        let parts: Vec<Part> = run.iter().map(part).collect();
        let n_rows: usize = run.iter().map(|(_, n)| n).sum();
        case.run_parts(usize::from(n_rows > 4), parts);
    }
}

/// The logits of the last row that each sequence had in `runs`.
fn last_rows(
    backend: &dyn Runner,
    dtypes: [DType; 2],
    runs: &[Vec<(usize, usize)>],
    texts: &[Vec<u32>],
) -> Vec<Vec<f32>> {
    let mut case = model(dtypes);
    add_runs(&mut case, runs, texts);
    let readings = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap();
    let mut last = vec![Vec::new(); texts.len()];
    for (run, logits) in runs.iter().zip(readings) {
        for ((sequence, _), row) in run.iter().zip(logits[0].chunks_exact(N_VOCAB)) {
            last[*sequence] = row.to_vec();
        }
    }
    last
}

/// Compares logits to the bit where a backend promises that.
fn assert_alike(found: &[f32], expected: &[f32], (backend, dtypes): (&dyn Runner, [DType; 2]), what: &str) {
    if backend.is_exact() {
        let bits = |logits: &[f32]| logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(found), bits(expected), "{what}, {}", backend.name());
    }
    let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
    let tolerance = Blocks::new(dtypes[0], dtypes[1]).tolerance();
    if let Err(error) = check::near(found, &expected, N_VOCAB, tolerance) {
        panic!("{what}, {}: {error}", backend.name());
    }
}

#[test]
fn a_sequence_gives_what_it_gives_alone() {
    let (runs, texts) = (batches(), texts());
    for dtypes in MODELS {
        for backend in backends::all() {
            let together = last_rows(backend, dtypes, &runs, &texts);
            for (sequence, found) in together.iter().enumerate() {
                let own = runs.iter().flatten().filter(|(other, _)| *other == sequence);
                let lengths: Vec<usize> = own.map(|(_, n)| *n).collect();
                let text = [texts[sequence].clone()];
                // As it came or, every other one, as one prompt.
                let whole = vec![lengths.iter().sum()];
                let runs = alone(if sequence % 2 == 0 { &whole } else { &lengths });
                let expected = last_rows(backend, dtypes, &runs, &text);
                let what = format!("{dtypes:?}, sequence {sequence} in {runs:?}");
                assert_alike(found, &expected[0], (backend, dtypes), &what);
            }
        }
    }
}

#[test]
fn what_is_not_finite_in_one_sequence_reaches_no_other() {
    let runs = [vec![(0, 9), (1, 70), (2, 5)], vec![(2, 1), (1, 1), (0, 1)], vec![(0, 1), (1, 1), (2, 1)]];
    let last = |backend: &dyn Runner, dtypes: [DType; 2], id: u32| {
        let mut blocks = Blocks::with_table(dtypes[0], dtypes[1], |table| with_last_row(&table, f32::NAN));
        let _plans = [4, MOST].map(|n| blocks.plan(n, Between::Scratch, Logits::Wanted(4)));
        let mut texts = texts();
        texts.iter_mut().flatten().for_each(|id| *id %= N_VOCAB as u32 - 1);
        texts[1].fill(id);
        add_runs(&mut blocks.case, &runs, &texts);
        let logits = backend.run(&blocks.case, Pace::Whole, &Cancel::new()).unwrap().remove(2).concat();
        let bits = |rows: &[f32]| rows.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        [bits(&logits[..N_VOCAB]), bits(&logits[2 * N_VOCAB..])]
    };
    for (dtypes, backend) in MODELS.iter().flat_map(|dtypes| backends::all().map(|b| (*dtypes, b))) {
        let [found, expected] = [N_VOCAB as u32 - 1, 3].map(|id| last(backend, dtypes, id));
        assert_eq!(found, expected, "{dtypes:?}, {}", backend.name());
    }
}

#[test]
fn forks_share_pages_and_go_their_own_ways() {
    for (n_shared, dtypes) in [(64, MODELS[0]), (70, MODELS[1]), (5, MODELS[4])] {
        for backend in backends::all() {
            let texts = texts();
            let mut case = model(dtypes);
            let part =
                |sequence: usize, ids: &[u32], position| Part { sequence, ids: ids.to_vec(), position };
            case.run_parts(1, vec![part(0, &texts[0][..n_shared], 0)]);
            case.act(Action::Fork { from: 0, to: 1 });
            for n in 0..3 {
                let next = [0, 1].map(|i| part(i, &texts[i][n..n + 1], n_shared + n));
                case.run_parts(0, next.to_vec());
            }
            // What is left of the shared pages is still the other's.
            case.act(Action::Forget(0));
            case.run_parts(1, vec![part(2, &texts[2][..100], 0), part(1, &texts[1][3..5], n_shared + 3)]);
            let found = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap().pop().unwrap().concat();
            let whole = [&texts[0][..n_shared], &texts[1][..5]].concat();
            let expected = last_rows(backend, dtypes, &alone(&[n_shared + 5]), &[whole]);
            assert_alike(&found[N_VOCAB..], &expected[0], (backend, dtypes), "a fork");
        }
    }
}

#[test]
fn a_pool_may_shrink_and_grow_between_runs() {
    let dtypes = MODELS[1];
    for backend in backends::all() {
        let texts = texts();
        let mut case = model(dtypes);
        let part = |sequence: usize, position: usize, n: usize| {
            let ids = texts[sequence][position..position + n].to_vec();
            Part { sequence, ids, position }
        };
        case.run_parts(1, vec![part(0, 0, 70), part(1, 0, 30)]);
        case.act(Action::Forget(0));
        case.act(Action::Shrink);
        case.run_parts(0, vec![part(1, 30, 2)]);
        case.act(Action::Grow(3));
        case.run_parts(1, vec![part(2, 0, 66), part(1, 32, 38)]);
        let found = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap().pop().unwrap();
        for (sequence, found) in [2, 1].iter().zip(found[0].chunks_exact(N_VOCAB)) {
            let n = if *sequence == 1 { 70 } else { 66 };
            let expected = last_rows(backend, dtypes, &alone(&[n]), &[texts[*sequence].clone()]);
            assert_alike(found, &expected[0], (backend, dtypes), &format!("sequence {sequence}"));
        }
    }
}

/// Chains of sequences that begin at other positions, are chosen in other ways, and may not choose the same.
fn chains(n: usize) -> Vec<Chain> {
    let chain = |row: usize| Chain {
        id: row as u32 * 7 % 49,
        position: [0, 5, 63, 62, 9][row % 5],
        // The last one's logit is no number.
        banned: TokenSet::of(N_VOCAB, (0..row as u32).map(|i| i * 5 % 49).chain([N_VOCAB as u32 - 1])),
        seen: TokenSet::of(N_VOCAB, [row as u32, 20, 30]),
        choice: Choice {
            temperature: [0.0, 0.8, 1.5][row % 3],
            top_k: [0, 12, 5][row % 3],
            repetition_penalty: 1.0 + row as f32 / 4.0,
            ..Choice::GREEDY
        },
        draws: (0..4).map(|i| (i * 3 + row) as f32 / 17.0).collect(),
        ..Chain::default()
    };
    (0..n).map(chain).collect()
}

/// What a model chooses whose last embedding is NaN: the chain, and then on from there.
fn chosen(backend: &dyn Runner, chains: &[Chain]) -> Vec<u32> {
    let mut blocks = Blocks::with_table(DType::F32, DType::F32, |table| with_last_row(&table, f32::NAN));
    blocks.plan_to_choose(chains.len());
    let on = |chain: &Chain| Chain { goes_on: true, position: chain.position + 4, ..chain.clone() };
    let queued = [chains.to_vec(), chains.iter().map(on).collect()];
    backend.choose(&blocks.case, &queued).unwrap().concat()
}

#[test]
fn each_row_s_chain_is_what_it_is_alone() {
    for backend in backends::all() {
        let mut all = chains(5);
        // One that is declined at once, whose row the others go on without.
        all[2].id = N_VOCAB as u32 - 1;
        let together = chosen(backend, &all);
        assert_eq!(together.len(), 2 * 4 * all.len(), "{}", backend.name());
        for (row, chain) in all.iter().enumerate() {
            let found: Vec<u32> = together.iter().skip(row).step_by(all.len()).copied().collect();
            if row == 2 {
                assert_eq!(found[0], DECLINED, "{}", backend.name());
            } else {
                assert_eq!(
                    found,
                    chosen(backend, std::slice::from_ref(chain)),
                    "row {row}, {}",
                    backend.name()
                );
            }
        }
    }
}
