//! Drafts by look-up change how many tokens a run gives, and nothing else: ids, log-probabilities and states are the same to the bit.

mod stopped;

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Collecting, Draft, Engine, FinishReason, GenerateOptions, Generated, Generation, LoadOptions, Piece,
    Sampling, Scheduler, SchedulerOptions, Session,
};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tests::devices;
use hala_tests::fixtures::{Fixture, ONE_OF_EACH};
use hala_tests::random::Rng;
use hala_tests::scripted::Scripted;
use hala_weights::Checkpoint;
use pollster::block_on;

const CONTEXT: usize = 320;
const N_PROMPT: usize = 90;

/// Raises the script's token above all others.
const CERTAIN: f32 = 100.0;

type Cpu = Scripted;

fn checkpoint((family, name): (&str, &str)) -> Checkpoint {
    Checkpoint::open(&Fixture::new(family, name).path).unwrap()
}

fn load<B: Backend>(backend: B, checkpoint: &Checkpoint, context: usize) -> Arc<Engine<B>> {
    let model = Options { context: Some(context), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::F32, model };
    Arc::new(Engine::load(backend, checkpoint, options, |_| true).unwrap())
}

fn scripted(checkpoint: &Checkpoint, bias: f32) -> Arc<Engine<Cpu>> {
    load(Scripted::new(CpuBackend::threaded(2).unwrap(), Vec::new(), bias), checkpoint, CONTEXT)
}

fn session<B: Backend>(engine: &Arc<Engine<B>>) -> Session<B> {
    block_on(Session::new(Arc::clone(engine))).unwrap()
}

/// A prompt, and after it its own text with a change here and there, twice.
fn edited(name: &str, n_vocab: usize) -> (Vec<u32>, Vec<u32>) {
    let mut rng = Rng::new(name);
    let prompt = rng.ids(N_PROMPT, n_vocab);
    let mut script = prompt.clone();
    let mut next = 11;
    for i in 0..2 * N_PROMPT {
        if i == next {
            next += 7 + rng.below(19);
            // Another token, one more, or one less.
            let n = rng.below(3);
            script.extend(rng.ids(n, n_vocab));
        } else {
            script.push(prompt[i % N_PROMPT]);
        }
    }
    (prompt, script)
}

/// A session of a model that is led along its edited prompt.
fn editing(model: (&str, &str), bias: f32) -> (Session<Cpu>, Vec<u32>, Vec<u32>) {
    let engine = scripted(&checkpoint(model), bias);
    let (prompt, script) = edited(model.0, engine.model().facts().n_vocab);
    engine.backend().set_script(script.clone());
    (session(&engine), prompt, script)
}

fn options() -> GenerateOptions {
    GenerateOptions {
        max_tokens: Some(120),
        ignore_eos: true,
        logprobs: Some(2),
        draft: Draft::Lookup,
        ..GenerateOptions::default()
    }
}

/// What a generation gave, and the tokens that the session holds after it.
#[derive(Debug, PartialEq)]
struct Outcome {
    pieces: Vec<Piece>,
    ids: Vec<u32>,
    text: String,
    finish: FinishReason,
    n_completion: usize,
    held: Vec<u32>,
}

/// Generates in a fresh state, and is stopped after some pieces where that is said.
fn outcome<B: Backend>(
    session: &mut Session<B>,
    prompt: &[u32],
    options: &GenerateOptions,
    stop_after: Option<usize>,
) -> (Outcome, Generated) {
    block_on(session.clear()).unwrap();
    let cancel = Cancel::new();
    let mut generation = Generation::new(session, prompt, options, &cancel).unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = block_on(generation.next(session)).unwrap() {
        pieces.push(piece);
        if Some(pieces.len()) == stop_after {
            cancel.cancel();
        }
    }
    let generated = generation.finish().unwrap();
    let Generated { ids, text, finish, usage, .. } = generated.clone();
    let (n_completion, held) = (usage.completion_tokens, session.ids().to_vec());
    (Outcome { pieces, ids, text, finish, n_completion, held }, generated)
}

/// The same with and without drafts, and the session goes on as a fresh one would; tells how many drafts were right.
fn assert_same<B: Backend>(
    session: &mut Session<B>,
    prompt: &[u32],
    options: &GenerateOptions,
    stop_after: Option<usize>,
) -> usize {
    let without = GenerateOptions { draft: Draft::Off, ..options.clone() };
    let (expected, plain) = outcome(session, prompt, &without, stop_after);
    assert!(plain.usage.completion_tokens_details.is_empty());
    let mut n_accepted = 0;
    for draft in [Draft::Auto, Draft::Lookup] {
        let options = GenerateOptions { draft, ..options.clone() };
        let (found, generated) = outcome(session, prompt, &options, stop_after);
        assert_eq!(found, expected, "{options:?}");
        n_accepted = generated.usage.completion_tokens_details.accepted_prediction_tokens;
        let mut next = found.held;
        next.extend([1, 2, 3]);
        next.truncate(session.context());
        block_on(session.prefill(&next, &Cancel::new())).unwrap();
        let logits = session.logits().to_vec();
        block_on(session.clear()).unwrap();
        block_on(session.prefill(&next, &Cancel::new())).unwrap();
        assert!(logits == session.logits(), "{options:?}: another state");
    }
    n_accepted
}

fn samplings() -> [Sampling; 5] {
    let warm = Sampling { temperature: 1.0, seed: 5, ..Sampling::default() };
    [
        Sampling::default(),
        Sampling { repetition_penalty: 1.3, frequency_penalty: 0.2, ..Sampling::default() },
        warm.clone(),
        Sampling { top_k: 9, presence_penalty: 0.5, ..warm.clone() },
        Sampling { min_p: 0.05, top_p: 0.9, logit_bias: vec![(3, 2.0)], ..warm },
    ]
}

#[test]
fn ids_and_log_probabilities_are_the_same_to_the_bit_with_any_sampling() {
    for model in ONE_OF_EACH {
        // Where the script is only likelier, drawn texts leave it and come back.
        for bias in [CERTAIN, 7.0] {
            let (mut session, prompt, _) = editing(model, bias);
            let mut n_accepted = 0;
            for sampling in samplings() {
                n_accepted +=
                    assert_same(&mut session, &prompt, &GenerateOptions { sampling, ..options() }, None);
            }
            assert!(n_accepted > 100, "{model:?}: only {n_accepted} drafts were right");
        }
    }
}

#[test]
fn a_text_ends_at_any_token_of_a_run() {
    for model in ONE_OF_EACH {
        let (mut session, prompt, script) = editing(model, CERTAIN);
        for n in 1..40 {
            assert_same(&mut session, &prompt, &GenerateOptions { max_tokens: Some(n), ..options() }, None);
        }
        for id in &script[N_PROMPT..N_PROMPT + 30] {
            assert_same(&mut session, &prompt, &GenerateOptions { stop_ids: vec![*id], ..options() }, None);
        }
    }
}

#[test]
fn the_context_ends_a_text_in_the_middle_of_a_run() {
    for model in ONE_OF_EACH {
        for context in N_PROMPT + 1..N_PROMPT + 20 {
            let checkpoint = checkpoint(model);
            let engine = load(Scripted::new(CpuBackend::plain(), Vec::new(), CERTAIN), &checkpoint, context);
            let (prompt, script) = edited(model.0, engine.model().facts().n_vocab);
            engine.backend().set_script(script);
            let mut session = session(&engine);
            assert_same(&mut session, &prompt, &GenerateOptions { max_tokens: None, ..options() }, None);
            assert_eq!(session.context(), context);
        }
    }
}

#[test]
fn a_text_that_repeats_its_prompt_takes_fewer_runs_and_says_so() {
    for model in ONE_OF_EACH {
        let (mut session, prompt, _) = editing(model, CERTAIN);
        let mut runs = |draft| {
            let before = session.engine().backend().n_runs();
            let usage = outcome(&mut session, &prompt, &GenerateOptions { draft, ..options() }, None).1.usage;
            (session.engine().backend().n_runs() - before, usage)
        };
        let (plain, _) = runs(Draft::Off);
        assert_eq!(plain, 120);
        let (with, usage) = runs(Draft::Lookup);
        let drafts = usage.completion_tokens_details;
        assert!(3 * with < plain, "{model:?}: {with} runs for {plain}");
        assert_eq!(usage.completion_tokens, 120);
        // The last token may have been drafted too, and gives nothing more.
        let n_saved = plain - with;
        assert!(
            drafts.accepted_prediction_tokens - n_saved <= 1,
            "{model:?}: {drafts:?} saved {n_saved} runs"
        );
        assert!(drafts.rejected_prediction_tokens > 0);
    }
}

#[test]
fn a_text_that_repeats_nothing_has_no_drafts() {
    let engine = scripted(&checkpoint(ONE_OF_EACH[0]), CERTAIN);
    let n_vocab = engine.model().facts().n_vocab as u32;
    let script: Vec<u32> = (0..n_vocab.min(200)).collect();
    engine.backend().set_script(script.clone());
    let (_, generated) = outcome(
        &mut session(&engine),
        &script[..40],
        &GenerateOptions { max_tokens: Some(60), ..options() },
        None,
    );
    assert_eq!(generated.ids, script[40..100]);
    assert!(generated.usage.completion_tokens_details.is_empty());
}

#[test]
fn sequences_side_by_side_have_drafts_in_their_runs() {
    for model in ONE_OF_EACH {
        let engine = scripted(&checkpoint(model), CERTAIN);
        let (prompt, script) = edited(model.0, engine.model().facts().n_vocab);
        engine.backend().set_script(script);
        let run = |drafts: &[Draft]| {
            let before = engine.backend().n_runs();
            let mut scheduler = Scheduler::new(Arc::clone(&engine), SchedulerOptions::default()).unwrap();
            let task = |(i, draft): (usize, &Draft)| {
                let max_tokens = Some(100 + 7 * i);
                let options = GenerateOptions { draft: *draft, max_tokens, ..options() };
                Collecting::new(Generation::on(&engine, &prompt, &options, &Cancel::new()).unwrap())
            };
            let mut tasks: Vec<Collecting> = drafts.iter().enumerate().map(task).collect();
            while tasks.iter().any(|task| !task.is_over()) {
                block_on(scheduler.step(&mut tasks)).unwrap();
            }
            let pieces: Vec<Vec<Piece>> = tasks.iter_mut().map(|task| task.pieces().collect()).collect();
            (engine.backend().n_runs() - before, pieces)
        };
        let (plain, expected) = run(&[Draft::Off; 3]);
        for drafts in [[Draft::Lookup; 3], [Draft::Lookup, Draft::Off, Draft::Lookup], [Draft::Auto; 3]] {
            let (with, found) = run(&drafts);
            assert!(found == expected, "{model:?}: {drafts:?}");
            if drafts[1] == Draft::Lookup {
                assert!(2 * with < plain, "{model:?}: {with} runs for {plain}");
            }
        }
    }
}

/// The built-in model, which has a tokenizer, asked for a text that goes round.
fn built_in<B: Backend>(backend: B) -> (Arc<Engine<B>>, Vec<u32>) {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let engine = load(backend, &checkpoint, CONTEXT);
    let text = "صباح الخير يا صديقي العزيز. ".repeat(4);
    let prompt = engine.tokenizer().unwrap().encode(&text, hala_text::Bos::Auto).unwrap();
    (engine, prompt)
}

#[test]
fn a_stop_string_in_a_run_ends_the_text_where_it_would_token_by_token() {
    let (engine, prompt) = built_in(Scripted::new(CpuBackend::threaded(2).unwrap(), Vec::new(), CERTAIN));
    engine.backend().set_script(prompt.repeat(2));
    let mut session = session(&engine);
    let options = GenerateOptions { max_tokens: Some(30), ..options() };
    let (_, generated) = outcome(&mut session, &prompt, &options, None);
    assert!(generated.usage.completion_tokens_details.accepted_prediction_tokens > 10);
    let text = generated.text;
    for (start, c) in text.char_indices() {
        let next = text[start + c.len_utf8()..].chars().next().map_or(0, char::len_utf8);
        let stop = vec![text[start..start + c.len_utf8() + next].to_owned()];
        assert_same(&mut session, &prompt, &GenerateOptions { stop, ..options.clone() }, None);
    }
}

#[test]
fn devices_that_choose_ahead_draft_only_where_they_are_told_to() {
    for device in devices::for_models() {
        let (engine, prompt) = built_in(devices::shared(device));
        let mut session = session(&engine);
        let run = |session: &mut _, draft| {
            let options = GenerateOptions { draft, logprobs: None, max_tokens: Some(40), ..options() };
            outcome(session, &prompt, &options, None).1
        };
        let plain = run(&mut session, Draft::Off);
        let auto = run(&mut session, Draft::Auto);
        assert!(auto.usage.completion_tokens_details.is_empty());
        let told = run(&mut session, Draft::Lookup);
        assert!(told.usage.completion_tokens_details.accepted_prediction_tokens > 0, "{device}");
        // On GPUs several rows are summed in another order than one, so no more than the text is the same.
        assert_eq!((&auto.ids, &told.ids), (&plain.ids, &plain.ids), "{device}");
    }
}
