//! The small Arabic-English translator that ships with Hala: its files as bytes.
//!
//! It is small and knows everyday sentences; [`CARD`] says what it is good for and whom its data is owed to.

use std::borrow::Cow;

/// The model's name.
pub const NAME: &str = "demo-ar-en";

/// The model's card: what it can do, how it was measured, its licence and attributions, in Markdown.
pub const CARD: &str = include_str!("../files/README.md");

/// One line to show wherever the model is used.
pub const NOTICE: &str =
    "the built-in model is small: it knows short everyday sentences, and makes things up beyond them";

/// 60 sentences with the ids and texts that transformers gives for this model in f32, one JSON object a line.
pub const GOLDEN: &str = include_str!("../files/golden.jsonl");

/// The files of the checkpoint in Hugging Face layout: names and contents.
pub fn files() -> Vec<(String, Cow<'static, [u8]>)> {
    let file = |name: &str, bytes: &'static [u8]| (name.to_owned(), Cow::Borrowed(bytes));
    vec![
        file("config.json", include_bytes!("../files/config.json")),
        file("generation_config.json", include_bytes!("../files/generation_config.json")),
        file("model.safetensors", include_bytes!("../files/model.safetensors")),
        file("tokenizer.json", include_bytes!("../files/tokenizer.json")),
        file("tokenizer_config.json", include_bytes!("../files/tokenizer_config.json")),
    ]
}
