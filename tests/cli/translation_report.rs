//! What `hala translate` says of sentences that it could not translate as it should: notices, JSON, the exit status.

use std::fs;

use tempfile::tempdir;

use crate::{Done, hala};

/// A text that the built-in model repeats itself on, and whose loop it does not leave.
const LOOPS: &str = "+ + + + q + + + +";

/// A string that is longer than any prompt.
fn stuck() -> String {
    format!("![p](data:image/png;base64,{})", "iVBORw0KGgoAAAANSUhEUgAA".repeat(400))
}

fn notices(done: &Done) -> Vec<&str> {
    done.stderr.lines().collect()
}

#[test]
fn a_string_that_cannot_be_cut_stays_and_a_notice_names_its_line() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("in.md");
    let text = format!("Good morning.\r\n\r\n{}\r\n\r\nGood morning.\r\n", stuck());
    fs::write(&path, &text).unwrap();
    for options in [&[][..], &["--lines"]] {
        let done = hala(&["translate", "--to", "ar", "--file"]).arg(&path).args(options).run();
        let (first, last) = (&notices(&done)[0], notices(&done).len() - 1);
        assert!(first.contains("in.md`, line 3: 9,"), "{first}");
        assert!(notices(&done)[last].contains("1 passed through untranslated (line 3)"), "{done:?}");
        assert_eq!(done.text(), text.replace("Good morning.", "صباح الخير."));
    }
}

#[test]
fn tabs_and_form_feeds_come_out_where_they_were() {
    let text = "id\tGood morning.\tGood morning.\n1\t\tGood morning.\n\u{0C}Good morning.\t\n";
    let found = hala(&["translate", "--to", "ar"]).input(text.replace("id", "1")).run().text();
    assert_eq!(found, text.replace("id", "1").replace("Good morning.", "صباح الخير."));
}

#[test]
fn a_loop_is_cut_and_named_and_counted() {
    let input = format!("Good morning.\n{LOOPS}\n");
    let done = hala(&["translate", "--to", "ar"]).input(input).run();
    assert!(
        notices(&done)[0].starts_with("standard input, line 2: a translation repeated itself"),
        "{done:?}"
    );
    assert!(notices(&done)[0].ends_with(LOOPS), "{done:?}");
    assert_eq!(notices(&done)[1], "standard input: of 2 sentences: 1 cut at a repetition (line 2)");
    let text = done.text();
    assert!(text.starts_with("صباح الخير.\n") && !text.contains("+ + + + + + + +"), "{text}");
}

#[test]
fn json_says_of_each_segment_what_became_of_it() {
    let input = format!("Good morning.\n{LOOPS}\n12:30\nصباح الخير.\n{}\n", stuck());
    let done = hala(&["translate", "--to", "ar", "--json"]).input(input).run();
    assert_eq!(notices(&done).len(), 1, "{done:?}");
    let json = done.json();
    let field = |name: &str| {
        let segments = json["segments"].as_array().unwrap();
        segments.iter().map(|s| s[name].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(field("copied"), ["", "", "no-letters", "target-language", "too-long"]);
    assert_eq!(field("looped"), ["", "cut", "", "", ""]);
    assert_eq!(json["finish"], "stop");
}

#[test]
fn a_text_of_a_third_language_is_said_to_be_one() {
    let text = "Je voudrais une chambre pour deux personnes, s'il vous plaît, et le petit déjeuner est dans le prix.";
    let done = hala(&["translate", "--to", "ar", text]).run();
    assert!(done.stderr.contains("French"), "{done:?}");
    let json = hala(&["translate", "--to", "ar", "--json", text]).run().json();
    assert_eq!(
        (&json["other_language"], &json["segments"][0]["other_language"]),
        (&"fr".into(), &"fr".into())
    );
}

#[test]
fn strict_ends_with_3_where_there_is_doubt_and_the_output_is_there() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out.txt");
    for (text, code) in [("Good morning.", 0), ("12:30", 0), ("صباح الخير.", 0), (LOOPS, 3), (&stuck(), 3)]
    {
        let run = hala(&["translate", "--to", "ar", "--strict", "--output"]).arg(&output).args(&["--", text]);
        let done = run.run();
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(!fs::read_to_string(&output).unwrap().is_empty());
        fs::remove_file(&output).unwrap();
    }
}

#[test]
fn quiet_says_nothing_and_a_sound_translation_needs_no_word() {
    let done = hala(&["translate", "--to", "ar", "--quiet", LOOPS]).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let done = hala(&["translate", "--to", "ar", "Good morning."]).run();
    assert_eq!(notices(&done), [""; 0]);
}
