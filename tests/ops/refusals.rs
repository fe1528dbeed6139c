//! Runs that do not fit their plan are refused by every backend, with an error that says what is possible.

use hala_plan::ops::attention;
use hala_plan::{BackendError, Cancel};
use hala_tensor::DType;
use hala_tests::backends::{self, Pace};
use hala_tests::case::Case;
use hala_tests::random::Rng;
use hala_tests::tolerances::EXACT;

use crate::rope_kv::{Data, Heads};

const N_VOCAB: usize = 40;
const CAPACITY: usize = 9;
const N_TOKENS: usize = 5;

/// A cache of 9 positions, and a plan for 5 tokens.
fn case() -> Case {
    let heads = Heads { capacity: CAPACITY, ..Heads::new([2, 1], 6, DType::F32, N_TOKENS) };
    let mut case = Case::new("refusals");
    let ids = Data::new(&heads, &mut Rng::new("refusals")).declare(&heads, &mut case);
    case.plan(N_TOKENS, |r| {
        let turned = ids.record(&heads, r);
        let y = r.output("y", heads.q_width());
        let (q, keys, values) = (turned.q, turned.keys, turned.values);
        r.recorder
            .attention(attention::Args { q, keys, values, y, scale: 1.0, softcap: None, window: None })
            .unwrap();
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
    assert_limit(&[1; 5], 5, (10, CAPACITY));
    assert_limit(&[1], 9, (10, CAPACITY));
    assert_limit(&[1], 1000, (1001, CAPACITY));
}

#[test]
fn the_largest_position() {
    assert_limit(&[1], usize::MAX, (usize::MAX, CAPACITY));
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
    let heads = Heads { capacity: CAPACITY, ..Heads::new([2, 1], 6, DType::F32, N_TOKENS) };
    for dtype in [DType::BF16, DType::U32, DType::E4M3] {
        let mut case = case();
        case.per_token("odd", hala_tensor::Shape::cube(1, heads.capacity, 6), dtype);
        case.run(0, &[1], 0);
        for backend in backends::all() {
            let error = backend.run(&case, Pace::Whole, &Cancel::new()).unwrap_err();
            assert!(matches!(error, BackendError::Unsupported { .. }), "{}: {error}", backend.name());
            assert!(error.to_string().contains("odd"), "{}: {error}", backend.name());
        }
    }
}
