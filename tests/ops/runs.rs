//! Whole blocks of ops through scratch memory: placement, going step by step, and runs that follow each other.

use hala_plan::Cancel;
use hala_tensor::DType;
use hala_tests::backends;
use hala_tests::case::{Action, Case, Pace, Part};
use hala_tests::check;
use hala_tests::random::{Rng, with_last_row};
use hala_tests::tolerances::{self, EXACT, Tolerance};

use crate::blocks::{Between, Blocks, Logits, MODELS, N_VOCAB};

/// A prompt of 26 tokens cut into runs, on plans for 1, 7 and 33 tokens; the last row of the last run.
fn last_rows(dtypes: [DType; 2], runs: &[usize], between: Between, pace: Pace) -> Vec<Vec<f32>> {
    let mut blocks = Blocks::new(dtypes[0], dtypes[1]);
    let plans = [1, 7, 33].map(|n| (n, blocks.plan(n, between, Logits::Wanted(1))));
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

pub(crate) fn assert_same(found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: Tolerance, what: &str) {
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
        let (all, last) = (
            blocks.plan(7, Between::Scratch, Logits::All),
            blocks.plan(7, Between::Scratch, Logits::Wanted(1)),
        );
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
    let plans = [7, 1].map(|n| blocks.plan(n, Between::Scratch, Logits::All));
    let mut case = blocks.case;
    let last = N_VOCAB as u32 - 1;
    let ids = if poisoned { [last; 7] } else { [3; 7] };
    case.run(plans[0], &ids, 0);
    case.run(plans[1], &ids[..1], 7);
    // Another sequence, in the same pages and the same slot.
    case.act(Action::Forget(0));
    case.run_parts(plans[0], vec![Part { sequence: 1, ids: vec![5, 8, 13, 21, 34], position: 0 }]);
    case.run_parts(plans[1], vec![Part { sequence: 1, ids: vec![2], position: 5 }]);
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
