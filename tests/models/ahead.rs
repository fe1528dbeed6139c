//! Tokens that a backend chooses ahead of the host: the text, the session and the way it ends are those of the host's choice.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Chat, ChatOptions, FinishReason, GenerateOptions, Generated, Generation, Sampling, Session,
};
use hala_model::WeightFormat;
use hala_plan::{Backend, Cancel};
use hala_tests::{backends, devices};
use hala_weights::Checkpoint;
use pollster::block_on;

use crate::golden::texts;
use crate::{largest_difference, load};

/// Tokens of most generations: some batches, and not a whole number of them.
const N_TOKENS: usize = 11;

/// Logits of a state that was taken back and computed again, in other chunks: sums in another order.
const SAME_LOGITS: f32 = 2e-3;

fn session<B: Backend>(backend: B) -> Session<B> {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    session_of(backend, &checkpoint, WeightFormat::Auto)
}

fn session_of<B: Backend>(backend: B, checkpoint: &Checkpoint, weights: WeightFormat) -> Session<B> {
    let engine = load(backend, checkpoint, weights).unwrap();
    block_on(Session::new(Arc::new(engine))).unwrap()
}

/// Checks texts of another model after a prompt, likeliest and drawn.
pub(crate) fn assert_same_on<B: Backend>(
    backend: B,
    (name, checkpoint, weights): (&str, &Checkpoint, WeightFormat),
    prompt: &[u32],
) {
    let mut session = session_of(backend, checkpoint, weights);
    let drawn = Sampling { temperature: 0.8, top_k: 20, seed: 7, ..Sampling::default() };
    for sampling in [Sampling::default(), drawn] {
        let options = GenerateOptions { sampling, ..options() };
        assert_same(name, &mut session, prompt, &options);
    }
}

pub(crate) fn ahead_on_cpu() -> CpuBackend {
    CpuBackend::threaded(2).unwrap().choosing_ahead(backends::N_AHEAD)
}

/// How many of a check's rows are gone through.
#[derive(Debug, Clone, Copy)]
enum Sweep {
    All,
    /// The first, the last and some between, a batch apart and one more: devices that are programs take a while for each.
    Some,
}

impl Sweep {
    fn of<T>(self, rows: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut rows: Vec<T> = rows.into_iter().collect();
        let n = rows.len();
        let mut i = 0;
        rows.retain(|_| {
            i += 1;
            matches!(self, Self::All) || i == n || i % (backends::N_AHEAD + 1) == 1
        });
        rows
    }
}

/// Runs a check on the CPU, choosing ahead, and some of it on every device.
macro_rules! everywhere {
    ($check:ident) => {
        $check("cpu", &mut session(ahead_on_cpu()), Sweep::All);
        for device in devices::for_models() {
            $check(device, &mut session(devices::shared(device)), Sweep::Some);
        }
    };
}

#[test]
#[ignore = "long: every row of every check on devices"]
fn devices_pass_every_row_of_every_check() {
    for device in devices::for_models() {
        let session = &mut session(devices::shared(device));
        check_limits(device, session, Sweep::All);
        check_stop_ids(device, session, Sweep::All);
        check_stop_strings(device, session, Sweep::All);
        check_cancellation(device, session, Sweep::All);
        check_dropping(device, session, Sweep::All);
        check_seeds(device, session, Sweep::All);
    }
}

/// Goes on past the end of the model's answer.
fn options() -> GenerateOptions {
    GenerateOptions { max_tokens: Some(N_TOKENS), ignore_eos: true, ..GenerateOptions::default() }
}

/// The same, chosen by the host: log-probabilities are its business.
fn by_host(options: &GenerateOptions) -> GenerateOptions {
    GenerateOptions { logprobs: Some(0), ..options.clone() }
}

fn prompt(sentence: usize) -> Vec<u32> {
    let text = &texts()[sentence];
    text.ids[..text.n_prompt].to_vec()
}

fn generate<B: Backend>(session: &mut Session<B>, prompt: &[u32], options: &GenerateOptions) -> Generated {
    let generation = Generation::new(session, prompt, options, &Cancel::new()).unwrap();
    block_on(generation.run(session)).unwrap()
}

/// What a generation gave, its times left out, and the tokens that the session holds after it.
fn outcome<B: Backend>(
    session: &mut Session<B>,
    prompt: &[u32],
    options: &GenerateOptions,
) -> (Vec<u32>, String, FinishReason, usize, Vec<u32>) {
    block_on(session.clear()).unwrap();
    let Generated { ids, text, finish, usage, .. } = generate(session, prompt, options);
    (ids, text, finish, usage.completion_tokens, session.ids().to_vec())
}

/// Both ways give the same, and the session goes on as a fresh one would.
fn assert_same<B: Backend>(name: &str, session: &mut Session<B>, prompt: &[u32], options: &GenerateOptions) {
    let expected = outcome(session, prompt, &by_host(options));
    let found = outcome(session, prompt, options);
    assert_eq!(found, expected, "{name}: {options:?}");
    let mut next = found.4;
    next.extend([9, 8, 7]);
    block_on(session.prefill(&next, &Cancel::new())).unwrap();
    let logits = session.logits().to_vec();
    block_on(session.clear()).unwrap();
    block_on(session.prefill(&next, &Cancel::new())).unwrap();
    let difference = largest_difference(&logits, session.logits());
    assert!(difference <= SAME_LOGITS, "{name}: {options:?}: {difference}");
}

fn check_limits<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    for n in sweep.of(0..=N_TOKENS) {
        assert_same(name, session, &prompt(0), &GenerateOptions { max_tokens: Some(n), ..options() });
    }
}

#[test]
fn a_generation_ends_at_any_number_of_tokens() {
    everywhere!(check_limits);
}

fn check_stop_ids<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    let ids = generate(session, &prompt(1), &options()).ids;
    for id in sweep.of(&ids) {
        assert_same(name, session, &prompt(1), &GenerateOptions { stop_ids: vec![*id], ..options() });
    }
    assert_same(name, session, &prompt(1), &GenerateOptions { ignore_eos: false, ..options() });
}

#[test]
fn a_stop_id_anywhere_in_a_batch_leaves_the_session_with_the_tokens_before_it() {
    everywhere!(check_stop_ids);
}

fn check_stop_strings<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    let text = generate(session, &prompt(2), &options()).text;
    for (start, c) in sweep.of(text.char_indices()) {
        let stop = vec![text[start..start + c.len_utf8()].to_owned()];
        assert_same(name, session, &prompt(2), &GenerateOptions { stop, ..options() });
    }
}

#[test]
fn a_stop_string_ends_the_text_where_it_would_token_by_token() {
    everywhere!(check_stop_strings);
}

/// A generation that is cancelled after some tokens: what it gave, and the session's tokens.
fn cancelled<B: Backend>(
    session: &mut Session<B>,
    n: usize,
    options: &GenerateOptions,
) -> (Generated, Vec<u32>) {
    block_on(session.clear()).unwrap();
    let cancel = Cancel::new();
    let mut generation = Generation::new(session, &prompt(3), options, &cancel).unwrap();
    for _ in 0..n {
        block_on(generation.next(session)).unwrap().unwrap();
    }
    cancel.cancel();
    while block_on(generation.next(session)).unwrap().is_some() {}
    (generation.finish().unwrap(), session.ids().to_vec())
}

fn check_cancellation<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    for n in sweep.of(1..N_TOKENS) {
        let (expected, expected_ids) = cancelled(session, n, &by_host(&options()));
        let (found, found_ids) = cancelled(session, n, &options());
        assert_eq!((found.ids.len(), found.finish), (n, FinishReason::Cancelled), "{name}");
        assert_eq!((&found.ids, &found.text), (&expected.ids, &expected.text), "{name}: after {n}");
        assert_eq!(found_ids, expected_ids, "{name}: after {n}");
        assert_same(name, session, &prompt(3), &options());
    }
}

#[test]
fn cancelling_keeps_the_tokens_that_were_handed_out() {
    everywhere!(check_cancellation);
}

fn check_dropping<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    let [expected, other] = [4, 5].map(|sentence| generate(session, &prompt(sentence), &options()).ids);
    for n in sweep.of(1..6) {
        block_on(session.clear()).unwrap();
        let mut generation = Generation::new(session, &prompt(4), &options(), &Cancel::new()).unwrap();
        for _ in 0..n {
            block_on(generation.next(session)).unwrap();
        }
        drop(generation);
        assert_eq!(session.ids(), [prompt(4), expected[..n - 1].to_vec()].concat(), "{name}");
        // A token of one's own, and another conversation.
        block_on(session.decode(9, &Cancel::new())).unwrap();
        assert_eq!(session.ids().len(), prompt(4).len() + n, "{name}");
        assert_eq!(generate(session, &prompt(5), &options()).ids, other, "{name}");
    }
}

#[test]
fn a_generation_that_is_dropped_in_a_batch_leaves_a_session_that_goes_on() {
    everywhere!(check_dropping);
}

fn check_seeds<B: Backend>(name: &str, session: &mut Session<B>, sweep: Sweep) {
    for sampling in for_devices().into_iter().chain(for_hosts()) {
        for seed in sweep.of([1, 5]) {
            let sampling = Sampling { seed, ..sampling.clone() };
            assert_same(name, session, &prompt(6), &GenerateOptions { sampling, ..options() });
        }
    }
}

/// What a device chooses by itself.
fn for_devices() -> [Sampling; 4] {
    let warm = Sampling { temperature: 0.8, ..Sampling::default() };
    [
        Sampling::conversation(),
        Sampling { top_k: 50, repetition_penalty: 1.2, ..warm.clone() },
        Sampling { top_p: 0.9, ..warm.clone() },
        Sampling { min_p: 0.05, ..warm },
    ]
}

/// Too many candidates for a device, and options that are the host's alone.
fn for_hosts() -> [Sampling; 4] {
    let warm = Sampling { temperature: 1.0, ..Sampling::default() };
    [
        warm.clone(),
        Sampling { top_p: 0.99, temperature: 5.0, ..warm.clone() },
        Sampling { top_k: 50, frequency_penalty: 0.5, ..warm.clone() },
        Sampling { top_k: 50, logit_bias: vec![(9, 2.0)], ..warm },
    ]
}

#[test]
fn a_seed_draws_the_same_tokens_whoever_chooses() {
    everywhere!(check_seeds);
}

/// Of drawn texts, those in a hundred that must agree: where logits differ in their last digits, one may fall on the other side of an edge
/// between two candidates, and the text goes another way from there.
const SAME_DRAWN: usize = 80;

#[test]
fn a_device_draws_the_cpu_s_text() {
    assert_same_draws(4);
}

#[test]
#[ignore = "long: ten seeds of every kind of sampling on devices"]
fn a_device_draws_the_cpu_s_text_with_many_seeds() {
    assert_same_draws(10);
}

#[expect(clippy::print_stdout, reason = "what is measured is told")]
fn assert_same_draws(n_seeds: u64) {
    let mut cpu = session(CpuBackend::threaded(2).unwrap());
    for device in devices::for_models() {
        let mut session = session(devices::shared(device));
        let (mut n_same, mut n) = (0, 0);
        let draws = for_devices();
        for (sampling, seed) in draws.iter().flat_map(|s| (0..n_seeds).map(move |seed| (s.clone(), seed))) {
            n += 1;
            let sampling = Sampling { seed, ..sampling };
            let options = GenerateOptions { sampling, max_tokens: Some(6), ..GenerateOptions::default() };
            let prompt = prompt(10 + seed as usize);
            let expected = generate(&mut cpu, &prompt, &options).ids;
            n_same += usize::from(generate(&mut session, &prompt, &options).ids == expected);
        }
        println!("{device}: {n_same} of {n} drawn texts are the CPU's");
        assert!(100 * n_same >= SAME_DRAWN * n, "{device}: {n_same} of {n}");
    }
}

fn turns<B: Backend>(backend: B, generate: &GenerateOptions) -> Vec<String> {
    let options = ChatOptions { generate: generate.clone(), ..ChatOptions::default() };
    let mut chat = Chat::new(session(backend), options);
    let mut replies = Vec::new();
    for text in ["Good morning.", "How are you?", "Where is the station?"] {
        let mut reply = chat.send(text, &Cancel::new()).unwrap();
        while block_on(reply.next()).unwrap().is_some() {}
        let generated = reply.finish().unwrap();
        assert_eq!(generated.finish, FinishReason::Stop);
        replies.push(generated.text);
    }
    replies
}

#[test]
fn a_chat_goes_on_after_replies_that_ended_early() {
    let options =
        GenerateOptions { stop: vec![".".to_owned(), "؟".to_owned()], ..GenerateOptions::default() };
    let expected = turns(CpuBackend::threaded(2).unwrap(), &options);
    assert_eq!(turns(ahead_on_cpu(), &options), expected);
    for device in devices::for_models() {
        assert_eq!(turns(devices::shared(device), &options), expected, "{device}");
    }
}

#[test]
fn a_full_context_ends_a_generation_as_it_does_token_by_token() {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let options = hala_engine::LoadOptions {
        model: hala_model::Options { context: Some(24), ..Default::default() },
        ..Default::default()
    };
    let engine = hala_engine::Engine::load(ahead_on_cpu(), &checkpoint, options, |_| true).unwrap();
    let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
    let options = GenerateOptions { ignore_eos: true, ..GenerateOptions::default() };
    for n in 17..=24 {
        let generated = generate(&mut session, &prompt(0)[..1].repeat(n), &options);
        assert_eq!((generated.ids.len(), generated.finish), (25 - n, FinishReason::Length));
        block_on(session.clear()).unwrap();
    }
}
