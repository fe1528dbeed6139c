//! Which tokens end a text: what all files of a checkpoint say of it, together.

use hala_text::Tokenizer;
use hala_weights::{Checkpoint, Config};
use serde_json::Value;

use crate::error::{EngineError, SettingFault};
use crate::generation_config::GenerationConfig;

/// What ends a turn where a checkpoint names nothing that ends a text.
const TURN_END: &str = "<|im_end|>";

/// The ids that end a text.
///
/// They are `eos_token_id` of generation_config.json, or of config.json where there is no such file or it names none, and the
/// `eos_token` of tokenizer_config.json and of special_tokens_map.json. Of a GGUF file they are those that llama.cpp ends texts at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndIds {
    /// The ids, in the order in which they were found.
    pub ids: Vec<u32>,
    /// Numbers that stand for no token of the vocabulary; nothing can end at them.
    pub passed_over: Vec<i64>,
}

impl EndIds {
    /// Reads what the checkpoint says.
    ///
    /// # Errors
    /// A file that cannot be read, or an `eos_token_id` that is neither a whole number nor a list of them.
    pub fn read(checkpoint: &Checkpoint, tokenizer: Option<&Tokenizer>) -> Result<Self, EngineError> {
        let mut numbers = numbers(&GenerationConfig::read(checkpoint)?)?;
        if numbers.is_empty() {
            numbers = self::numbers(&GenerationConfig::of_model(checkpoint))?;
        }
        if let Some(tokenizer) = tokenizer {
            for file in ["tokenizer_config.json", "special_tokens_map.json"] {
                let config = checkpoint.json_file(file)?;
                let id = config.as_ref().and_then(token).and_then(|token| tokenizer.id_of(token));
                numbers.extend(id.map(i64::from));
            }
            if numbers.is_empty() {
                numbers.extend(tokenizer.id_of(TURN_END).map(i64::from));
            }
        }
        let mut found = Self::default();
        for number in numbers {
            found.add(number, tokenizer);
        }
        Ok(found)
    }

    fn add(&mut self, number: i64, tokenizer: Option<&Tokenizer>) {
        let is_token = |id: &u32| tokenizer.is_none_or(|tokenizer| tokenizer.token_of(*id).is_some());
        match u32::try_from(number).ok().filter(is_token) {
            Some(id) if !self.ids.contains(&id) => self.ids.push(id),
            None if !self.passed_over.contains(&number) => self.passed_over.push(number),
            _ => {}
        }
    }
}

/// One number, or a list of them.
fn numbers(config: &GenerationConfig) -> Result<Vec<i64>, EngineError> {
    const KEY: &str = "eos_token_id";
    let Some((file, value)) = config.find(KEY) else { return Ok(Vec::new()) };
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let numbers: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
    numbers.ok_or_else(|| SettingFault::new((file, value), KEY, "a token id or a list of them").into())
}

/// The text of the `eos_token`: a string, or an object with its `content`.
fn token(config: &Config) -> Option<&str> {
    let value = config.raw("eos_token")?;
    value.as_str().or_else(|| value.get("content")?.as_str())
}
