//! A merge's file, in the words of mergekit: what of it is supported, and what is refused by name.
//!
//! Format: <https://github.com/arcee-ai/mergekit>, `models` and `slices`, `slerp` and `linear`.

use std::collections::BTreeMap;

use hala_tensor::DType;
use serde::Deserialize;
use serde_json::Value;

use super::setting::Setting;
use crate::CompressError;
use crate::float::torch_name;
use crate::folder::read_yaml;

/// Settings by their names.
pub(crate) type Parameters = BTreeMap<String, Setting>;

/// How tensors are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// Along the arc between two tensors.
    Slerp,
    /// Weighted sums.
    Linear,
}

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
}

/// What the result is put together from.
#[derive(Debug, Clone)]
pub(crate) enum Parts {
    /// Whole models.
    Models(Vec<ModelPart>),
    /// Layers of models, slice after slice.
    Slices(Vec<Slice>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelPart {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slice {
    pub(crate) sources: Vec<SourcePart>,
    pub(crate) base_model: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourcePart {
    pub(crate) model: String,
    pub(crate) layer_range: [usize; 2],
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

/// The file's outermost level.
#[derive(Debug, Deserialize)]
struct File {
    merge_method: String,
    base_model: Option<String>,
    dtype: Option<String>,
    out_dtype: Option<String>,
    tokenizer_source: Option<String>,
    models: Option<Vec<ModelPart>>,
    slices: Option<Vec<Slice>>,
    #[serde(default)]
    parameters: Parameters,
    /// What is not supported, to be named.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl MergeConfig {
    /// Reads a merge's file; `file` says where it stands.
    ///
    /// # Errors
    /// The text is no YAML of that form, or asks for what is not supported, which is named.
    pub fn parse(file: &str, text: &str) -> Result<Self, CompressError> {
        let settings = |detail: String| CompressError::Settings { file: file.to_owned(), detail };
        let parsed: File = read_yaml(file, text)?;
        if let Some(key) = parsed.rest.keys().next() {
            return Err(settings(format!("`{key}` is not supported")));
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
        let tokenizer = match parsed.tokenizer_source.as_deref() {
            None | Some("base") => None,
            Some("union") => return Err(settings("tokenizer_source: union is not supported".to_owned())),
            Some(model) => Some(model.to_owned()),
        };
        let dtype =
            |key: &str, name: Option<&str>| name.map(|name| dtype(key, name)).transpose().map_err(settings);
        let config = Self {
            file: file.to_owned(),
            text: text.to_owned(),
            method,
            dtype: dtype("dtype", parsed.dtype.as_deref())?,
            out_dtype: dtype("out_dtype", parsed.out_dtype.as_deref())?,
            base: parsed.base_model,
            tokenizer,
            parameters: parsed.parameters,
            parts,
        };
        config.check().map_err(settings)?;
        Ok(config)
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

    /// Refuses what cannot be merged in this way, and settings that the method does not know.
    fn check(&self) -> Result<(), String> {
        let known: &[&str] = match self.method {
            Method::Slerp => &["t"],
            Method::Linear => &["weight", "normalize"],
        };
        let mut all: Vec<&Parameters> = vec![&self.parameters];
        match &self.parts {
            Parts::Models(parts) => {
                all.extend(parts.iter().map(|part| &part.parameters));
                let models: Vec<_> = parts.iter().map(|part| part.model.as_str()).collect();
                self.check_sources(&models, self.base.as_deref())?;
            }
            Parts::Slices(slices) => {
                for slice in slices {
                    all.push(&slice.parameters);
                    all.extend(slice.sources.iter().map(|source| &source.parameters));
                    let models: Vec<_> = slice.sources.iter().map(|source| source.model.as_str()).collect();
                    self.check_sources(&models, slice.base_model.as_deref().or(self.base.as_deref()))?;
                    check_ranges(&slice.sources)?;
                }
            }
        }
        match all
            .into_iter()
            .flat_map(|parameters| parameters.keys())
            .find(|key| !known.contains(&key.as_str()))
        {
            Some(key) => Err(format!("the parameter `{key}` is not supported; {} are", known.join(" and "))),
            None => Ok(()),
        }
    }

    fn check_sources(&self, models: &[&str], base: Option<&str>) -> Result<(), String> {
        if models.is_empty() {
            return Err("a slice has no sources".to_owned());
        }
        if self.method == Method::Linear {
            return Ok(());
        }
        let Some(base) = base else { return Err("slerp needs a base_model, from which t goes".to_owned()) };
        // The base is one of the two, or stands beside the other one.
        match (models, models.contains(&base)) {
            ([_], _) | ([_, _], true) => Ok(()),
            ([_, _], false) => {
                Err(format!("slerp goes between two models, and base_model {base} is neither of them"))
            }
            _ => Err(format!("slerp goes between two models, and there are {}", models.len())),
        }
    }
}

fn check_ranges(sources: &[SourcePart]) -> Result<(), String> {
    let ranges = sources.iter().map(|source| source.layer_range);
    if let Some([start, end]) = ranges.clone().find(|[start, end]| start >= end) {
        return Err(format!("layer_range [{start}, {end}] has no layers"));
    }
    let mut lengths = ranges.map(|[start, end]| end - start);
    let first = lengths.next();
    match lengths.find(|length| Some(*length) != first) {
        Some(_) => Err("the layer_range of all sources of a slice must be as long as each other".to_owned()),
        None => Ok(()),
    }
}

fn dtype(key: &str, name: &str) -> Result<DType, String> {
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
            ("t: 0.5", "density: 0.5", "density"),
            ("{ model: b }", "{ model: b }, { model: c }", "there are 3"),
            ("{ model: b }", "{ model: b, weight: 1 }", "weight"),
            ("dtype: bfloat16", "chat_template: auto", "chat_template"),
            ("dtype: bfloat16", "tokenizer_source: union", "union"),
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
    }
}
