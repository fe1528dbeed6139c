//! Tokenizers against Python's: ids, offsets, decoded texts, special tokens, streams, bad files.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod fixtures;

use fixtures::{byte_level, expected, load, repository_shared, tokenizer_files};
use hala_text::{Bos, Specials, TextError, Tokenizer, TokenizerFiles};

#[test]
fn ids_and_texts_equal_pythons_for_every_kind_of_tokenizer() {
    for name in ["byte_level", "byte_fallback", "word_piece"] {
        let tokenizer = load(name);
        for row in expected(name).texts {
            let ids = tokenizer.encode(&row.text, Bos::Never).unwrap();
            assert_eq!(ids, row.ids, "{name}: {:?}", row.text);
            assert_eq!(tokenizer.decode(&ids, Specials::Keep).unwrap(), row.kept, "{name}");
            assert_eq!(tokenizer.decode(&ids, Specials::Skip).unwrap(), row.skipped, "{name}");
        }
    }
}

#[test]
fn ids_with_bos_equal_pythons_unless_the_text_has_its_own() {
    for name in ["byte_level", "byte_fallback", "word_piece"] {
        let tokenizer = load(name);
        for row in expected(name).texts {
            let ids = tokenizer.encode(&row.text, Bos::Auto).unwrap();
            let wanted = if row.text.starts_with("<|startoftext|>") { row.ids } else { row.with_special };
            assert_eq!(ids, wanted, "{name}: {:?}", row.text);
        }
    }
}

#[test]
fn pieces_name_the_bytes_that_each_token_covers() {
    let tokenizer = load("byte_level");
    for row in expected("byte_level").texts {
        let pieces = tokenizer.pieces(&row.text, Bos::Never).unwrap();
        let found: Vec<_> = pieces.iter().map(|piece| [piece.range.start, piece.range.end]).collect();
        assert_eq!(found, row.offsets, "{:?}", row.text);
        assert!(pieces.iter().all(|piece| tokenizer.id_of(&piece.token) == Some(piece.id)));
        assert!(pieces.iter().all(|piece| row.text.get(piece.range.clone()).is_some()));
        let with_bos = tokenizer.pieces(&row.text, Bos::Auto).unwrap();
        let ids: Vec<u32> = with_bos.iter().map(|piece| piece.id).collect();
        assert_eq!(ids, tokenizer.encode(&row.text, Bos::Auto).unwrap());
    }
}

#[test]
fn random_ids_decode_as_in_python() {
    for name in ["byte_level", "byte_fallback", "word_piece"] {
        let tokenizer = load(name);
        for row in expected(name).random {
            assert_eq!(tokenizer.decode(&row.ids, Specials::Keep).unwrap(), row.kept, "{name}");
            assert_eq!(tokenizer.decode(&row.ids, Specials::Skip).unwrap(), row.skipped, "{name}");
        }
    }
}

/// Streams ids and checks that no part ends inside a character that a later part would have mended.
fn streamed(tokenizer: &Tokenizer, ids: &[u32], specials: Specials) -> String {
    let mut decoder = tokenizer.stream_decoder(specials);
    let mut out = String::new();
    for &id in ids {
        out.push_str(&decoder.push(id).unwrap());
    }
    out.push_str(&decoder.finish().unwrap());
    out
}

#[test]
fn a_stream_gives_what_decoding_everything_gives() {
    for name in ["byte_level", "byte_fallback", "word_piece"] {
        let tokenizer = load(name);
        let file = expected(name);
        for row in file.texts {
            assert_eq!(streamed(&tokenizer, &row.ids, Specials::Keep), row.kept, "{name}: {:?}", row.text);
            assert_eq!(streamed(&tokenizer, &row.ids, Specials::Skip), row.skipped, "{name}: {:?}", row.text);
        }
        for row in file.random {
            assert_eq!(streamed(&tokenizer, &row.ids, Specials::Keep), row.kept, "{name}: {:?}", row.ids);
            assert_eq!(streamed(&tokenizer, &row.ids, Specials::Skip), row.skipped, "{name}: {:?}", row.ids);
        }
    }
}

#[test]
fn every_prefix_of_a_stream_is_a_prefix_of_the_text() {
    let text = "😀👍🏽 👨\u{200D}👩\u{200D}👧 السَّلَامُ 🇪🇬é ❤️ end؟";
    for name in ["byte_level", "byte_fallback"] {
        let tokenizer = load(name);
        let ids = tokenizer.encode(text, Bos::Never).unwrap();
        for n in 0..=ids.len() {
            let mut decoder = tokenizer.stream_decoder(Specials::Skip);
            let parts: Vec<String> = ids[..n].iter().map(|&id| decoder.push(id).unwrap()).collect();
            assert!(parts.iter().all(|part| !part.contains(char::REPLACEMENT_CHARACTER)), "{parts:?}");
            let out = parts.concat();
            assert!(text.starts_with(&out), "{name}: {out:?}");
            let whole = tokenizer.decode(&ids[..n], Specials::Skip).unwrap();
            assert_eq!(out + &decoder.finish().unwrap(), whole, "{name}, {n} ids");
        }
    }
}

#[test]
fn a_stream_costs_the_same_at_its_end_as_at_its_start() {
    // Half a million ids: a decoder that goes over the past again would not end.
    for name in ["byte_level", "byte_fallback", "word_piece"] {
        let tokenizer = load(name);
        let n_vocab = u32::try_from(tokenizer.n_vocab()).unwrap();
        let mut decoder = tokenizer.stream_decoder(Specials::Keep);
        let mut n_bytes = 0;
        for i in 0..500_000u32 {
            n_bytes += decoder.push(i.wrapping_mul(2_654_435_761) % n_vocab).unwrap().len();
        }
        assert!(n_bytes > 500_000);
    }
}

#[test]
fn special_tokens_are_known_by_name_and_by_id() {
    let tokenizer = byte_level();
    assert_eq!(tokenizer.bos_id(), Some(1));
    assert_eq!(tokenizer.id_of("<|im_start|>"), Some(6));
    assert_eq!(tokenizer.token_of(6).as_deref(), Some("<|im_start|>"));
    assert!(tokenizer.is_special(6) && !tokenizer.is_special(14));
    // The last token is added, but plain text.
    let last = u32::try_from(tokenizer.n_vocab()).unwrap() - 1;
    assert_eq!(tokenizer.token_of(last).as_deref(), Some("Translate into Arabic:\n\n"));
    assert!(!tokenizer.is_special(last));
}

#[test]
fn without_config_files_the_first_id_comes_from_the_tokenizer_itself() {
    let tokenizer = load("byte_level");
    assert_eq!(tokenizer.bos_id(), Some(1));
    let tokenizer = load("byte_fallback");
    assert_eq!(tokenizer.bos_id(), Some(1));
    assert!(matches!(tokenizer.chat_template(), Err(TextError::NoChatTemplate)));
}

#[test]
fn add_bos_token_decides_only_where_there_is_no_post_processor() {
    let mut json: serde_json::Value = serde_json::from_slice(tokenizer_files().tokenizer_json).unwrap();
    let ids = |json: &serde_json::Value, config: &str| {
        let bytes = serde_json::to_vec(json).unwrap();
        let files = TokenizerFiles {
            tokenizer_json: &bytes,
            tokenizer_config: Some(config.as_bytes()),
            ..TokenizerFiles::default()
        };
        Tokenizer::new(files).unwrap().encode("a", Bos::Auto).unwrap()
    };
    let a = ids(&json, r#"{"bos_token": "<|startoftext|>", "add_bos_token": false}"#);
    assert_eq!((a.len(), a[0]), (2, 1));
    json["post_processor"] = serde_json::Value::Null;
    assert_eq!(ids(&json, r#"{"bos_token": "<|startoftext|>", "add_bos_token": true}"#), a);
    assert_eq!(ids(&json, r#"{"bos_token": "<|startoftext|>"}"#), a[1..]);
}

#[test]
fn padding_and_truncation_of_a_training_run_are_not_obeyed() {
    let mut json: serde_json::Value = serde_json::from_slice(tokenizer_files().tokenizer_json).unwrap();
    json["truncation"] =
        serde_json::json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    json["padding"] = serde_json::json!({"strategy": {"Fixed": 99}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "<|pad|>"});
    let bytes = serde_json::to_vec(&json).unwrap();
    let tokenizer =
        Tokenizer::new(TokenizerFiles { tokenizer_json: &bytes, ..TokenizerFiles::default() }).unwrap();
    let text = "one two three four five";
    assert_eq!(
        tokenizer.encode(text, Bos::Auto).unwrap(),
        load("byte_level").encode(text, Bos::Auto).unwrap()
    );
}

#[test]
fn an_id_without_a_token_is_an_error_that_names_it() {
    let tokenizer = byte_level();
    let n_vocab = tokenizer.n_vocab();
    let id = u32::try_from(n_vocab).unwrap();
    let errors = [
        tokenizer.decode(&[8, id], Specials::Skip).unwrap_err(),
        tokenizer.stream_decoder(Specials::Skip).push(id).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, TextError::IdOutsideVocabulary { id: found, .. } if found == id));
        let message = error.to_string();
        assert!(
            message.contains(&id.to_string()) && message.contains(&format!("{n_vocab} ids")),
            "{message}"
        );
    }
    assert_eq!(tokenizer.token_of(id), None);
}

#[test]
fn a_stream_goes_on_after_a_refused_id() {
    let tokenizer = byte_level();
    let ids = tokenizer.encode("😀 ok", Bos::Never).unwrap();
    let mut decoder = tokenizer.stream_decoder(Specials::Skip);
    let mut out = decoder.push(ids[0]).unwrap();
    assert!(decoder.push(1_000_000).is_err());
    for &id in &ids[1..] {
        out.push_str(&decoder.push(id).unwrap());
    }
    assert_eq!(out + &decoder.finish().unwrap(), "😀 ok");
}

#[test]
fn broken_files_are_errors_that_name_the_file() {
    let whole = tokenizer_files().tokenizer_json;
    for bytes in [
        &b""[..],
        b"{}",
        b"[]",
        b"\xFF\x00",
        b"null",
        &whole[..whole.len() / 2],
        b"{\"model\": {\"type\": \"X\"}}",
    ] {
        let files = TokenizerFiles { tokenizer_json: bytes, ..TokenizerFiles::default() };
        let message = Tokenizer::new(files).unwrap_err().to_string();
        assert!(message.contains("tokenizer.json"), "{message}");
    }
    let mut files = tokenizer_files();
    files.tokenizer_config = Some(b"{");
    assert!(Tokenizer::new(files).unwrap_err().to_string().contains("tokenizer_config.json"));
    let mut files = tokenizer_files();
    files.generation_config = Some(br#"{"bos_token_id": -1}"#);
    assert!(Tokenizer::new(files).unwrap_err().to_string().contains("generation_config.json"));
}

#[test]
fn an_added_token_that_the_vocabulary_contradicts_is_an_error() {
    let mut files = tokenizer_files();
    files.tokenizer_config =
        Some(br#"{"added_tokens_decoder": {"20": {"content": "<|new|>", "special": true}}}"#);
    let message = Tokenizer::new(files).unwrap_err().to_string();
    assert!(message.contains("<|new|>") && message.contains("20"), "{message}");
}

#[test]
fn an_added_token_that_follows_the_vocabulary_is_added() {
    let n_vocab = byte_level().n_vocab();
    let config = format!(
        r#"{{"added_tokens_decoder": {{"1": {{"content": "<|startoftext|>"}}, "{n_vocab}": {{"content": "<|new|>", "special": true}}}}}}"#
    );
    let mut files = tokenizer_files();
    files.tokenizer_config = Some(config.as_bytes());
    let tokenizer = Tokenizer::new(files).unwrap();
    let id = u32::try_from(n_vocab).unwrap();
    assert_eq!(tokenizer.encode("<|new|>", Bos::Never).unwrap(), [id]);
    assert!(tokenizer.is_special(id));
}

#[test]
fn very_long_texts_are_encoded_whole() {
    let tokenizer = byte_level();
    let samples = [
        " ".repeat(300_000),
        "\n \n".repeat(100_000),
        "a".repeat(300_000),
        "=".repeat(300_000),
        "مرحبا؟ hello 😀\n".repeat(20_000),
    ];
    for text in samples {
        let ids = tokenizer.encode(&text, Bos::Auto).unwrap();
        assert!(tokenizer.decode(&ids, Specials::Skip).unwrap() == text, "{:?}…", &text[..1]);
    }
}

#[test]
fn the_published_configuration_of_lfm2_loads() {
    let Some(shared) = repository_shared() else { return };
    let Ok(config) = std::fs::read(shared.join("fixtures/lfm2_350m_tokenizer_config.json")) else { return };
    let parsed: serde_json::Value = serde_json::from_slice(&config).unwrap();
    // A vocabulary of the published size with plain words wherever the file declares no added token.
    let declared = parsed["added_tokens_decoder"].as_object().unwrap();
    let vocab: serde_json::Map<_, _> = (0..64_400u32)
        .map(|id| {
            let token = declared.get(&id.to_string()).map(|row| row["content"].as_str().unwrap().to_owned());
            (token.unwrap_or_else(|| format!("w{id}")), id.into())
        })
        .collect();
    let json = serde_json::json!({"model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w14"}});
    let bytes = serde_json::to_vec(&json).unwrap();
    let files = TokenizerFiles {
        tokenizer_json: &bytes,
        tokenizer_config: Some(&config),
        ..TokenizerFiles::default()
    };
    let tokenizer = Tokenizer::new(files).unwrap();
    assert_eq!(tokenizer.n_vocab(), 64_400);
    assert_eq!(tokenizer.bos_id(), Some(1));
    assert_eq!(tokenizer.encode("<|im_end|><|tool_list_start|>", Bos::Never).unwrap(), [7, 8]);
    assert!(tokenizer.is_special(64_399));
    assert!(tokenizer.chat_template().is_ok(), "LFM2's own template stands in");
}
