//! tokenizer.json and tokenizer_config.json from a GGUF file's metadata.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::header::{Header, Value};

/// How LFM2's published tokenizer, and Llama 3's, split text before it is tokenised.
pub const LFM2_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How Command R's does.
const COMMAND_R: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Kinds of tokens, as `tokenizer.ggml.token_type` numbers them.
const CONTROL: i128 = 3;
const USER_DEFINED: i128 = 4;

/// The tokenizer's files: `(name, text)`; none where the file has no tokens.
///
/// # Errors
/// In words, what about it is not supported.
pub(super) fn files(header: &Header) -> Result<Vec<(String, String)>, String> {
    let Some(tokens) = texts(header, "tokens") else { return Ok(Vec::new()) };
    let model = text(header, "model").unwrap_or("none");
    if model != "gpt2" {
        return Err(format!("its tokenizer is {model:?}, and byte-level BPE (\"gpt2\") is supported"));
    }
    let pre = text(header, "pre").unwrap_or("default");
    let (splitters, ignores_merges) = match pre {
        "lfm2" | "llama-bpe" | "llama3" | "llama-v3" => (vec![split(LFM2_SPLIT)], true),
        "command-r" => {
            (vec![json!({ "type": "Digits", "individual_digits": true }), split(COMMAND_R)], false)
        }
        _ => {
            return Err(format!(
                "its tokenizer splits text as {pre:?}; lfm2, llama-bpe and command-r are supported"
            ));
        }
    };
    let merges = texts(header, "merges").ok_or("its tokenizer has no merges")?;
    let kinds = numbers(header, "token_type");
    let added = added_tokens(&tokens, &kinds);
    let bos = special(header, "bos", &tokens);
    let adds_bos = header
        .metadata
        .get("tokenizer.ggml.add_bos_token")
        .map_or(ignores_merges, |v| *v == Value::Bool(true));
    let vocab: Map<String, Json> =
        tokens.iter().enumerate().map(|(id, token)| (token.to_string(), json!(id))).collect();
    let merges: Vec<Json> = merges.iter().filter_map(|merge| pair(merge)).collect();
    let mut pre_tokenizers = splitters;
    pre_tokenizers.push(byte_level());
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": pre_tokenizers },
        "post_processor": bos.filter(|_| adds_bos).map(|(id, token)| begins_with(id, token)),
        "decoder": byte_level(),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": ignores_merges, "vocab": vocab, "merges": merges,
        },
    });
    let mut config = BTreeMap::from([("add_bos_token", json!(adds_bos))]);
    for (key, name) in [("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding")] {
        if let Some((_, token)) = special(header, name, &tokens) {
            config.insert(key, json!(token));
        }
    }
    if let Some(Value::Text(template)) = header.metadata.get("tokenizer.chat_template") {
        config.insert("chat_template", json!(template));
    }
    Ok(vec![
        ("tokenizer.json".to_owned(), tokenizer.to_string()),
        ("tokenizer_config.json".to_owned(), json!(config).to_string()),
    ])
}

fn split(pattern: &str) -> Json {
    json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false })
}

fn byte_level() -> Json {
    json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false })
}

/// Puts the token of this id before every text.
fn begins_with(id: usize, token: &str) -> Json {
    let sequence = |id: &str, type_id: u8| json!({ "Sequence": { "id": id, "type_id": type_id } });
    json!({
        "type": "TemplateProcessing",
        "single": [{ "SpecialToken": { "id": token, "type_id": 0 } }, sequence("A", 0)],
        "pair": [sequence("A", 0), sequence("B", 1)],
        "special_tokens": { token: { "id": token, "ids": [id], "tokens": [token] } },
    })
}

fn added_tokens(tokens: &[&str], kinds: &[i128]) -> Vec<Json> {
    let added =
        tokens.iter().zip(kinds).enumerate().filter(|(_, (_, kind))| [CONTROL, USER_DEFINED].contains(kind));
    let entry = |(id, (token, kind)): (usize, (&&str, &i128))| {
        json!({
            "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": *kind == CONTROL,
        })
    };
    added.map(entry).collect()
}

/// Both halves of a merge; a space within a token is written as another letter, so the first space parts them.
fn pair(merge: &str) -> Option<Json> {
    let (first, second) = merge.split_once(' ')?;
    Some(json!([first, second]))
}

fn special<'a>(header: &Header, name: &str, tokens: &[&'a str]) -> Option<(usize, &'a str)> {
    let Some(Value::Integer(id)) = header.metadata.get(&format!("tokenizer.ggml.{name}_token_id")) else {
        return None;
    };
    let id = usize::try_from(*id).ok()?;
    Some((id, tokens.get(id)?))
}

fn text<'a>(header: &'a Header, key: &str) -> Option<&'a str> {
    match header.metadata.get(&format!("tokenizer.ggml.{key}")) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn list<'a>(header: &'a Header, key: &str) -> Option<&'a [Value]> {
    match header.metadata.get(&format!("tokenizer.ggml.{key}")) {
        Some(Value::List(values)) => Some(values),
        _ => None,
    }
}

fn texts<'a>(header: &'a Header, key: &str) -> Option<Vec<&'a str>> {
    let text = |value: &'a Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
    list(header, key)?.iter().map(text).collect()
}

fn numbers(header: &Header, key: &str) -> Vec<i128> {
    let number = |value: &Value| if let Value::Integer(n) = value { Some(*n) } else { None };
    list(header, key).unwrap_or_default().iter().filter_map(number).collect()
}
