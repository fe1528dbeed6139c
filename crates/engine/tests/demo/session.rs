//! Prefill, decode, the way back, and what a session refuses.

use hala_backend_cpu::CpuBackend;
use hala_engine::{EngineError, Session};
use hala_plan::Cancel;
use pollster::block_on;

use crate::{ids, load, session};

/// More tokens than one chunk of a prefill on this backend.
const LONG: usize = 600;

fn logits(session: &mut Session<CpuBackend>, ids: &[u32]) -> Vec<f32> {
    block_on(session.prefill(ids, &Cancel::new())).unwrap();
    session.logits().to_vec()
}

/// f32 sums in another order differ in their last bits.
const SAME_LOGITS: f32 = 1e-3;

fn assert_same(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= SAME_LOGITS, "{worst}");
}

#[test]
fn a_prompt_that_begins_with_what_is_held_computes_only_the_rest() {
    let all = ids(100, 1);
    let mut session = session();
    block_on(session.prefill(&all[..60], &Cancel::new())).unwrap();
    let prefilled = block_on(session.prefill(&all, &Cancel::new())).unwrap();
    assert_eq!((prefilled.n_cached, prefilled.n_computed), (60, 40));
    assert_same(session.logits(), &logits(&mut crate::session(), &all));
}

#[test]
fn truncating_and_going_on_is_as_if_the_rest_had_never_been() {
    let (first, second) = (ids(LONG, 2), ids(LONG, 3));
    let mut session = session();
    block_on(session.prefill(&first, &Cancel::new())).unwrap();
    for id in &second[..70] {
        block_on(session.decode(*id, &Cancel::new())).unwrap();
    }
    for n in [LONG + 69, LONG + 3, LONG - 1, 300, 5, 1, 0] {
        block_on(session.truncate(n)).unwrap();
        block_on(session.decode(9, &Cancel::new())).unwrap();
        let mut fresh: Vec<u32> = first.iter().chain(&second).copied().take(n).collect();
        fresh.push(9);
        assert_same(session.logits(), &logits(&mut crate::session(), &fresh));
        let error = block_on(session.truncate(n + 2)).unwrap_err();
        assert!(matches!(error, EngineError::Position { .. }), "{error}");
    }
}

#[test]
fn a_prompt_that_departs_early_keeps_only_the_common_start() {
    let mut other = ids(LONG, 4);
    let mut session = session();
    block_on(session.prefill(&other, &Cancel::new())).unwrap();
    other[100] += 1;
    let found = logits(&mut session, &other);
    assert_same(&found, &logits(&mut crate::session(), &other));
    assert_eq!(session.ids(), other);
}

#[test]
fn a_cancelled_prefill_stops_and_the_session_goes_on() {
    let prompt = ids(LONG, 5);
    let mut session = session();
    let cancel = Cancel::new();
    let other = cancel.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        other.cancel();
    });
    // However far it came, the next prefill must give what a fresh one gives.
    let result = block_on(session.prefill(&prompt, &cancel));
    stopper.join().unwrap();
    assert!(result.is_ok() || result.is_err_and(|e| e.is_cancelled()));
    let again = Cancel::new();
    again.cancel();
    block_on(session.truncate(0)).unwrap();
    assert!(block_on(session.prefill(&prompt, &again)).unwrap_err().is_cancelled());
    assert_same(&logits(&mut session, &prompt), &logits(&mut crate::session(), &prompt));
}

#[test]
fn a_prompt_that_does_not_fit_is_refused_and_nothing_is_lost() {
    let engine = load(Some(32));
    let mut session = block_on(Session::new(engine)).unwrap();
    block_on(session.prefill(&ids(30, 6), &Cancel::new())).unwrap();
    let error = block_on(session.prefill(&ids(33, 6), &Cancel::new())).unwrap_err();
    assert!(matches!(error, EngineError::PromptTooLong { found: 33, limit: 32, max: 2048 }), "{error}");
    assert_eq!(session.ids().len(), 30);
    assert!(matches!(block_on(session.prefill(&[], &Cancel::new())), Err(EngineError::EmptyPrompt)));
    let error = block_on(session.prefill(&[1, 9000], &Cancel::new())).unwrap_err().to_string();
    assert!(error.contains("9000") && error.contains("8192"), "{error}");
}
