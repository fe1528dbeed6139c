//! New tokenizers: what they make of texts, here and in transformers.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Write;
use std::process::Command;

use hala_text::{Bos, ChatInput, Message, Specials, Tokenizer, TokenizerFiles};
use hala_train::TrainError;
use hala_train::data::{Form, Source};
use hala_train::tokenizer::{Digits, TokenizerOptions, TokenizerTraining, TrainedTokenizer};
use serde_json::json;
use tempfile::TempDir;

const INSTRUCTION: &str = "Translate everything that follows into Arabic:\n\n";
const TEXTS: [&str; 12] = [
    "",
    " ",
    "Good morning.",
    "صباح الخير، كيف حالك؟",
    "السَّلَامُ عَلَيْكُمْ وَرَحْمَةُ اللَّهِ",
    "1234567 ٣٤٥٦٧ 3.14",
    "😀👍🏽 👨‍👩‍👧‍👦 🇪🇬 ❤️",
    "mixed نص English مع عربي 2024م\r\n\r\n  end  ",
    "\u{200f}مرحبا\u{200e} \u{2067}x\u{2069} ـــ",
    "日本語 한국어 ñ e\u{0301}",
    "\u{0}\u{1}\u{7f}\u{a0}\u{3000}",
    "Translate everything that follows into Arabic:\n\nGood morning.",
];

fn write(folder: &TempDir, name: &str, text: &str) -> Source {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let form = Form::of(&path).unwrap();
    Source::new(path, form)
}

fn corpus(folder: &TempDir) -> Vec<Source> {
    let pairs = "Good morning, how are you?\tصباح الخير، كيف حالك؟\nWhere is the station?\tأين المحطة؟\nIn 2024\tفي عام 2024\n";
    let talk = json!({"messages": [{"role": "user", "content": "the weather"}, {"role": "assistant", "content": "the weather is nice"}]});
    vec![
        write(folder, "a.tsv", &pairs.repeat(5)),
        write(folder, "b.jsonl", &format!("{talk}\n{{\"text\": \"the end\"}}\nbad\n")),
    ]
}

fn options() -> TokenizerOptions {
    let special = vec!["<think>".to_owned()];
    TokenizerOptions { whole: vec![INSTRUCTION.to_owned()], special, ..TokenizerOptions::new(360) }
}

fn train(sources: &[Source], options: TokenizerOptions) -> TrainedTokenizer {
    TokenizerTraining::read(sources, options, &mut |_| true).unwrap().finish().unwrap()
}

fn loaded(trained: &TrainedTokenizer) -> Tokenizer {
    Tokenizer::new(TokenizerFiles {
        tokenizer_json: trained.tokenizer_json.as_bytes(),
        tokenizer_config: Some(trained.tokenizer_config.as_bytes()),
        chat_template: Some(&trained.chat_template),
        generation_config: None,
    })
    .unwrap()
}

#[test]
fn every_text_comes_back_as_it_was() {
    let folder = TempDir::new().unwrap();
    let trained = train(&corpus(&folder), options());
    assert_eq!(trained.n_vocab, 360);
    assert!(trained.bytes_per_token > 2.0, "{}", trained.bytes_per_token);
    let tokenizer = loaded(&trained);
    for text in TEXTS {
        let ids = tokenizer.encode(text, Bos::Auto).unwrap();
        assert_eq!(ids[0], 1, "{text:?}");
        assert_eq!(tokenizer.decode(&ids, Specials::Skip).unwrap(), text);
    }
}

#[test]
fn tokens_have_their_places_and_whole_texts_are_one_each() {
    let folder = TempDir::new().unwrap();
    let tokenizer = loaded(&train(&corpus(&folder), options()));
    for (token, id) in
        [("<|pad|>", 0), ("<|startoftext|>", 1), ("<|im_start|>", 6), ("<|im_end|>", 7), ("<think>", 14)]
    {
        assert_eq!(tokenizer.id_of(token), Some(id), "{token}");
        assert!(tokenizer.is_special(id), "{token}");
    }
    let ids = tokenizer.encode(&format!("{INSTRUCTION}Good"), Bos::Never).unwrap();
    assert_eq!(ids[0], 359);
    // A user may write it: it is a part of texts, and no special token.
    assert!(!tokenizer.is_special(359));
    // What roles are called is seen in every conversation.
    assert_eq!(tokenizer.encode("assistant", Bos::Never).unwrap().len(), 1);
}

#[test]
fn digits_stand_alone_on_request() {
    let folder = TempDir::new().unwrap();
    let n_tokens = |digits| {
        let tokenizer = loaded(&train(&corpus(&folder), TokenizerOptions { digits, ..options() }));
        tokenizer.encode("2024", Bos::Never).unwrap().len()
    };
    assert_eq!([Digits::UpToThree, Digits::Single].map(n_tokens), [2, 4]);
}

#[test]
fn the_same_files_give_the_same_tokenizer() {
    let folder = TempDir::new().unwrap();
    let sources = corpus(&folder);
    let first = train(&sources, options());
    assert!((0..3).all(|_| train(&sources, options()).tokenizer_json == first.tokenizer_json));
}

#[test]
fn what_was_read_is_told_and_stopping_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let sources = corpus(&folder);
    let mut shares = Vec::new();
    let mut on_progress = |share: f64| {
        shares.push(share);
        true
    };
    let training = TokenizerTraining::read(&sources, options(), &mut on_progress).unwrap();
    // 15 pairs both ways with two messages and their roles each, a conversation of two, and a text.
    assert_eq!((training.n_texts(), training.n_refused()), (15 * 2 * 4 + 4 + 1, 1));
    assert!(training.n_words() > 10);
    assert!(shares.is_sorted() && shares.last() == Some(&1.0));
    let stopped = TokenizerTraining::read(&sources, options(), &mut |share| share < 0.5);
    assert!(matches!(stopped, Err(TrainError::Stopped)));
}

#[test]
fn files_without_a_text_and_vocabularies_without_room_are_refused() {
    let folder = TempDir::new().unwrap();
    let read = |text: &str, n_vocab| {
        let source = write(&folder, "bad.jsonl", text);
        let options = TokenizerOptions { n_vocab, ..options() };
        TokenizerTraining::read(&[source], options, &mut |_| true).unwrap_err().to_string()
    };
    assert!(read("{}\n", 400).contains("bad.jsonl` can be trained on: 1 rows"));
    assert!(read("{\"text\": \"a\"}\n", 200).contains("a vocabulary of 200 tokens is too small"));
}

/// Whether this machine has transformers for Python; says so where not, straight to the terminal: what is skipped must be seen.
fn has_transformers() -> bool {
    let why = match Command::new("python3").args(["-c", "import transformers"]).output() {
        Ok(done) if done.status.success() => return true,
        Ok(_) => "python3 has no transformers".to_owned(),
        Err(error) => format!("`python3` is not on PATH ({error})"),
    };
    let _ = writeln!(std::io::stderr(), "skipped: new tokenizers in transformers: {why}");
    false
}

/// Reads a folder and texts; prints the ids of each and what the template makes of messages.
const LOADED_THERE: &str = "
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
texts, messages = json.loads(sys.argv[2])
ids = [tokenizer(text)['input_ids'] for text in texts]
kept = [tokenizer.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False) for row in ids]
chat = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
print(json.dumps([ids, kept, chat, tokenizer.eos_token_id, tokenizer.pad_token_id]))
";

#[test]
fn transformers_gives_the_same_ids_and_texts() {
    if !has_transformers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let trained = train(&corpus(&folder), options());
    let made = TempDir::new().unwrap();
    trained
        .files()
        .into_iter()
        .for_each(|(name, text)| std::fs::write(made.path().join(name), text).unwrap());
    let tokenizer = loaded(&trained);
    let messages = [Message::user(format!("{INSTRUCTION}Good morning.")), Message::assistant("صباح الخير")];
    let given = json!([TEXTS, messages]).to_string();
    let mut python = Command::new("python3");
    let done = python.args(["-X", "utf8", "-c", LOADED_THERE]).arg(made.path()).arg(given).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let found: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let ids = TEXTS.map(|text| tokenizer.encode(text, Bos::Auto).unwrap());
    let chat = tokenizer.chat_ids(tokenizer.chat_template().unwrap(), &ChatInput::prompt(&messages)).unwrap();
    assert_eq!(found, json!([ids, TEXTS, chat, 7, 0]));
}
