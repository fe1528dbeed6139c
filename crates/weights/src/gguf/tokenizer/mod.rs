//! tokenizer.json and tokenizer_config.json from a GGUF file's metadata.

mod byte_level;
mod sentencepiece;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

pub use byte_level::LFM2_SPLIT;

use super::header::{Header, Value};

/// Kinds of tokens, as `tokenizer.ggml.token_type` numbers them.
const NORMAL: i128 = 1;
const UNKNOWN: i128 = 2;
const CONTROL: i128 = 3;
const USER_DEFINED: i128 = 4;
const BYTE: i128 = 6;

/// The tokens of a file, each with its kind.
struct Vocabulary<'a> {
    header: &'a Header,
    tokens: Vec<&'a str>,
    kinds: Vec<i128>,
}

/// tokenizer.json, in the order in which the published ones have its parts.
#[derive(Serialize)]
struct Tokenizer<'a> {
    version: &'static str,
    truncation: Option<()>,
    padding: Option<()>,
    added_tokens: Vec<Json>,
    normalizer: Option<Json>,
    pre_tokenizer: Option<Json>,
    post_processor: Option<Json>,
    decoder: Json,
    model: Bpe<'a>,
}

/// Byte-pair encoding.
#[derive(Serialize)]
struct Bpe<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    dropout: Option<()>,
    unk_token: Option<&'a str>,
    continuing_subword_prefix: Option<()>,
    end_of_word_suffix: Option<()>,
    fuse_unk: bool,
    byte_fallback: bool,
    ignore_merges: bool,
    vocab: BTreeMap<&'a str, usize>,
    /// The first is done first.
    merges: Vec<[&'a str; 2]>,
}

/// Tokens that are put around every text.
#[derive(Clone, Copy)]
struct Ends {
    adds_bos: bool,
    adds_eos: bool,
}

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

impl<'a> Vocabulary<'a> {
    fn of(header: &'a Header) -> Result<Option<Self>, String> {
        let Some(tokens) = texts(header, "tokens")? else { return Ok(None) };
        let number = |value: &Value| if let Value::Integer(n) = value { Some(*n) } else { None };
        let kinds: Option<Vec<i128>> = match list(header, "token_type") {
            Some(kinds) => kinds.iter().map(number).collect(),
            None => Some(vec![NORMAL; tokens.len()]),
        };
        let kinds = kinds.filter(|kinds| kinds.len() == tokens.len());
        let kinds = kinds.ok_or("its tokenizer does not have one `token_type` for each token")?;
        Ok(Some(Self { header, tokens, kinds }))
    }

    /// Each token with its id and its kind.
    fn iter(&self) -> impl Iterator<Item = (usize, &'a str, i128)> + '_ {
        self.tokens.iter().zip(&self.kinds).enumerate().map(|(id, (token, kind))| (id, *token, *kind))
    }

    fn ids(&self) -> BTreeMap<&'a str, usize> {
        self.tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect()
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        match self.header.metadata.get(&format!("tokenizer.ggml.{key}")) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn is_on(&self, key: &str, default: bool) -> bool {
        match self.header.metadata.get(&format!("tokenizer.ggml.{key}")) {
            Some(value) => *value == Value::Bool(true),
            None => default,
        }
    }

    /// The id and the text of a token that a key names.
    fn special(&self, name: &str) -> Option<(usize, &'a str)> {
        let Some(Value::Integer(id)) = self.header.metadata.get(&format!("tokenizer.ggml.{name}_token_id"))
        else {
            return None;
        };
        let id = usize::try_from(*id).ok()?;
        Some((id, self.tokens.get(id)?))
    }

    fn ends(&self, adds_bos: bool) -> Ends {
        Ends { adds_bos: self.is_on("add_bos_token", adds_bos), adds_eos: self.is_on("add_eos_token", false) }
    }

    /// Puts tokens around every text; `None` where there are none to put.
    fn post_processor(&self, ends: Ends) -> Option<Json> {
        let bos = self.special("bos").filter(|_| ends.adds_bos);
        let eos = self.special("eos").filter(|_| ends.adds_eos);
        if bos.is_none() && eos.is_none() {
            return None;
        }
        let sequence = |id: &str, type_id: u8| json!({ "Sequence": { "id": id, "type_id": type_id } });
        let token = |(_, token): (usize, &str)| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
        let single: Vec<Json> =
            bos.map(token).into_iter().chain([sequence("A", 0)]).chain(eos.map(token)).collect();
        let entry = |(id, token): (usize, &str)| {
            (token.to_owned(), json!({ "id": token, "ids": [id], "tokens": [token] }))
        };
        Some(json!({
            "type": "TemplateProcessing",
            "single": single,
            "pair": [sequence("A", 0), sequence("B", 1)],
            "special_tokens": serde_json::Map::from_iter(bos.into_iter().chain(eos).map(entry)),
        }))
    }
}

/// A token that is found in a text before anything else is done with it.
fn added_token(id: usize, token: &str, is_special: bool) -> Json {
    json!({
        "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": is_special,
    })
}

fn list<'a>(header: &'a Header, key: &str) -> Option<&'a [Value]> {
    match header.metadata.get(&format!("tokenizer.ggml.{key}")) {
        Some(Value::List(values)) => Some(values),
        _ => None,
    }
}

/// A list of texts; `None` where there is none.
fn texts<'a>(header: &'a Header, key: &str) -> Result<Option<Vec<&'a str>>, String> {
    let Some(values) = list(header, key) else { return Ok(None) };
    let text = |value: &'a Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
    let texts: Option<Vec<&str>> = values.iter().map(text).collect();
    texts.map(Some).ok_or_else(|| format!("its tokenizer's `{key}` are not all texts"))
}
