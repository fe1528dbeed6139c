//! tokenizer.json and tokenizer_config.json from a GGUF file's metadata.

pub(super) mod byte_level;

mod published;
mod sentencepiece;
mod vocabulary;

use std::collections::BTreeMap;

use serde_json::json;

use super::header::{Header, Value};
use vocabulary::Vocabulary;

/// The tokenizer's files: `(name, text)`; none where the file has no tokens.
///
/// # Errors
/// In words, what about it is not supported.
pub(super) fn files(header: &Header) -> Result<Vec<(String, String)>, String> {
    let Some(vocabulary) = Vocabulary::of(header)? else { return Ok(Vec::new()) };
    let (tokenizer, ends) = match vocabulary.text("model").unwrap_or("none") {
        "gpt2" => byte_level::tokenizer(&vocabulary)?,
        "llama" => sentencepiece::tokenizer(&vocabulary)?,
        other => {
            return Err(format!(
                "its tokenizer is {other:?}; byte-level BPE (\"gpt2\") and SentencePiece's BPE (\"llama\") are supported"
            ));
        }
    };
    let json = serde_json::to_string(&tokenizer).map_err(|e| e.to_string())?;
    let mut config =
        BTreeMap::from([("add_bos_token", json!(ends.adds_bos)), ("add_eos_token", json!(ends.adds_eos))]);
    for (key, name) in
        [("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"), ("unk_token", "unknown")]
    {
        if let Some((_, token)) = vocabulary.special(name) {
            config.insert(key, json!(token));
        }
    }
    if let Some(Value::Text(template)) = header.metadata.get("tokenizer.chat_template") {
        config.insert("chat_template", json!(template));
    }
    Ok(vec![
        ("tokenizer.json".to_owned(), json),
        ("tokenizer_config.json".to_owned(), json!(config).to_string()),
    ])
}
