//! Whole texts: layout kept, sentences aligned, streams, cancellation.

use hala_engine::{
    Direction, FinishReason, Handed, Looped, Obstacle, Outcome, Translated, Translation, Translations,
};
use hala_plan::Cancel;
use hala_text::Language;
use pollster::block_on;

use crate::{engine, load, translator};

#[test]
fn a_translation_keeps_paragraphs_and_aligns_sentences() {
    let mut translator = translator(engine());
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
    let mut translator = translator(engine());
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
    let mut translator = translator(engine());
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
fn a_sentence_longer_than_the_context_is_split_at_white_space() {
    let mut translator = translator(load(Some(96)));
    let long = "good morning my friend and ".repeat(12).trim_end().to_owned();
    let found = block_on(translator.translate(&long, Direction::default(), &Cancel::new())).unwrap();
    assert!(found.segments.len() > 1);
    let spaces: Vec<&str> =
        found.segments.windows(2).map(|pair| &long[pair[0].source.end..pair[1].source.start]).collect();
    assert!(spaces.iter().all(|space| *space == " "), "{spaces:?}");
}

#[test]
fn a_long_sentence_is_cut_behind_commas_before_spaces() {
    let mut translator = translator(load(Some(96)));
    let clause = "good morning my friend and good morning to you";
    let text = [clause; 3].join(", ");
    let found = block_on(translator.translate(&text, Direction::default(), &Cancel::new())).unwrap();
    let sources: Vec<&str> =
        found.segments.iter().map(|s| text[s.source.clone()].trim_end_matches(',')).collect();
    assert_eq!(sources, [clause; 3]);
}

#[test]
fn a_string_that_fits_no_prompt_passes_through_and_the_text_goes_on() {
    let mut translator = translator(engine());
    for stuck in [
        "x".repeat(100_000),
        format!("![p](data:image/png;base64,{})", "iVBORw0KGgoAAAANSUhEUgAA".repeat(400)),
        format!("{{{}\"z\":0}}", r#""key":"value","#.repeat(2000)),
        "مرحبابكم".repeat(5000),
    ] {
        let text = format!("Good morning.\n{stuck}\nGood morning.");
        let found =
            block_on(translator.translate(&text, Direction::to(Language::Arabic), &Cancel::new())).unwrap();
        assert_eq!(found.text, format!("صباح الخير.\n{stuck}\nصباح الخير."));
        assert_eq!((found.finish, found.segments.len()), (FinishReason::Stop, 3));
        let outcome = found.segments[1].remarks.outcome;
        let copied = matches!(outcome, Outcome::PassedThrough(Obstacle::TooLong) | Outcome::Copied(_));
        assert!(copied, "{outcome:?}");
    }
}

#[test]
fn words_around_a_string_that_fits_no_prompt_are_translated() {
    let mut translator = translator(engine());
    let text = format!("Good morning {} good morning", "x".repeat(20_000));
    let found = block_on(translator.translate(&text, Direction::default(), &Cancel::new())).unwrap();
    let outcomes: Vec<bool> = found
        .segments
        .iter()
        .map(|s| s.remarks.outcome == Outcome::PassedThrough(Obstacle::TooLong))
        .collect();
    assert_eq!(outcomes, [false, true, false]);
    assert!(found.text.contains(&format!(" {} ", "x".repeat(20_000))));
}

#[test]
fn cells_are_translated_one_by_one() {
    let mut translator = translator(engine());
    let text = "1\tGood morning.\t\r\n\tGood morning.   Good morning.\r\n\u{0C}Good morning.";
    let found = block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap();
    assert_eq!(found.text, text.replace("Good morning.", "صباح الخير."));
}

fn looped(translated: &Translated) -> Vec<Option<Looped>> {
    let looped = |outcome| match outcome {
        Outcome::Translated { looped, .. } => looped,
        Outcome::Copied(_) | Outcome::PassedThrough(_) => None,
    };
    translated.segments.iter().map(|s| looped(s.remarks.outcome)).collect()
}

#[test]
fn a_translation_that_repeats_itself_is_tried_again_and_then_cut() {
    let mut translator = translator(engine());
    for (text, how, most_tokens) in [
        ("MERRY CHRISTMAS EVERYONE", Looped::Retried, 40),
        ("+ + + + q + + + +", Looped::Cut, 40),
        ("= = = = b = = = =", Looped::Cut, 40),
    ] {
        let mut stream = translator.stream(text, Direction::to(Language::Arabic), &Cancel::new()).unwrap();
        let mut streamed = String::new();
        while let Some(piece) = block_on(stream.next()).unwrap() {
            streamed += &piece;
        }
        let found = stream.finish().unwrap();
        assert_eq!(looped(&found), [Some(how)], "{found:?}");
        assert_eq!((streamed, found.finish), (found.text.clone(), FinishReason::Stop));
        // A loop that is not found takes twice the tokens of the prompt and more.
        assert!(found.usage.completion_tokens <= most_tokens, "{found:?}");
        assert!(!found.text.contains("RIRIRIRI"), "{found:?}");
        // The sentence behind it is translated as it is by itself.
        let after = block_on(translator.translate("Good morning.", Direction::default(), &Cancel::new()));
        assert_eq!(after.unwrap().text, "صباح الخير.");
    }
}

#[test]
fn a_repetition_of_the_source_stays_and_the_translation_goes_on_behind_it() {
    let mut translator = translator(engine());
    let text = "never, never, never, never, never give up";
    let found = block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap();
    assert!(found.text.starts_with("لا، لا، لا، لا، لا"), "{}", found.text);
    assert_eq!(looped(&found), [Some(Looped::Retried)]);
    assert!(found.text.chars().count() > 25, "{}", found.text);
}

#[test]
fn a_cancelled_translation_ends_with_what_there_is() {
    let mut translator = translator(engine());
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

#[test]
fn a_translation_that_is_cancelled_before_its_next_sentence_ends() {
    let mut translator = translator(engine());
    let cancel = Cancel::new();
    let translation =
        Translation::new(translator.engine(), "Good morning.", Direction::default(), &cancel).unwrap();
    cancel.cancel();
    let mut translations = Translations::default();
    translations.push(translation);
    let handed = block_on(translations.step(translator.scheduler())).unwrap();
    let Handed::End(translated) = handed else { panic!("{handed:?}") };
    assert_eq!((translated.finish, translated.text.as_str()), (FinishReason::Cancelled, ""));
    assert!(translations.is_empty());
}

/// The tokens of the prompts and of the translations, and how many sentences were translated.
fn counts(text: &str, direction: Direction) -> (usize, usize, usize) {
    let found = block_on(translator(engine()).translate(text, direction, &Cancel::new())).unwrap();
    (found.usage.prompt_tokens, found.usage.completion_tokens, found.segments.len())
}

#[test]
fn what_the_user_names_holds_whatever_letters_are_more() {
    let named = Direction { from: Some(Language::Arabic), to: Some(Language::English) };
    for text in ["راسلنا على info@example.com", "كتاب (Book)", "اكتب docker compose up --build ثم انتظر"]
    {
        for direction in [named, Direction::default()] {
            let (_, n_tokens, n_segments) = counts(text, direction);
            assert!(n_tokens >= 1 && n_segments >= 1, "{text}");
        }
    }
    let (_, n_tokens, _) =
        counts("كتاب (Book)", Direction { from: Some(Language::English), to: Some(Language::Arabic) });
    assert!(n_tokens >= 1);
}

#[test]
fn code_is_no_evidence_and_is_copied_into_english() {
    let code = "```sh\ngit clone https://example.com/group/project.git\ncd project\nmake install\n```";
    let text = format!("مرحبا بكم.\n\n{code}\n\nثم اقرأ.");
    let found =
        block_on(translator(engine()).translate(&text, Direction::default(), &Cancel::new())).unwrap();
    let copied: Vec<bool> =
        found.segments.iter().map(|s| matches!(s.remarks.outcome, Outcome::Copied(_))).collect();
    assert_eq!((found.to, copied), (Language::English, vec![false, true, true, true, true, true, false]));
    assert!(found.text.contains(&format!("\n\n{code}\n\n")), "{}", found.text);
}

#[test]
fn invisible_marks_change_neither_prompts_nor_what_is_between_sentences() {
    let plain = "Hello. Thank you. Good morning.";
    let direction = Direction::to(Language::Arabic);
    let expected = counts(plain, direction);
    let mut translator = translator(engine());
    let translated = block_on(translator.translate(plain, direction, &Cancel::new())).unwrap().text;
    for mark in
        ['\u{200F}', '\u{200E}', '\u{061C}', '\u{202B}', '\u{2068}', '\u{200B}', '\u{FEFF}', '\u{2060}']
    {
        let text = format!("{mark}{}", plain.replace(". ", &format!(". {mark}")));
        assert_eq!(counts(&text, direction), expected, "{mark:?}");
        let found = block_on(translator.translate(&text, direction, &Cancel::new())).unwrap();
        assert_eq!(
            found.text,
            format!("{mark}{}", translated.replace(". ", &format!(". {mark}"))),
            "{mark:?}"
        );
        assert!(found.segments.iter().all(|s| !text[s.source.clone()].contains(mark)));
    }
}

#[test]
fn texts_that_read_the_same_are_translated_the_same() {
    let mut translator = translator(engine());
    let mut translated =
        |text: &str| block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap().text;
    for (plain, same) in [
        ("صباح الخير", "\u{FEBB}\u{FE92}\u{FE8E}\u{FEA3} ال\u{200B}خـــير"),
        ("السلام عليكم", "الس\u{FEFB}م\u{FEFF} عليكم"),
        ("أين المحطة؟", "أین المحطة?"),
        ("Good morning", "Ｇｏｏｄ\u{2009}mor\u{AD}ning"),
        ("I fixed the fish", "I \u{FB01}xed\u{A0}the \u{FB01}sh"),
    ] {
        assert_eq!(translated(same), translated(plain), "{same:?}");
    }
}

#[test]
fn a_text_of_a_third_language_is_said_to_be_one() {
    let mut translator = translator(engine());
    for (text, code) in
        [("Où est la gare ?", Some("fr")), ("سلام، حال شما چطور است؟", Some("fa")), ("Good morning.", None)]
    {
        let found = block_on(translator.translate(text, Direction::default(), &Cancel::new())).unwrap();
        assert_eq!(found.other_language.map(|language| language.code()), code, "{text}");
    }
}
