//! A merge's file, in the words of mergekit: what of it is supported, and what is refused by name.
//!
//! Format: <https://github.com/arcee-ai/mergekit>, `models` and `slices`, `slerp` and `linear`.

use std::collections::BTreeMap;

use hala_tensor::DType;
use serde::Deserialize;
use serde_json::Value;

use super::method::Method;
use super::parameters::{Parameters, known, passed_over};
use super::parts::{ModelPart, Parts, Slice};
use crate::error::CompressError;
use crate::float::torch_name;
use crate::folder::read_yaml;

/// What to merge, and how.
#[derive(Debug, Clone)]
pub struct MergeConfig {
    /// The file, for messages.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) method: Method,
    pub(crate) base: Option<String>,
    pub(crate) dtype: Option<DType>,
    pub(crate) out_dtype: Option<DType>,
    /// Where tokenizer files come from, where that is not the base.
    pub(crate) tokenizer: Option<String>,
    pub(crate) parameters: Parameters,
    pub(crate) parts: Parts,
    passed_over: Vec<String>,
}

/// The file's outermost level.
#[derive(Debug, Deserialize)]
struct File {
    merge_method: String,
    base_model: Option<String>,
    dtype: Option<String>,
    out_dtype: Option<String>,
    tokenizer_source: Option<String>,
    tokenizer: Option<TokenizerPart>,
    models: Option<Vec<ModelPart>>,
    slices: Option<Vec<Slice>>,
    #[serde(default)]
    parameters: Parameters,
    /// What is not supported, to be named.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Where tokenizer files come from, in mergekit's newer words.
#[derive(Debug, Deserialize)]
struct TokenizerPart {
    source: Option<String>,
    /// What is not supported, to be named.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// The outermost level's keys.
const KEYS: [&str; 11] = [
    "merge_method",
    "base_model",
    "dtype",
    "out_dtype",
    "tokenizer_source",
    "tokenizer",
    "chat_template",
    "models",
    "slices",
    "modules",
    "parameters",
];

impl MergeConfig {
    /// Reads a merge's file; `file` says where it stands.
    ///
    /// # Errors
    /// The text is no YAML of that form, or asks for what is not supported, which is named.
    pub fn parse(file: &str, text: &str) -> Result<Self, CompressError> {
        let settings = |detail: String| CompressError::Settings { file: file.to_owned(), detail };
        let parsed: File = read_yaml(file, text)?;
        if let Some(key) = parsed.rest.keys().next() {
            let is_known = KEYS.contains(&key.as_str());
            let detail = if is_known { "it is not supported".to_owned() } else { known(key, &KEYS) };
            return Err(settings(format!("`{key}`: {detail}")));
        }
        let method = match parsed.merge_method.as_str() {
            "slerp" => Method::Slerp,
            "linear" => Method::Linear,
            found => {
                return Err(settings(format!(
                    "the merge_method {found} is not supported; slerp and linear are"
                )));
            }
        };
        let parts = match (parsed.models, parsed.slices) {
            (Some(models), None) if !models.is_empty() => Parts::Models(models),
            (None, Some(slices)) if !slices.is_empty() => Parts::Slices(slices),
            _ => {
                return Err(settings(
                    "one of `models` and `slices` must be there, and not be empty".to_owned(),
                ));
            }
        };
        let tokenizer = tokenizer(parsed.tokenizer_source, parsed.tokenizer).map_err(settings)?;
        let dtype =
            |key: &str, name: Option<&str>| name.map(|name| dtype(key, name)).transpose().map_err(settings);
        let mut config = Self {
            file: file.to_owned(),
            text: text.to_owned(),
            method,
            dtype: dtype("dtype", parsed.dtype.as_deref())?,
            out_dtype: dtype("out_dtype", parsed.out_dtype.as_deref())?,
            base: parsed.base_model,
            tokenizer,
            parameters: parsed.parameters,
            parts,
            passed_over: Vec::new(),
        };
        config.parts.check(method, config.base.as_deref()).map_err(settings)?;
        let mut parameters = config.parts.parameters();
        parameters.push(&config.parameters);
        config.passed_over = passed_over(method, &parameters).map_err(settings)?;
        Ok(config)
    }

    /// Parameters of other methods, which change nothing, as in mergekit.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// The models, each once, in the order in which they are named; the base first.
    pub fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.base.as_deref().into_iter().collect();
        match &self.parts {
            Parts::Models(parts) => models.extend(parts.iter().map(|part| part.model.as_str())),
            Parts::Slices(slices) => {
                for slice in slices {
                    models.extend(slice.base_model.as_deref());
                    models.extend(slice.sources.iter().map(|source| source.model.as_str()));
                }
            }
        }
        models.extend(self.tokenizer.as_deref());
        let mut seen = Vec::new();
        models.retain(|model| {
            !seen.contains(model) && {
                seen.push(*model);
                true
            }
        });
        models
    }
}

/// The model that tokenizer files come from; `None` for the base.
fn tokenizer(source: Option<String>, part: Option<TokenizerPart>) -> Result<Option<String>, String> {
    let source = match (source, part) {
        (Some(_), Some(_)) => {
            return Err("`tokenizer` and `tokenizer_source` say the same: remove one".to_owned());
        }
        (source, None) => source,
        (None, Some(TokenizerPart { source, rest })) => match rest.keys().next() {
            Some(key) => return Err(format!("`tokenizer`: `{key}` is not supported, only `source`")),
            // As mergekit has it.
            None => source.or_else(|| Some("union".to_owned())),
        },
    };
    match source.as_deref() {
        None | Some("base") => Ok(None),
        Some("union") => Err("a tokenizer of source union is not supported; base and a model are".to_owned()),
        Some(_) => Ok(source),
    }
}

fn dtype(key: &str, name: &str) -> Result<DType, String> {
    let name = name.strip_prefix("torch.").unwrap_or(name);
    let known = [DType::F32, DType::F16, DType::BF16].into_iter().find(|dtype| torch_name(*dtype) == name);
    known.ok_or_else(|| format!("{key}: {name} is not supported; float32, float16 and bfloat16 are"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
models: [{ model: a }, { model: b }]
merge_method: slerp
base_model: a
dtype: bfloat16
parameters: { t: 0.5 }
";

    #[test]
    fn what_is_not_supported_is_named() {
        MergeConfig::parse("m.yml", GOOD).unwrap();
        for (from, to, word) in [
            ("merge_method: slerp", "merge_method: ties", "ties"),
            ("dtype: bfloat16", "dtype: float8", "float8"),
            ("base_model: a", "base_model: c", "neither"),
            ("base_model: a", "", "base_model"),
            ("t: 0.5", "t: 0.5, densty: 0.5", "the nearest names are `density`"),
            ("t: 0.5", "t: 0.5, zzzzzz: 1", "there are cosine_similarity"),
            ("dtype: bfloat16", "dtyp: bfloat16", "the nearest names are `dtype`"),
            ("{ model: b }", "{ model: b }, { model: c }", "there are 3"),
            ("{ model: b }", "{ model: b, weight: 1 }", "weight"),
            ("dtype: bfloat16", "chat_template: auto", "chat_template"),
            ("dtype: bfloat16", "tokenizer_source: union", "union"),
            ("dtype: bfloat16", "tokenizer: {}", "union"),
            ("dtype: bfloat16", "tokenizer: { source: base, tokens: {} }", "tokens"),
            ("dtype: bfloat16", "tokenizer: { source: a }\ntokenizer_source: b", "tokenizer_source"),
            ("models: [{ model: a }, { model: b }]", "modules: { text: 1 }", "modules"),
            ("models: [{ model: a }, { model: b }]", "slices: []", "slices"),
            (
                "models: [{ model: a }, { model: b }]",
                "slices: [{ sources: [{ model: a, layer_range: [0, 2] }, { model: b, layer_range: [0, 3] }] }]",
                "layer_range",
            ),
        ] {
            assert!(GOOD.contains(from));
            let message = MergeConfig::parse("m.yml", &GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(message.contains(word) && message.contains("m.yml"), "{message}");
        }
    }

    #[test]
    fn each_model_is_opened_once() {
        assert_eq!(MergeConfig::parse("m.yml", GOOD).unwrap().models(), ["a", "b"]);
        let text = GOOD.replace("dtype: bfloat16", "tokenizer: { source: c }\ndtype: torch.bfloat16");
        assert_eq!(MergeConfig::parse("m.yml", &text).unwrap().models(), ["a", "b", "c"]);
    }

    #[test]
    fn parameters_of_other_methods_are_passed_over_and_named() {
        let text = GOOD
            .replace("t: 0.5", "t: 0.5, normalize: true, int8_mask: true, embed_slerp: true")
            .replace("{ model: b }", "{ model: b, parameters: { weight: 1, density: [0.5, 1] } }");
        let config = MergeConfig::parse("m.yml", &text).unwrap();
        assert_eq!(config.passed_over(), ["density", "embed_slerp", "int8_mask", "normalize", "weight"]);
        let text = text.replace("merge_method: slerp", "merge_method: linear");
        let config = MergeConfig::parse("m.yml", &text).unwrap();
        assert_eq!(config.passed_over(), ["density", "embed_slerp", "int8_mask", "t"]);
        assert!(MergeConfig::parse("m.yml", GOOD).unwrap().passed_over().is_empty());
    }
}
