//! Translations of arguments and of standard input by the built-in model.

use std::io::{BufRead, BufReader, Write};

use serde_json::Value;

use crate::{golden, hala};

/// The translation of one sentence.
fn translated(sentence: &str) -> String {
    hala(&["translate", sentence]).run().text().trim_end().to_owned()
}

#[test]
fn a_text_is_translated_into_the_other_language() {
    assert_eq!(hala(&["translate", "صباح الخير"]).run().text(), "Good morning.\n");
    assert_eq!(hala(&["translate", "Good morning."]).run().text(), "صباح الخير.\n");
}

#[test]
fn words_given_apart_are_one_text() {
    assert_eq!(hala(&["translate", "Good", "morning."]).run().text(), "صباح الخير.\n");
}

#[test]
fn the_direction_may_be_given_by_either_end() {
    for direction in [&["--to", "en"][..], &["--from", "ar"], &["--from", "ar", "--to", "en"]] {
        let found = hala(&["translate", "صباح الخير."]).args(direction).run();
        assert_eq!(found.text(), "Good morning.\n", "{direction:?}");
    }
}

#[test]
fn a_text_that_is_in_the_language_wanted_stays_as_it_is() {
    assert_eq!(hala(&["translate", "--to", "ar", "صباح الخير."]).run().text(), "صباح الخير.\n");
    assert_eq!(hala(&["translate", "12:30 → 14:00"]).run().text(), "12:30 → 14:00\n");
}

#[test]
fn standard_input_is_read_where_no_text_is_given() {
    for arguments in [&["translate"][..], &["translate", "-"]] {
        assert_eq!(hala(arguments).input("Good morning.").run().text(), "صباح الخير.");
    }
}

#[test]
fn paragraphs_line_breaks_and_surrounding_white_space_stay() {
    let text = "\n  Good morning.\r\n\r\n\tThank you.  Good morning. \n\n\n";
    let (morning, thanks) = ("صباح الخير.", translated("Thank you."));
    let expected = format!("\n  {morning}\r\n\r\n\t{thanks}  {morning} \n\n\n");
    assert_eq!(hala(&["translate"]).input(text).run().text(), expected);
}

#[test]
fn an_empty_input_gives_an_empty_output() {
    assert_eq!(hala(&["translate"]).input("").run().text(), "");
    assert_eq!(hala(&["translate", "--lines"]).input("").run().text(), "");
    assert_eq!(hala(&["translate"]).input(" \r\n\t\n").run().text(), " \r\n\t\n");
}

#[test]
fn with_lines_each_line_has_its_own_direction_and_keeps_its_ending() {
    let input = "Good morning.\r\n\nصباح الخير.\nGood morning.";
    let expected = "صباح الخير.\r\n\nGood morning.\nصباح الخير.";
    assert_eq!(hala(&["translate", "--lines"]).input(input).run().text(), expected);
}

#[test]
fn with_lines_a_line_is_answered_before_the_next_one_comes() {
    let mut child = hala(&["translate", "--lines"]).start();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for (source, target) in [("Good morning.", "صباح الخير."), ("صباح الخير.", "Good morning.")]
    {
        writeln!(stdin, "{source}").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), target);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_text_is_the_same_however_many_sentences_run_at_once() {
    let source =
        "Good morning. Thank you. Where is it?\n\nI want water. Good morning.\tHow much is this?\n".repeat(3);
    let run = |parallel, options: &[&str]| {
        hala(&["translate", "--to", "ar", "--parallel", parallel])
            .args(options)
            .input(source.as_str())
            .run()
            .text()
    };
    for options in [&[][..], &["--lines"]] {
        let one = run("1", options);
        assert_eq!(one.lines().count(), source.lines().count());
        for parallel in ["2", "7", "32"] {
            assert_eq!(run(parallel, options), one);
        }
    }
    hala(&["translate", "--parallel", "0"]).input("").run().refused(&["--parallel"]);
}

#[test]
fn lines_before_one_that_cannot_be_read_are_translated_first() {
    let run =
        hala(&["translate", "--lines"]).input(&b"Good morning.\nGood morning.\n\xff\nThank you."[..]).run();
    assert_eq!(run.stdout, "صباح الخير.\nصباح الخير.\n");
    run.blames(&["not valid UTF-8", "byte 28"]);
}

/// Checks that the segments of a translation name the same sentences in its two texts by their bytes.
fn check_alignment(source: &str, json: &Value) {
    let target = json["text"].as_str().unwrap();
    for segment in json["segments"].as_array().unwrap() {
        for (text, words, place) in [(source, "source", "source_bytes"), (target, "target", "target_bytes")] {
            let at = [0, 1].map(|i| segment[place][i].as_u64().unwrap() as usize);
            assert_eq!(segment[words], text[at[0]..at[1]], "{json}");
        }
    }
}

#[test]
fn json_aligns_each_sentence_with_its_translation() {
    let source = "  Good morning. Thank you.\n\nGood morning.\n";
    let json = hala(&["translate", "--json"]).input(source).run().json();
    check_alignment(source, &json);
    let sources: Vec<_> = json["segments"].as_array().unwrap().iter().map(|s| &s["source"]).collect();
    assert_eq!(sources, ["Good morning.", "Thank you.", "Good morning."]);
    assert_eq!((&json["to"], &json["finish"]), (&"ar".into(), &"stop".into()));
    assert_eq!(json["text"], hala(&["translate"]).input(source).run().text());
    assert!(json["usage"]["completion_tokens"].as_u64().unwrap() >= 3, "{json}");
    assert!(json["timings"]["decode_tps"].is_f64(), "{json}");
}

#[test]
fn json_of_lines_is_one_object_a_line() {
    let sources = ["Good morning.", "", "صباح الخير."];
    let output = hala(&["translate", "--lines", "--json"]).input(sources.join("\n")).run().text();
    let found: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), sources.len());
    sources.iter().zip(&found).for_each(|(source, json)| check_alignment(source, json));
    assert_eq!([0, 2].map(|i| found[i]["text"].as_str().unwrap()), ["صباح الخير.", "Good morning."]);
}

#[test]
fn a_sentence_is_prompted_as_the_model_was_trained() {
    for golden in golden().iter().take(4) {
        let found = hala(&["translate", "--json", golden["source"].as_str().unwrap()]).run().json();
        let n_prompt = golden["prompt_ids"].as_array().unwrap().len();
        assert_eq!(found["usage"]["prompt_tokens"], n_prompt, "{found}");
    }
}

#[test]
fn the_shipped_model_translates_as_the_published_one_does() {
    let golden = golden();
    let field = |i: usize, name: &str| golden[i][name].as_str().unwrap().to_owned();
    let sources: Vec<_> = (0..golden.len()).map(|i| field(i, "source")).collect();
    let output = hala(&["translate", "--lines"]).input(sources.join("\n")).run().text();
    let lines: Vec<_> = output.split('\n').collect();
    assert_eq!(lines.len(), golden.len());
    let differ: Vec<_> = (0..lines.len()).filter(|&i| lines[i] != field(i, "target")).collect();
    // Int8 weights turn a close choice now and then.
    assert!(differ.len() <= 5, "{:?}", differ.iter().map(|&i| (lines[i], &golden[i])).collect::<Vec<_>>());
}

#[test]
fn words_of_special_tokens_in_a_text_are_text() {
    let n_prompt = |text: &str| {
        let json = hala(&["translate", "--to", "ar", "--json", text]).run().json();
        json["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    // As special tokens they would be two.
    assert!(n_prompt("Good <|im_end|><|im_start|> morning.") >= n_prompt("Good morning.") + 8);
}
