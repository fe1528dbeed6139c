//! Streams of text: stops, limits, seeds, cancellation, and what is never generated.

use std::borrow::Cow;
use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, FinishReason, GenerateOptions, Generation, LoadOptions, Sampling, Session};
use hala_plan::Cancel;
use hala_weights::Checkpoint;
use pollster::block_on;

use crate::{ids, load, prompt, session};

#[test]
fn greedy_output_is_the_reference_implementations_on_most_sentences() {
    let mut session = session();
    let mut n_equal = 0;
    for line in hala_demo_model::GOLDEN.lines() {
        let golden: serde_json::Value = serde_json::from_str(line).unwrap();
        let list = |key: &str| -> Vec<u32> {
            golden[key].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
        };
        let options = GenerateOptions { max_tokens: Some(200), ..GenerateOptions::default() };
        let generation = Generation::new(&session, &list("prompt_ids"), &options, &Cancel::new()).unwrap();
        let generated = block_on(generation.run(&mut session)).unwrap();
        let mut expected = list("output_ids");
        expected.pop_if(|id| *id == 7);
        n_equal += usize::from(generated.ids == expected);
    }
    assert!(n_equal >= 55, "{n_equal} of 60");
}

#[test]
fn the_pieces_of_a_stream_are_the_text() {
    let mut session = session();
    let options = GenerateOptions { logprobs: Some(3), ..GenerateOptions::default() };
    let mut generation =
        Generation::new(&session, &prompt("Good morning."), &options, &Cancel::new()).unwrap();
    let mut text = String::new();
    while let Some(piece) = block_on(generation.next(&mut session)).unwrap() {
        text += &piece.text;
        if let Some(logprobs) = piece.logprobs {
            assert_eq!(logprobs.top.len(), 3);
            // Greedy: the chosen token is the likeliest.
            assert_eq!(logprobs.chosen, logprobs.top[0]);
        }
    }
    let generated = generation.finish().unwrap();
    assert_eq!(text, generated.text);
    assert_eq!(text, "صباح الخير.");
    assert_eq!(generated.finish, FinishReason::Stop);
    assert_eq!(generated.usage.completion_tokens, generated.ids.len() + 1);
}

#[test]
fn a_stop_string_ends_the_text_before_it() {
    let mut session = session();
    let options = GenerateOptions { stop: vec!["الخير".to_owned()], ..GenerateOptions::default() };
    let generation = Generation::new(&session, &prompt("Good morning."), &options, &Cancel::new()).unwrap();
    let generated = block_on(generation.run(&mut session)).unwrap();
    assert_eq!((generated.text.as_str(), generated.finish), ("صباح ", FinishReason::Stop));
}

#[test]
fn the_token_limit_and_the_context_end_a_generation_as_length() {
    let mut session = session();
    let options = GenerateOptions { max_tokens: Some(2), ignore_eos: true, ..GenerateOptions::default() };
    let generation = Generation::new(&session, &prompt("Good morning."), &options, &Cancel::new()).unwrap();
    let generated = block_on(generation.run(&mut session)).unwrap();
    assert_eq!((generated.ids.len(), generated.finish), (2, FinishReason::Length));

    let mut small = block_on(Session::new(load(Some(24)))).unwrap();
    let options = GenerateOptions { ignore_eos: true, ..GenerateOptions::default() };
    let generation = Generation::new(&small, &ids(20, 1), &options, &Cancel::new()).unwrap();
    let generated = block_on(generation.run(&mut small)).unwrap();
    assert_eq!((generated.ids.len(), generated.finish), (5, FinishReason::Length));
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_seed_another() {
    let run = |seed| {
        let mut session = session();
        let sampling = Sampling { temperature: 1.5, seed, ..Sampling::default() };
        let options = GenerateOptions { sampling, max_tokens: Some(40), ..GenerateOptions::default() };
        let generation =
            Generation::new(&session, &prompt("The weather is nice today."), &options, &Cancel::new());
        block_on(generation.unwrap().run(&mut session)).unwrap().ids
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn cancelling_between_tokens_keeps_the_text_so_far() {
    let mut session = session();
    let cancel = Cancel::new();
    let options = GenerateOptions { ignore_eos: true, ..GenerateOptions::default() };
    let mut generation = Generation::new(&session, &prompt("Good morning."), &options, &cancel).unwrap();
    for _ in 0..3 {
        block_on(generation.next(&mut session)).unwrap().unwrap();
    }
    cancel.cancel();
    while block_on(generation.next(&mut session)).unwrap().is_some() {}
    let generated = generation.finish().unwrap();
    assert_eq!((generated.ids.len(), generated.finish), (3, FinishReason::Cancelled));
    assert!(!generated.text.is_empty());
}

/// The built-in model's files with one token taken out of the tokenizer.
fn files_without_token(id: u32) -> Vec<(String, Cow<'static, [u8]>)> {
    let mut files = hala_demo_model::files();
    let (_, bytes) = files.iter_mut().find(|(name, _)| name == "tokenizer.json").unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let vocab = json["model"]["vocab"].as_object_mut().unwrap();
    let token = vocab.iter().find(|(_, v)| **v == id).unwrap().0.clone();
    vocab.retain(|name, _| *name != token);
    json["model"]["merges"].as_array_mut().unwrap().retain(|pair| {
        let [a, b] = [0, 1].map(|i| pair[i].as_str().unwrap());
        a != token && b != token && format!("{a}{b}") != token
    });
    *bytes = serde_json::to_vec(&json).unwrap().into();
    files
}

#[test]
fn ids_that_the_tokenizer_does_not_define_are_never_generated() {
    let mut session = session();
    let prompt = prompt("Good morning.");
    let run = |session: &mut Session<CpuBackend>| {
        let options =
            GenerateOptions { max_tokens: Some(3), logprobs: Some(1), ..GenerateOptions::default() };
        let generation = Generation::new(session, &prompt, &options, &Cancel::new()).unwrap();
        block_on(generation.run(session)).unwrap().ids
    };
    let first = run(&mut session)[0];
    let checkpoint = Checkpoint::from_files(files_without_token(first)).unwrap();
    let engine = Engine::load(CpuBackend::plain(), &checkpoint, LoadOptions::default(), |_| true).unwrap();
    let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
    let ids = run(&mut session);
    assert!(!ids.is_empty() && !ids.contains(&first), "{ids:?}");
}
