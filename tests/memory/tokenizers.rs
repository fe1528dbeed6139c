//! What a tokenizer is told to take, against the bytes that are allocated for it.

use std::collections::BTreeSet;

use hala_tests::counting::{self, most_during};
use hala_text::{Footprint, Tokenizer, TokenizerFiles};
use serde_json::{Value, json};

/// The part of what is told that no vocabulary decides: room for patterns, which not every tokenizer has.
const BESIDES: usize = 640 << 10;

/// How far an estimate may be above what is taken. Tables that double are nearly empty or nearly full.
const MOST_ABOVE: f64 = 1.25;

/// Of scored words: how many beginnings they share is not counted.
const MOST_ABOVE_SCORED: f64 = 1.6;

/// Words of vocabularies: few, many, and as many as just fit a table's places, and one more.
const SIZES: [usize; 5] = [300, 5_000, 57_344, 57_345, 100_000];

fn check_file(what: &str, json: &[u8], most_above: f64) {
    let told = Footprint::of(json).unwrap();
    let files = TokenizerFiles { tokenizer_json: json, ..TokenizerFiles::default() };
    let before = counting::held();
    let (tokenizer, most) = most_during(|| Tokenizer::new(files).unwrap());
    let taken = counting::held() - before;
    drop(tokenizer);
    let of_both =
        [("held", told.held_bytes, taken), ("while it is read", told.reading_bytes, most + json.len())];
    for (when, told, taken) in of_both {
        assert!(told >= taken, "{what}, {when}: told {told}, taken {taken}");
        let limit = most_above * taken as f64 + BESIDES as f64;
        assert!(told as f64 <= limit, "{what}, {when}: told {told}, taken {taken}");
    }
}

/// Letters as digits: every word is one that comes before, and one letter more.
fn word(i: usize) -> String {
    let letter = char::from(b'a' + (i % 26) as u8);
    if i < 26 { letter.to_string() } else { format!("{}{letter}", word(i / 26 - 1)) }
}

/// Words of two to eight letters at random, sorted.
fn random_words(n: usize) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut state = 1u64;
    while words.len() < n {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let letters =
            (0..2 + (state >> 60) as usize % 7).map(|i| char::from(b'a' + (state >> (8 + 6 * i)) as u8 % 26));
        words.insert(letters.collect());
    }
    words
}

/// A merge as files have it.
type Written = fn(&str, &str) -> Value;

fn bpe(n: usize, written: Written) -> Value {
    let words: Vec<String> = (0..n).map(word).collect();
    let merge = |word: &String| {
        let (first, last) = word.split_at(word.len() - 1);
        written(first, last)
    };
    let merges: Vec<Value> = words[26..].iter().map(merge).collect();
    let vocab: serde_json::Map<String, Value> =
        words.into_iter().enumerate().map(|(id, word)| (word, id.into())).collect();
    json!({ "type": "BPE", "vocab": vocab, "merges": merges })
}

fn file(model: &Value, n_added: usize) -> Vec<u8> {
    let added = |i: usize| {
        let content = format!("<|reserved_{i}|>");
        json!({
            "id": 200_000 + i, "content": content, "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        })
    };
    let added: Vec<Value> = (0..n_added).map(added).collect();
    let pattern = json!({ "Regex": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+" });
    let split = json!({ "type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false });
    serde_json::to_vec(
        &json!({ "version": "1.0", "added_tokens": added, "pre_tokenizer": split, "model": model }),
    )
    .unwrap()
}

/// Checks vocabularies of every kind and of several sizes, and that of the built-in model.
pub(crate) fn check_all() {
    let built_in = hala_demo_model::files();
    let (_, json) = built_in.iter().find(|(name, _)| name == "tokenizer.json").unwrap();
    check_file("built in", json, MOST_ABOVE);
    for n in SIZES {
        let pairs = file(&bpe(n, |a, b| json!([a, b])), 0);
        check_file(&format!("{n} words, pairs"), &pairs, MOST_ABOVE);
        let joined = file(&bpe(n, |a, b| json!(format!("{a} {b}"))), 0);
        check_file(&format!("{n} words, joined"), &joined, MOST_ABOVE);
        let scored: Vec<Value> = random_words(n).into_iter().map(|word| json!([word, -1.5])).collect();
        let scored = file(&json!({ "type": "Unigram", "unk_id": 0, "vocab": scored }), 0);
        check_file(&format!("{n} scored words"), &scored, MOST_ABOVE_SCORED);
    }
    let added = file(&bpe(1000, |a, b| json!([a, b])), 500);
    check_file("added tokens", &added, MOST_ABOVE);
}
