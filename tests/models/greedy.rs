//! Greedy decoding of the built-in model on devices, against the plain CPU.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, Generated, Generation, LoadOptions, Session};
use hala_plan::{Backend, Cancel};
use hala_tests::devices;
use hala_weights::Checkpoint;
use pollster::block_on;

use crate::golden::{Text, texts};

/// Tokens after one prompt, far past the end of the model's answer.
const N_TOKENS: usize = 100;

/// The same where there is time.
const N_LONG: usize = 300;

/// Of the golden sentences, every so many.
const EVERY: usize = 6;

/// Share of tokens that must agree: past its answer the model was not trained, and where two tokens are as likely to a few
/// digits, the order of a sum decides.
const AGREEMENT: f64 = 0.98;

/// The model as it ships, in int8, with the cache that suits the device.
fn session<B: Backend>(backend: B) -> Session<B> {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let engine = Engine::load(backend, &checkpoint, LoadOptions::default(), |_| true).unwrap();
    block_on(Session::new(Arc::new(engine))).unwrap()
}

/// The likeliest next token.
pub(crate) fn likeliest<B: Backend>(session: &Session<B>) -> u32 {
    let logits = session.logits();
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32
}

/// The likeliest token at each of so many places after `prompt`; `next` tells from it which token goes in.
fn decode<B: Backend>(
    session: &mut Session<B>,
    prompt: &[u32],
    n_tokens: usize,
    next: impl Fn(usize, u32) -> u32,
) -> Vec<u32> {
    block_on(session.prefill(prompt, &Cancel::new())).unwrap();
    let one = |i| {
        let found = likeliest(session);
        block_on(session.decode(next(i, found), &Cancel::new())).unwrap();
        found
    };
    (0..n_tokens).map(one).collect()
}

fn generate<B: Backend>(session: &mut Session<B>, prompt: &[u32]) -> Generated {
    let generation = Generation::new(session, prompt, &Default::default(), &Cancel::new()).unwrap();
    block_on(generation.run(session)).unwrap()
}

#[test]
fn of_100_greedy_tokens_a_device_agrees_with_the_plain_cpu_on_nearly_all() {
    assert_agreement(N_TOKENS);
}

#[test]
#[ignore = "long: hundreds of tokens on devices"]
fn of_300_greedy_tokens_a_device_agrees_with_the_plain_cpu_on_nearly_all() {
    assert_agreement(N_LONG);
}

#[expect(clippy::print_stdout, reason = "what is measured is told")]
fn assert_agreement(n_tokens: usize) {
    let text = &texts()[0];
    let prompt = &text.ids[..text.n_prompt];
    let expected = decode(&mut session(CpuBackend::plain()), prompt, n_tokens, |_, found| found);
    for device in devices::for_models() {
        let found = decode(&mut session(devices::shared(device)), prompt, n_tokens, |i, _| expected[i]);
        let n_same = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        println!("{device}: {n_same} of {n_tokens} greedy tokens are the plain CPU's");
        assert!(n_same as f64 >= AGREEMENT * n_tokens as f64, "{device}: {n_same} of {n_tokens}");
    }
}

#[test]
fn a_device_writes_the_cpu_s_text_for_golden_sentences() {
    assert_golden(EVERY);
}

#[test]
#[ignore = "long: all golden sentences on devices"]
fn a_device_writes_the_cpu_s_text_for_every_golden_sentence() {
    assert_golden(1);
}

/// Checks every so many of the sentences.
fn assert_golden(every: usize) {
    let prompts: Vec<Vec<u32>> =
        texts().into_iter().step_by(every).map(|Text { ids, n_prompt }| ids[..n_prompt].to_vec()).collect();
    assert_eq!(prompts.len(), 60 / every);
    let mut cpu = session(CpuBackend::threaded(2).unwrap());
    let expected: Vec<Generated> = prompts.iter().map(|prompt| generate(&mut cpu, prompt)).collect();
    for device in devices::for_models() {
        let mut session = session(devices::shared(device));
        for (i, (prompt, expected)) in prompts.iter().zip(&expected).enumerate() {
            let found = generate(&mut session, prompt);
            let sentence = i * every;
            assert_eq!(found.text, expected.text, "{device}: sentence {sentence}");
            assert_eq!(
                (found.ids, found.finish),
                (expected.ids.clone(), expected.finish),
                "{device}: sentence {sentence}"
            );
        }
    }
}
