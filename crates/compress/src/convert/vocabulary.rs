//! A tokenizer.json as the metadata of a GGUF file.

use hala_weights::{Checkpoint, LFM2_SPLIT};
use serde_json::Value;

use super::metadata::Metadata;
use crate::error::CompressError;

/// Kinds of tokens, as `tokenizer.ggml.token_type` numbers them.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;

/// Adds the tokenizer and the chat template of a checkpoint, where it has them.
pub(super) fn add(
    metadata: &mut Metadata,
    checkpoint: &Checkpoint,
    n_vocab: usize,
) -> Result<(), CompressError> {
    let wrong = |detail: &str| CompressError::Settings {
        file: "tokenizer.json".to_owned(),
        detail: detail.to_owned(),
    };
    let Some(text) = checkpoint.text_file("tokenizer.json")? else {
        metadata.text("tokenizer.ggml.model", "none");
        return Ok(());
    };
    let json: Value = serde_json::from_str(&text).map_err(|e| wrong(&e.to_string()))?;
    let model = &json["model"];
    if model["type"] != "BPE" {
        return Err(wrong("its model is no BPE, and GGUF files of LFM2 have that"));
    }
    if !json["pre_tokenizer"].to_string().contains(&Value::from(LFM2_SPLIT).to_string()) {
        return Err(wrong(
            "it splits text in another way than LFM2's tokenizer, which GGUF files cannot say",
        ));
    }
    let vocab = model["vocab"].as_object().ok_or_else(|| wrong("it has no vocabulary"))?;
    let mut tokens: Vec<String> = (0..n_vocab).map(|id| format!("[PAD{id}]")).collect();
    let mut kinds = vec![UNUSED; n_vocab];
    let mut set = |id: Option<u64>, token: &str, kind: i32| {
        let id = id.and_then(|id| usize::try_from(id).ok()).filter(|id| *id < n_vocab);
        let id = id.ok_or_else(|| wrong(&format!("the token {token:?} has no id below {n_vocab}")))?;
        (tokens[id], kinds[id]) = (token.to_owned(), kind);
        Ok::<(), CompressError>(())
    };
    for (token, id) in vocab {
        set(id.as_u64(), token, NORMAL)?;
    }
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        let kind = if token["special"] == true { CONTROL } else { USER_DEFINED };
        set(token["id"].as_u64(), token["content"].as_str().unwrap_or_default(), kind)?;
    }
    let merges: Option<Vec<String>> =
        model["merges"].as_array().and_then(|list| list.iter().map(merge).collect());
    metadata.text("tokenizer.ggml.model", "gpt2");
    metadata.text("tokenizer.ggml.pre", "lfm2");
    metadata.texts("tokenizer.ggml.tokens", &tokens);
    metadata.i32s("tokenizer.ggml.token_type", &kinds);
    metadata.texts("tokenizer.ggml.merges", &merges.ok_or_else(|| wrong("it has no merges"))?);
    metadata
        .bool("tokenizer.ggml.add_bos_token", json["post_processor"].to_string().contains("SpecialToken"));
    add_ids(metadata, checkpoint)?;
    add_template(metadata, checkpoint)
}

/// A merge is a text with a space, or a list of both halves.
fn merge(merge: &Value) -> Option<String> {
    match merge {
        Value::String(text) => Some(text.clone()),
        Value::Array(halves) => Some(format!("{} {}", halves.first()?.as_str()?, halves.get(1)?.as_str()?)),
        _ => None,
    }
}

/// The ids of special tokens: config.json's, or those of generation_config.json.
fn add_ids(metadata: &mut Metadata, checkpoint: &Checkpoint) -> Result<(), CompressError> {
    let config = checkpoint.config()?;
    let generation: Value = match checkpoint.text_file("generation_config.json")? {
        Some(text) => serde_json::from_str(&text).unwrap_or_default(),
        None => Value::Null,
    };
    for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
        let own = config.one_or_more_usize(&[key])?.and_then(|ids| ids.first().copied());
        let other = generation[key].as_u64().or_else(|| generation[key][0].as_u64());
        if let Some(id) = own.map(|id| id as u64).or(other).and_then(|id| u32::try_from(id).ok()) {
            metadata.u32(&format!("tokenizer.ggml.{name}_token_id"), id);
        }
    }
    Ok(())
}

fn add_template(metadata: &mut Metadata, checkpoint: &Checkpoint) -> Result<(), CompressError> {
    let own = checkpoint.text_file("chat_template.jinja")?.map(|text| text.into_owned());
    let template = match own {
        Some(template) => Some(template),
        None => checkpoint.text_file("tokenizer_config.json")?.and_then(|text| {
            let config: Value = serde_json::from_str(&text).ok()?;
            config["chat_template"].as_str().map(str::to_owned)
        }),
    };
    if let Some(template) = template {
        metadata.text("tokenizer.chat_template", &template);
    }
    Ok(())
}
