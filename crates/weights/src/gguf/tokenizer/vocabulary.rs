//! The tokens of a GGUF file, and what its metadata says of them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::gguf::header::{Header, Value};

/// Kinds of tokens, as `tokenizer.ggml.token_type` numbers them.
pub(super) const NORMAL: i128 = 1;
pub(super) const UNKNOWN: i128 = 2;
pub(super) const CONTROL: i128 = 3;
pub(super) const USER_DEFINED: i128 = 4;
pub(super) const BYTE: i128 = 6;

/// The tokens of a file, each with its kind.
pub(super) struct Vocabulary<'a> {
    pub(super) header: &'a Header,
    pub(super) tokens: Vec<&'a str>,
    pub(super) kinds: Vec<i128>,
}

/// Tokens that are put around every text.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) adds_bos: bool,
    pub(super) adds_eos: bool,
}

impl<'a> Vocabulary<'a> {
    pub(super) fn of(header: &'a Header) -> Result<Option<Self>, String> {
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
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &'a str, i128)> + '_ {
        self.tokens.iter().zip(&self.kinds).enumerate().map(|(id, (token, kind))| (id, *token, *kind))
    }

    pub(super) fn ids(&self) -> BTreeMap<&'a str, usize> {
        self.tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect()
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        match self.header.metadata.get(&format!("tokenizer.ggml.{key}")) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_on(&self, key: &str, default: bool) -> bool {
        match self.header.metadata.get(&format!("tokenizer.ggml.{key}")) {
            Some(value) => *value == Value::Bool(true),
            None => default,
        }
    }

    /// The id and the text of a token that a key names.
    pub(super) fn special(&self, name: &str) -> Option<(usize, &'a str)> {
        let Some(Value::Integer(id)) = self.header.metadata.get(&format!("tokenizer.ggml.{name}_token_id"))
        else {
            return None;
        };
        let id = usize::try_from(*id).ok()?;
        Some((id, self.tokens.get(id)?))
    }

    pub(super) fn ends(&self, adds_bos: bool) -> Ends {
        Ends { adds_bos: self.is_on("add_bos_token", adds_bos), adds_eos: self.is_on("add_eos_token", false) }
    }

    /// Puts tokens around every text; `None` where there are none to put.
    pub(super) fn post_processor(&self, ends: Ends) -> Option<Json> {
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

pub(super) fn list<'a>(header: &'a Header, key: &str) -> Option<&'a [Value]> {
    match header.metadata.get(&format!("tokenizer.ggml.{key}")) {
        Some(Value::List(values)) => Some(values),
        _ => None,
    }
}

/// A list of texts; `None` where there is none.
pub(super) fn texts<'a>(header: &'a Header, key: &str) -> Result<Option<Vec<&'a str>>, String> {
    let Some(values) = list(header, key) else { return Ok(None) };
    let text = |value: &'a Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
    let texts: Option<Vec<&str>> = values.iter().map(text).collect();
    texts.map(Some).ok_or_else(|| format!("its tokenizer's `{key}` are not all texts"))
}
