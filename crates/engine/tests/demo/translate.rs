//! Whole texts: layout kept, sentences aligned, streams, cancellation.

use hala_engine::{Direction, EngineError, FinishReason, Session, Translator};
use hala_plan::Cancel;
use hala_text::Language;
use pollster::block_on;

use crate::{load, session};

#[test]
fn a_translation_keeps_paragraphs_and_aligns_sentences() {
    let mut translator = Translator::new(session());
    let text = "  Good morning.\n\nWhere is the station?  Thank you.\n12345\n";
    let found = block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap();
    assert_eq!(found.to, Language::Arabic);
    assert_eq!(found.finish, FinishReason::Stop);
    let pairs: Vec<(&str, &str)> =
        found.segments.iter().map(|s| (&text[s.source.clone()], &found.text[s.target.clone()])).collect();
    assert_eq!(pairs[0], ("Good morning.", "صباح الخير."));
    assert_eq!(pairs[1].0, "Where is the station?");
    assert!(pairs[1].1.ends_with('؟'), "{}", pairs[1].1);
    assert_eq!(pairs[2].0, "Thank you.");
    let expected = format!("  {}\n\n{}  {}\n12345\n", pairs[0].1, pairs[1].1, pairs[2].1);
    assert_eq!(found.text, expected);
}

#[test]
fn a_streamed_translation_is_the_whole_one() {
    let mut translator = Translator::new(session());
    let text = "صباح الخير. شكرا لك.";
    let whole = block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap();
    let mut stream = translator.stream(text, Direction::to(Language::English), &Cancel::new()).unwrap();
    let mut streamed = String::new();
    while let Some(piece) = block_on(stream.next()).unwrap() {
        streamed += &piece;
    }
    assert_eq!(stream.finish().unwrap().text, whole.text);
    assert_eq!(streamed, whole.text);
    assert!(whole.text.starts_with("Good morning"), "{}", whole.text);
}

#[test]
fn texts_without_letters_or_in_the_target_language_stay_as_they_are() {
    let mut translator = Translator::new(session());
    for text in ["", " \n\t ", "12:30 → 14:00 😀", "صباح الخير."] {
        let direction = Direction::to(Language::Arabic);
        let found = block_on(translator.translate(text, direction, &Cancel::new())).unwrap();
        assert_eq!(found.text, text);
        assert_eq!(found.usage.completion_tokens, 0);
    }
    let same = Direction { from: Some(Language::Arabic), to: Some(Language::Arabic) };
    let error = block_on(translator.translate("x", same, &Cancel::new())).unwrap_err().to_string();
    assert!(error.contains("both Arabic"), "{error}");
}

#[test]
fn a_sentence_longer_than_the_context_is_split_at_white_space_and_a_word_is_refused() {
    let session = block_on(Session::new(load(Some(96)))).unwrap();
    let mut translator = Translator::new(session);
    let long = "good morning my friend and ".repeat(12);
    let found = block_on(translator.translate(&long, Direction::default(), &Cancel::new())).unwrap();
    assert!(found.segments.len() > 1);
    let word = "x".repeat(2000);
    let error = block_on(translator.translate(&word, Direction::default(), &Cancel::new())).unwrap_err();
    assert!(matches!(error, EngineError::PromptTooLong { .. }), "{error}");
}

#[test]
fn a_cancelled_translation_ends_with_what_there_is() {
    let mut translator = Translator::new(session());
    let cancel = Cancel::new();
    let mut stream =
        translator.stream("Good morning. Thank you. Where is it?", Direction::default(), &cancel).unwrap();
    block_on(stream.next()).unwrap().unwrap();
    cancel.cancel();
    while block_on(stream.next()).unwrap().is_some() {}
    let found = stream.finish().unwrap();
    assert_eq!(found.finish, FinishReason::Cancelled);
    assert!(found.segments.len() <= 1);
    let texts = ["Good morning.", "Thank you."];
    let all = block_on(translator.translate_all(&texts, Direction::default(), &Cancel::new())).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].text, "صباح الخير.");
}
