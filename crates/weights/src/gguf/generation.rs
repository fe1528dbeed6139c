//! generation_config.json from a GGUF file's metadata: which tokens end a text, and how the next one is chosen.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::header::{Header, Value};

/// Tokens that end a text wherever a vocabulary has them. (This table and the rules below are `llama-vocab.cpp`'s of
/// <https://github.com/ggml-org/llama.cpp>, which finds the ends of a text by the words of tokens.)
const ENDS: [&str; 22] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// Tokens of models that fill gaps in code, which end a text too: the key that names one, and the words that stand for it where
/// the key is absent.
const GAPS: [(&str, &[&str]); 3] = [
    ("fim_pad", &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
    ("fim_rep", &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]),
    ("fim_sep", &["<|file_sep|>"]),
];

/// Keys of tokens that end a text.
const END_KEYS: [&str; 3] = ["eos", "eot", "eom"];

/// Sampling in the file's words after `general.sampling.`, in those of generation_config.json, and where the file names others of
/// them and not this, as llama.cpp sets it.
const SAMPLING: [(&str, &str, Option<f64>); 5] = [
    ("temp", "temperature", Some(0.8)),
    ("top_k", "top_k", Some(40.0)),
    ("top_p", "top_p", Some(0.95)),
    ("min_p", "min_p", Some(0.05)),
    ("penalty_repeat", "repetition_penalty", None),
];

/// Further settings of llama.cpp's samplers, which keep their names.
const OTHER_SAMPLING: [&str; 3] = ["xtc_probability", "mirostat", "sequence"];

/// generation_config.json; `None` where the file says nothing that belongs there.
pub(super) fn config(header: &Header) -> Option<Json> {
    let mut map = sampling(header);
    let ends = ends(header);
    if !ends.is_empty() {
        map.insert("eos_token_id".to_owned(), json!(ends));
    }
    (!map.is_empty()).then_some(Json::Object(map))
}

/// The ids that end a text, the least first. Those of no token are left in, and are for the reader to pass over.
fn ends(header: &Header) -> BTreeSet<i64> {
    let key = |name: &str| match header.metadata.get(&format!("tokenizer.ggml.{name}_token_id")) {
        Some(Value::Integer(id)) => i64::try_from(*id).ok(),
        _ => None,
    };
    let tokens: &[Value] = match header.metadata.get("tokenizer.ggml.tokens") {
        Some(Value::List(tokens)) => tokens,
        _ => &[],
    };
    let find = |text: &str| {
        tokens.iter().position(|token| matches!(token, Value::Text(t) if t == text)).map(|id| id as i64)
    };
    let mut ends: BTreeSet<i64> = ENDS.iter().filter_map(|text| find(text)).collect();
    ends.extend(
        GAPS.iter().filter_map(|(name, texts)| key(name).or_else(|| texts.iter().find_map(|t| find(t)))),
    );
    ends.extend(END_KEYS.iter().filter_map(|name| key(name)));
    let ends_with = |text: &str| find(text).is_some_and(|id| ends.contains(&id));
    let calls = ends_with("<|call|>") || ends_with("<|calls|>");
    // Where a reply ends in `return` or `call`, `end` stands between its parts.
    let end_parts = calls && (ends_with("<|return|>") || ends_with("<|flush|>"));
    // Where there is a token for answers of tools, `</s>` is a tag of HTML.
    let is_tag = ends_with("<|tool_response>");
    for text in [end_parts.then_some("<|end|>"), is_tag.then_some("</s>")].into_iter().flatten() {
        find(text).map(|id| ends.remove(&id));
    }
    ends
}

fn sampling(header: &Header) -> Map<String, Json> {
    let get = |name: &str| json_of(header.metadata.get(&format!("general.sampling.{name}"))?);
    let mut map = Map::new();
    if SAMPLING.iter().all(|(name, _, _)| get(name).is_none()) {
        return map;
    }
    // Its temperature says whether to draw.
    map.insert("do_sample".to_owned(), json!(true));
    for (name, key, default) in SAMPLING {
        if let Some(value) = get(name).or_else(|| default.map(whole_or_not)) {
            map.insert(key.to_owned(), value);
        }
    }
    for name in OTHER_SAMPLING {
        if let Some(value) = get(name) {
            map.insert(name.to_owned(), value);
        }
    }
    map
}

fn json_of(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Integer(n) => json!(i64::try_from(*n).ok()?),
        Value::Float(x) => json!(x),
        Value::Bool(on) => json!(on),
        Value::Text(text) => json!(text),
        Value::List(values) => Json::Array(values.iter().map(json_of).collect::<Option<_>>()?),
    })
}

/// A number as JSON has it, without a point where it is a count.
fn whole_or_not(value: f64) -> Json {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn header(tokens: &[&str], values: &[(&str, Value)]) -> Header {
        let tokens = tokens.iter().map(|token| Value::Text((*token).to_owned())).collect();
        let mut metadata: BTreeMap<String, Value> =
            values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        metadata.insert("tokenizer.ggml.tokens".to_owned(), Value::List(tokens));
        Header { metadata, tensors: Vec::new() }
    }

    fn end_ids(tokens: &[&str], keys: &[(&str, i128)]) -> Vec<i64> {
        let keys: Vec<(String, i128)> =
            keys.iter().map(|(key, id)| (format!("tokenizer.ggml.{key}_token_id"), *id)).collect();
        let values: Vec<(&str, Value)> =
            keys.iter().map(|(key, id)| (key.as_str(), Value::Integer(*id))).collect();
        ends(&header(tokens, &values)).into_iter().collect()
    }

    #[test]
    fn a_text_ends_at_the_ids_that_are_named_and_at_the_words_that_always_end_one() {
        assert_eq!(end_ids(&["a", "b", "c", "d", "e"], &[("eos", 1), ("eot", 3), ("eom", 4)]), [1, 3, 4]);
        assert_eq!(end_ids(&["a", "<|im_end|>", "<|endoftext|>", "im_end"], &[("eos", 0)]), [0, 1, 2]);
        assert_eq!(end_ids(&["<|fim_pad|>", "x", "<|file_sep|>"], &[("fim_pad", 1)]), [1, 2]);
        assert!(end_ids(&["a", "<|im_start|>", "[PAD1]"], &[]).is_empty());
    }

    #[test]
    fn what_parts_a_reply_does_not_end_it() {
        assert_eq!(end_ids(&["<|end|>", "<|return|>", "<|call|>"], &[("eos", 1)]), [1, 2]);
        assert_eq!(end_ids(&["<|end|>", "<|flush|>", "<|calls|>"], &[]), [1, 2]);
        assert_eq!(end_ids(&["<|end|>", "<|return|>"], &[]), [0, 1]);
        assert_eq!(end_ids(&["</s>", "<|tool_response>"], &[]), [1]);
        assert_eq!(end_ids(&["</s>"], &[]), [0]);
    }

    #[test]
    fn sampling_is_llama_cpp_s_where_the_file_names_a_part_of_it() {
        assert_eq!(config(&header(&["a"], &[])), None);
        let named = [
            ("general.sampling.temp", Value::Float(0.5)),
            ("general.sampling.top_k", Value::Integer(7)),
            ("general.sampling.mirostat", Value::Integer(2)),
        ];
        let expected = json!({
            "do_sample": true, "temperature": 0.5, "top_k": 7, "top_p": 0.95, "min_p": 0.05, "mirostat": 2,
        });
        assert_eq!(config(&header(&["a"], &named)), Some(expected));
        let found =
            config(&header(&["a"], &[("general.sampling.penalty_repeat", Value::Float(1.25))])).unwrap();
        assert_eq!((&found["repetition_penalty"], &found["top_k"]), (&json!(1.25), &json!(40)));
    }
}
