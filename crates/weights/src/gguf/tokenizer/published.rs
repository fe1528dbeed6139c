//! tokenizer.json as published ones have it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

/// tokenizer.json, in the order in which the published ones have its parts.
#[derive(Serialize)]
pub(super) struct Tokenizer<'a> {
    pub(super) version: &'static str,
    pub(super) truncation: Option<()>,
    pub(super) padding: Option<()>,
    pub(super) added_tokens: Vec<Json>,
    pub(super) normalizer: Option<Json>,
    pub(super) pre_tokenizer: Option<Json>,
    pub(super) post_processor: Option<Json>,
    pub(super) decoder: Json,
    pub(super) model: Bpe<'a>,
}

/// Byte-pair encoding.
#[derive(Serialize)]
pub(super) struct Bpe<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) dropout: Option<()>,
    pub(super) unk_token: Option<&'a str>,
    pub(super) continuing_subword_prefix: Option<()>,
    pub(super) end_of_word_suffix: Option<()>,
    pub(super) fuse_unk: bool,
    pub(super) byte_fallback: bool,
    pub(super) ignore_merges: bool,
    pub(super) vocab: BTreeMap<&'a str, usize>,
    /// The first is done first.
    pub(super) merges: Vec<[&'a str; 2]>,
}

/// A token that is found in a text before anything else is done with it.
pub(super) fn added_token(id: usize, token: &str, is_special: bool) -> Json {
    json!({
        "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": is_special,
    })
}
