//! SentencePiece's BPE, which GGUF files call "llama": pieces with scores, bytes for what has no piece.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::published::{Bpe, Tokenizer, added_token};
use super::vocabulary::{BYTE, CONTROL, Ends, NORMAL, UNKNOWN, USER_DEFINED, Vocabulary, list};

/// What stands for a space within a piece.
const SPACE: &str = "▁";

/// Tokens of templates that some files have as those of users.
const TURNS: [&str; 2] = ["<start_of_turn>", "<end_of_turn>"];

/// The tokenizer, and what it puts around texts.
///
/// # Errors
/// In words, what about it is not supported.
pub(super) fn tokenizer<'a>(vocabulary: &Vocabulary<'a>) -> Result<(Tokenizer<'a>, Ends), String> {
    let scores: Option<Vec<f64>> = list(vocabulary.header, "scores")
        .and_then(|scores| scores.iter().map(|score| score.as_number()).collect());
    let scores = scores.filter(|scores| scores.len() == vocabulary.tokens.len());
    let scores = scores.ok_or("its tokenizer does not have one score for each token")?;
    // As llama.cpp has it: every text begins with a space, unless the file says otherwise.
    let adds_space = vocabulary.is_on("add_space_prefix", true);
    let unknown = vocabulary.special("unknown").or_else(|| {
        vocabulary.iter().find(|(_, _, kind)| *kind == UNKNOWN).map(|(id, token, _)| (id, token))
    });
    let ends = vocabulary.ends(true);
    let tokenizer = Tokenizer {
        version: "1.0",
        truncation: None,
        padding: None,
        added_tokens: added_tokens(vocabulary),
        normalizer: Some(normalizer(adds_space)),
        pre_tokenizer: None,
        post_processor: vocabulary.post_processor(ends),
        decoder: decoder(adds_space),
        model: Bpe {
            kind: "BPE",
            dropout: None,
            unk_token: unknown.map(|(_, token)| token),
            continuing_subword_prefix: None,
            end_of_word_suffix: None,
            fuse_unk: true,
            byte_fallback: vocabulary.kinds.contains(&BYTE),
            ignore_merges: false,
            vocab: vocabulary.ids(),
            merges: merges(vocabulary, &scores),
        },
    };
    Ok((tokenizer, ends))
}

/// Pieces that are whole wherever they stand in a text, spaces as spaces.
fn added_tokens(vocabulary: &Vocabulary<'_>) -> Vec<Json> {
    let added = vocabulary.iter().filter(|(_, token, kind)| {
        !token.is_empty() && [CONTROL, UNKNOWN, USER_DEFINED].contains(kind) || TURNS.contains(token)
    });
    let is_special = |token: &str, kind| kind != USER_DEFINED || TURNS.contains(&token);
    added.map(|(id, token, kind)| added_token(id, token, is_special(token, kind))).collect()
}

fn replace(from: &str, to: &str) -> Json {
    json!({ "type": "Replace", "pattern": { "String": from }, "content": to })
}

fn normalizer(adds_space: bool) -> Json {
    if !adds_space {
        return replace(" ", SPACE);
    }
    let first = json!({ "type": "Prepend", "prepend": SPACE });
    json!({ "type": "Sequence", "normalizers": [first, replace(" ", SPACE)] })
}

fn decoder(adds_space: bool) -> Json {
    let mut decoders =
        vec![replace(SPACE, " "), json!({ "type": "ByteFallback" }), json!({ "type": "Fuse" })];
    if adds_space {
        decoders.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    json!({ "type": "Sequence", "decoders": decoders })
}

/// Each way in which two pieces make a third, that with the highest score first.
///
/// SentencePiece merges whichever two neighbours make the piece with the highest score; among ways to the same piece the order is that of
/// transformers' `generate_merges`.
fn merges<'a>(vocabulary: &Vocabulary<'a>, scores: &[f64]) -> Vec<[&'a str; 2]> {
    let normal = || vocabulary.iter().filter(|(_, _, kind)| *kind == NORMAL);
    let ids: HashMap<&str, usize> = normal().map(|(id, token, _)| (token, id)).collect();
    let mut found = Vec::new();
    for (id, token, _) in normal() {
        for (n_left, (at, _)) in token.char_indices().enumerate().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(left_id), Some(right_id)) = (ids.get(left), ids.get(right)) {
                found.push((id, n_left, [*left_id, *right_id], [left, right]));
            }
        }
    }
    found.sort_by(|(a, n_a, ids_a, _), (b, n_b, ids_b, _)| {
        let order = scores[*b].total_cmp(&scores[*a]);
        order.then_with(|| (Reverse(n_a), a, ids_a).cmp(&(Reverse(n_b), b, ids_b)))
    });
    found.into_iter().map(|(_, _, _, halves)| halves).collect()
}
