//! Runs that do not fit their plan are refused by every backend, with an error that says what is possible.

use hala_plan::ops::attention;
use hala_plan::{BackendError, Cancel, PAGE};
use hala_tensor::{DType, Shape};
use hala_tests::backends;
use hala_tests::case::{Action, Case, Pace, Part, Run};
use hala_tests::random::Rng;
use hala_tests::tolerances::EXACT;

use crate::heads::{Data, Heads};

const N_VOCAB: usize = 40;
const N_POSITIONS: usize = 9;
const N_TOKENS: usize = 5;

/// A cache for 9 positions, and a plan for 5 rows.
fn case() -> Case {
    let heads = Heads { n_positions: N_POSITIONS, ..Heads::new([2, 1], 6, DType::F32, N_TOKENS) };
    let mut case = Case::new("refusals");
    let ids = Data::new(&heads, &mut Rng::new("refusals")).declare(&heads, &mut case, None);
    case.plan(N_TOKENS, |r| {
        let turned = ids.record(&heads, r);
        let y = r.output("y", heads.q_width());
        let (q, keys, values, n_positions) = (turned.q, turned.keys, turned.values, N_POSITIONS);
        let (scale, softcap, window) = (1.0, None, None);
        let args = attention::Args { q, keys, values, y, n_positions, scale, softcap, window };
        r.recorder.add(args).unwrap();
        r.read(y, EXACT);
    });
    case
}

/// What each backend says to one run.
fn errors(ids: &[u32], position: usize, cancel: &Cancel) -> Vec<(String, Option<BackendError>)> {
    let mut case = case();
    case.run(0, ids, position);
    backends::all().map(|b| (b.name(), b.run(&case, Pace::Whole, cancel).err())).collect()
}

fn assert_limit(ids: &[u32], position: usize, expected: (usize, usize)) {
    for (name, error) in errors(ids, position, &Cancel::new()) {
        match error {
            Some(BackendError::Limit { found, limit, .. }) => assert_eq!((found, limit), expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_fits_exactly_is_run() {
    for (ids, position) in [(&[0, 1, 2, 39, 4][..], 4), (&[0], 8), (&[39; 5], 0)] {
        for (name, error) in errors(ids, position, &Cancel::new()) {
            assert_eq!(error, None, "{name}");
        }
    }
}

#[test]
fn no_ids() {
    for (name, error) in errors(&[], 0, &Cancel::new()) {
        assert!(matches!(error, Some(BackendError::Limit { .. })), "{name}: {error:?}");
    }
}

#[test]
fn more_ids_than_the_plan_has_tokens() {
    assert_limit(&[1; 6], 0, (6, N_TOKENS));
}

#[test]
fn positions_beyond_the_cache() {
    assert_limit(&[1; 5], 5, (10, N_POSITIONS));
    assert_limit(&[1], 9, (10, N_POSITIONS));
    assert_limit(&[1], 1000, (1001, N_POSITIONS));
}

#[test]
fn a_wanted_row_that_there_is_not() {
    let mut case = case();
    let parts = vec![Part { sequence: 0, ids: vec![1; 3], position: 0 }];
    case.act(Action::Run(Run { wanted: vec![1, 3], ..Run::new(0, parts) }));
    for backend in backends::all() {
        let error = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap_err();
        let name = backend.name();
        assert!(matches!(error, BackendError::Limit { found: 3, limit: 2, .. }), "{name}: {error}");
    }
}

#[test]
fn the_rows_of_all_sequences_count() {
    for (n, expected) in [(2, None), (3, Some((6, N_TOKENS)))] {
        let mut case = case();
        let part = |sequence| Part { sequence, ids: vec![1; n], position: 0 };
        case.run_parts(0, [0, 1].map(part).to_vec());
        for backend in backends::all() {
            let error = backend.run(&case, Pace::Whole, &Cancel::new()).err();
            let found = error.map(|error| match error {
                BackendError::Limit { found, limit, .. } => (found, limit),
                other => panic!("{}: {other}", backend.name()),
            });
            assert_eq!(found, expected, "{}", backend.name());
        }
    }
}

#[test]
fn the_largest_position() {
    assert_limit(&[1], usize::MAX, (usize::MAX, N_POSITIONS));
}

#[test]
fn an_id_outside_of_the_vocabulary() {
    for id in [40, 41, u32::MAX] {
        for (name, error) in errors(&[1, id, 2], 0, &Cancel::new()) {
            assert_eq!(error, Some(BackendError::Id { id, n_vocab: N_VOCAB }), "{name}");
        }
    }
}

#[test]
fn a_raised_flag_stops_the_run() {
    let cancel = Cancel::new();
    cancel.cancel();
    for (name, error) in errors(&[1, 2, 3], 0, &cancel) {
        assert_eq!(error, Some(BackendError::Cancelled), "{name}");
    }
}

#[test]
fn a_lowered_flag_lets_it_go_on() {
    let cancel = Cancel::new();
    cancel.cancel();
    cancel.reset();
    assert!(errors(&[1, 2, 3], 0, &cancel).iter().all(|(_, error)| error.is_none()));
}

#[test]
fn a_state_that_cannot_be_held() {
    for dtype in [DType::BF16, DType::U32, DType::E4M3] {
        let mut case = case();
        case.paged("odd", Shape::cube(1, PAGE, 6), dtype, 0);
        case.run(0, &[1], 0);
        for backend in backends::all() {
            let error = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap_err();
            assert!(matches!(error, BackendError::Unsupported { .. }), "{}: {error}", backend.name());
            assert!(error.to_string().contains("odd"), "{}: {error}", backend.name());
        }
    }
}
