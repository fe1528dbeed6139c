//! The settings in a GGUF file's metadata, looked up under the names of its architecture.

use serde_json::{Value as Json, json};

use super::fault::GgufFault;
use super::header::{Header, Tensor, Value};

/// Looks values up under the architecture's prefix.
pub(super) struct Settings<'a> {
    pub(super) header: &'a Header,
    pub(super) architecture: &'a str,
}

impl<'a> Settings<'a> {
    /// The settings of a file; `None` where it does not name its architecture.
    pub(super) fn of(header: &'a Header) -> Option<Self> {
        match header.metadata.get("general.architecture") {
            Some(Value::Text(architecture)) => Some(Self { header, architecture }),
            _ => None,
        }
    }

    /// The whole name of a setting.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.header.metadata.get(&self.key(key))
    }

    /// A number; of a list with one for each layer, that which all layers have that have one.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, GgufFault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let single = match value {
            Value::List(values) => {
                let numbers: Option<Vec<f64>> = values.iter().map(Value::as_number).collect();
                let mut of_layers = numbers.unwrap_or_default();
                of_layers.retain(|x| *x != 0.0);
                of_layers.dedup();
                if let [x] = of_layers[..] { Some(x) } else { None }
            }
            value => value.as_number(),
        };
        single
            .filter(|x| x.is_finite())
            .map(Some)
            .ok_or_else(|| self.refused(key, value, "one number is supported"))
    }

    /// The error for a value that is not computed here.
    pub(super) fn refused(&self, key: &str, value: &Value, supported: &str) -> GgufFault {
        let (key, found, supported) = (self.key(key), value.to_string(), supported.to_owned());
        GgufFault::Setting { key, found, supported }
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&'a Tensor> {
        self.header.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A, elements of a head, as llama.cpp has it.
    pub(super) fn head_size(&self) -> Result<Option<f64>, GgufFault> {
        if let Some(size) = self.number("attention.key_length")? {
            return Ok(Some(size));
        }
        let sizes = (self.number("embedding_length")?, self.number("attention.head_count")?);
        let (Some(width), Some(n_heads)) = sizes else { return Ok(None) };
        Ok(Some((width / n_heads).floor()).filter(|size| size.is_finite()))
    }

    /// What Gemma 2's scores are divided by the root of: by llama.cpp's rule, of the model with 46 layers alone another number than A.
    ///
    /// Source: `models/gemma2.cpp` of <https://github.com/ggml-org/llama.cpp>.
    pub(super) fn attention_scalar(&self) -> Result<Option<f64>, GgufFault> {
        const LAYERS_OF_27B: f64 = 46.0;
        if self.number("block_count")? != Some(LAYERS_OF_27B) {
            return self.head_size();
        }
        let sizes = (self.number("embedding_length")?, self.number("attention.head_count")?);
        let (Some(width), Some(n_heads)) = sizes else { return Ok(None) };
        Ok(Some((width / n_heads).floor()).filter(|scalar| scalar.is_finite()))
    }
}

/// A number as JSON has it, without a point where it is whole.
pub(super) fn number(x: f64) -> Json {
    if x.fract() == 0.0 && x.abs() < 9e15 { json!(x as i64) } else { json!(x) }
}
