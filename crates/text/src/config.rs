//! What the small JSON files beside `tokenizer.json` say: special tokens, end ids, chat templates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::TextError;

/// The parts of `tokenizer_config.json` that this crate obeys.
#[derive(Debug, Default)]
pub(crate) struct TokenizerConfig {
    /// `bos_token`, `eos_token`, `image_token` …: name to text.
    pub(crate) special_tokens: BTreeMap<String, String>,
    /// `added_tokens_decoder`, in order of id.
    pub(crate) added_tokens: BTreeMap<u32, DeclaredToken>,
    /// Whether to begin with BOS, for a `tokenizer.json` without a post-processor.
    pub(crate) add_bos_token: Option<bool>,
    /// Chat templates by name; a lone template is called `default`.
    pub(crate) chat_templates: BTreeMap<String, String>,
}

/// One row of `added_tokens_decoder`.
#[derive(Debug, Deserialize)]
pub(crate) struct DeclaredToken {
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) lstrip: bool,
    #[serde(default)]
    pub(crate) rstrip: bool,
    #[serde(default)]
    pub(crate) single_word: bool,
    #[serde(default)]
    pub(crate) normalized: bool,
    #[serde(default)]
    pub(crate) special: bool,
}

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const GENERATION_CONFIG: &str = "generation_config.json";

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`; fields that this crate does not know are passed over.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, TextError> {
        let root = parse_object(TOKENIZER_CONFIG, bytes)?;
        let mut config = Self {
            add_bos_token: root.get("add_bos_token").and_then(Value::as_bool),
            added_tokens: declared_tokens(root.get("added_tokens_decoder"))?,
            chat_templates: chat_templates(root.get("chat_template"))?,
            ..Self::default()
        };
        for (name, value) in &root {
            if let (true, Some(text)) = (name.ends_with("_token"), token_text(value)) {
                config.special_tokens.insert(name.clone(), text.to_owned());
            }
        }
        // Models with images name further tokens in an object of their own.
        if let Some(Value::Object(extra)) = root.get("extra_special_tokens") {
            for (name, value) in extra {
                if let Some(text) = token_text(value) {
                    config.special_tokens.insert(name.clone(), text.to_owned());
                }
            }
        }
        Ok(config)
    }
}

/// The id of `generation_config.json` that begins a text; of a list, the first.
pub(crate) fn generation_bos(bytes: &[u8]) -> Result<Option<u32>, TextError> {
    const KEY: &str = "bos_token_id";
    let root = parse_object(GENERATION_CONFIG, bytes)?;
    let value = match root.get(KEY) {
        Some(Value::Array(values)) => values.first(),
        value => value.filter(|value| !value.is_null()),
    };
    let Some(value) = value else { return Ok(None) };
    let id = value.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(|| TextError::ConfigFile {
        file: GENERATION_CONFIG,
        reason: format!("`{KEY}` holds {value}, which is not a token id"),
    });
    id.map(Some)
}

fn parse_object(file: &'static str, bytes: &[u8]) -> Result<serde_json::Map<String, Value>, TextError> {
    serde_json::from_slice(bytes).map_err(|e| TextError::ConfigFile { file, reason: e.to_string() })
}

/// A special token is a string, or an object with its `content`.
fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

fn declared_tokens(value: Option<&Value>) -> Result<BTreeMap<u32, DeclaredToken>, TextError> {
    value.filter(|v| !v.is_null()).map_or_else(
        || Ok(BTreeMap::new()),
        |v| {
            BTreeMap::deserialize(v).map_err(|e| TextError::ConfigFile {
                file: TOKENIZER_CONFIG,
                reason: format!("`added_tokens_decoder`: {e}"),
            })
        },
    )
}

fn chat_templates(value: Option<&Value>) -> Result<BTreeMap<String, String>, TextError> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
        template: String,
    }
    let wrong = |e: &dyn std::fmt::Display| TextError::ConfigFile {
        file: TOKENIZER_CONFIG,
        reason: format!("`chat_template` should be a string or a list of {{name, template}}: {e}"),
    };
    match value {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::String(text)) => Ok(BTreeMap::from([("default".to_owned(), text.clone())])),
        Some(Value::Object(_)) => BTreeMap::deserialize(value.unwrap_or(&Value::Null)).map_err(|e| wrong(&e)),
        Some(list) => Ok(Vec::<Named>::deserialize(list)
            .map_err(|e| wrong(&e))?
            .into_iter()
            .map(|named| (named.name, named.template))
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_are_strings_or_objects() {
        let config = TokenizerConfig::from_bytes(
            br#"{"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null,
                 "extra_special_tokens": {"image_token": "<image>"}}"#,
        )
        .unwrap();
        let found: Vec<_> = config.special_tokens.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, [("bos_token", "<s>"), ("eos_token", "</s>"), ("image_token", "<image>")]);
    }

    #[test]
    fn the_first_id_is_a_number_a_list_or_missing() {
        let bos = |text: &str| generation_bos(text.as_bytes());
        assert_eq!(bos(r#"{"bos_token_id": 7}"#).unwrap(), Some(7));
        assert_eq!(bos(r#"{"bos_token_id": [7, 2]}"#).unwrap(), Some(7));
        assert_eq!(bos(r#"{"bos_token_id": null}"#).unwrap(), None);
        assert_eq!(bos("{}").unwrap(), None);
        let message = bos(r#"{"bos_token_id": "7"}"#).unwrap_err().to_string();
        assert!(message.contains("generation_config.json") && message.contains("bos_token_id"), "{message}");
    }

    #[test]
    fn templates_are_a_string_or_a_list_of_named_ones() {
        let names = |text: &str| {
            TokenizerConfig::from_bytes(text.as_bytes())
                .map(|config| config.chat_templates.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(names(r#"{"chat_template": "a"}"#).unwrap(), [("default".to_owned(), "a".to_owned())]);
        assert_eq!(
            names(r#"{"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]}"#)
                .unwrap()
                .len(),
            2
        );
        assert!(names(r#"{"chat_template": 3}"#).unwrap_err().to_string().contains("chat_template"));
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        for bytes in [&b""[..], b"[]", b"{", b"\xff\xfe"] {
            let message = TokenizerConfig::from_bytes(bytes).unwrap_err().to_string();
            assert!(message.contains("tokenizer_config.json"), "{message}");
        }
    }
}
