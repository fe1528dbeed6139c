//! A text that is stopped while its drafts are verified: by whoever asked for it, by memory, or with its device.

use std::sync::Arc;

use hala_engine::{GenerateOptions, Generation, Session};
use hala_plan::Cancel;
use hala_tests::devices;
use hala_tests::fixtures::ONE_OF_EACH;
use pollster::block_on;

use super::{CERTAIN, Cpu, N_PROMPT, assert_same, built_in, editing, options, outcome};

#[test]
fn cancelling_in_the_middle_of_a_run_keeps_the_tokens_that_were_handed_out() {
    for model in ONE_OF_EACH {
        let (mut session, prompt, _) = editing(model, CERTAIN);
        for n in 1..30 {
            assert_same(&mut session, &prompt, &options(), Some(n));
        }
    }
}

#[test]
fn a_generation_that_is_dropped_in_a_run_leaves_its_tokens_and_a_session_that_goes_on() {
    for model in ONE_OF_EACH {
        let (mut session, prompt, script) = editing(model, CERTAIN);
        for n in 1..24 {
            block_on(session.clear()).unwrap();
            let mut generation = Generation::new(&session, &prompt, &options(), &Cancel::new()).unwrap();
            for _ in 0..n {
                block_on(generation.next(&mut session)).unwrap().unwrap();
            }
            drop(generation);
            let held = &script[..N_PROMPT + n - 1];
            assert_eq!(session.ids(), held, "{model:?}");
            // A token that nobody drafted, one more, and going back.
            let mut ids = held.to_vec();
            for id in [7, script[N_PROMPT + n]] {
                block_on(session.decode(id, &Cancel::new())).unwrap();
                ids.push(id);
                let logits = session.logits().to_vec();
                let mut fresh = super::session(session.engine());
                block_on(fresh.prefill(&ids, &Cancel::new())).unwrap();
                assert!(logits == fresh.logits(), "{model:?}: after {n}");
            }
            block_on(session.truncate(N_PROMPT + n - 1)).unwrap();
            assert_eq!(session.ids(), held);
            session_goes_on(&mut session, &prompt);
        }
    }
}

fn session_goes_on(session: &mut Session<Cpu>, prompt: &[u32]) {
    let generation = Generation::new(session, prompt, &options(), &Cancel::new()).unwrap();
    let again = block_on(generation.run(session)).unwrap();
    let mut fresh = super::session(session.engine());
    let generation = Generation::new(&fresh, prompt, &options(), &Cancel::new()).unwrap();
    assert_eq!(block_on(generation.run(&mut fresh)).unwrap().ids, again.ids);
}

#[test]
fn a_state_that_cannot_be_kept_leaves_the_token_out() {
    let (mut session, prompt, script) = editing(ONE_OF_EACH[0], CERTAIN);
    let mut generation = Generation::new(&session, &prompt, &options(), &Cancel::new()).unwrap();
    block_on(generation.next(&mut session)).unwrap().unwrap();
    let held = session.ids().to_vec();
    session.engine().backend().refuse_copies(true);
    let error = loop {
        match block_on(generation.next(&mut session)) {
            Ok(piece) => assert!(piece.is_some(), "no draft came before the end"),
            Err(error) => break error,
        }
    };
    assert!(error.is_device_lost(), "{error}");
    assert!(session.ids().len() >= held.len());
    assert_eq!(session.ids(), &script[..session.ids().len()]);
    let n_held = session.ids().len();
    session.engine().backend().refuse_copies(false);
    block_on(session.decode(script[n_held], &Cancel::new())).unwrap();
    let mut fresh = super::session(session.engine());
    block_on(fresh.prefill(session.ids(), &Cancel::new())).unwrap();
    assert_eq!((session.ids().len(), session.logits()), (n_held + 1, fresh.logits()));
}

#[test]
fn a_text_goes_on_after_a_device_was_lost_in_the_middle_of_a_run() {
    for device in devices::for_models() {
        let options = GenerateOptions { logprobs: None, max_tokens: Some(40), ..options() };
        let (whole, prompt) = built_in(devices::open(device));
        let expected = outcome(&mut super::session(&whole), &prompt, &options, None).1;
        for n_before in [1, 5, 12] {
            let mut session = super::session(&built_in(devices::open(device)).0);
            let cancel = Cancel::new();
            let mut generation = Generation::new(&session, &prompt, &options, &cancel).unwrap();
            for _ in 0..n_before {
                block_on(generation.next(&mut session)).unwrap().unwrap();
            }
            session.engine().backend().destroy();
            // Tokens whose logits the host has already still come.
            let next = |_| block_on(generation.next(&mut session)).err();
            assert!((0..20).find_map(next).unwrap().is_device_lost());
            block_on(session.rebuild(Arc::clone(&whole), &cancel)).unwrap();
            assert_eq!(block_on(generation.run(&mut session)).unwrap().ids, expected.ids, "{device}");
        }
    }
}
