//! The examples of crates/ffi/examples do what they say, as a newcomer runs them.

use crate::client::Client;
use crate::compiler::Watch;

const FOLDER: &str = "crates/ffi/examples";

/// What an example prints when it is given these arguments.
fn said(name: &str, arguments: &[&str]) -> Option<String> {
    let client = Client::of(&format!("{FOLDER}/{name}"), Watch::Nothing)?;
    Some(arguments.iter().fold(client, Client::arg).run())
}

#[test]
fn translate_prints_a_translation() {
    let Some(said) = said("translate.c", &[]) else { return };
    assert_eq!(said, "صباح الخير.\n");
}

#[test]
fn translate_takes_the_text_that_it_is_given() {
    let Some(said) = said("translate.c", &["صباح الخير."]) else { return };
    assert_eq!(said, "Good morning.\n");
}

#[test]
fn chat_streams_a_reply_and_stops_after_so_many_pieces() {
    let Some(whole) = said("chat.c", &[]) else { return };
    assert_eq!(whole, "صباح الخير. أين هي المحطة؟\n");
    let stopped = said("chat.c", &["", "3"]).unwrap();
    let begun = stopped.strip_suffix(" [stopped]\n").unwrap();
    assert!(!begun.is_empty() && begun.len() < 20 && whole.starts_with(begun), "{stopped}");
}

#[test]
fn batch_translates_eight_texts_by_one_call_and_by_eight_threads() {
    let Some(said) = said("batch.c", &[]) else { return };
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 9, "{said}");
    assert_eq!((lines[0], lines[4]), ("صباح الخير.", "Good morning."));
    assert_eq!(lines[8], "8 of 8 threads were told the same");
}

#[test]
fn translate_in_cpp_streams_each_sentence_with_its_translation() {
    let Some(said) = said("translate.cpp", &[]) else { return };
    assert_eq!(said, "\nGood morning. -> صباح الخير. \nWhere is the station? -> أين هو المحطة؟\n");
}
