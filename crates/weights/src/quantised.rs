//! Int8 weights in the words of compressed-tensors: which are read, and what config.json says of them.
//!
//! Format: <https://github.com/neuralmagic/compressed-tensors>. `quantization_config` names the method and, for
//! each group of layers, how many bits, which type and over how many columns of a row a scale goes. `X.weight`
//! holds I8 codes `[rows, columns]`, `X.weight_scale` floats `[rows, ⌈columns / group⌉]`, and a weight is
//! code · scale.

use serde_json::{Value, json};

use crate::{Config, FileDType, TensorView, WeightsError};

/// What follows a weight's name in the name of its scales.
pub(crate) const SCALE_SUFFIX: &str = "_scale";

/// How the int8 weights of a checkpoint are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int8Scheme {
    /// Columns that share a scale.
    pub(crate) group: usize,
}

/// The `quantization_config` of a checkpoint whose matrices are int8 in groups of `group` columns.
pub fn int8_quantization_config(group: usize) -> Value {
    json!({
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "global_compression_ratio": null,
        "kv_cache_scheme": null,
        "ignore": [],
        "config_groups": { "group_0": {
            "targets": ["Linear", "Embedding"],
            "weights": {
                "num_bits": 8, "type": "int", "symmetric": true, "strategy": "group", "group_size": group,
                "block_structure": null, "dynamic": false, "actorder": null,
                "observer": "minmax", "observer_kwargs": {},
            },
            "input_activations": null,
            "output_activations": null,
        }},
    })
}

impl Int8Scheme {
    /// What `quantization_config` says; `None` where there is none.
    ///
    /// # Errors
    /// [`WeightsError::Quantisation`] for any other way to quantise, naming it.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, WeightsError> {
        let Some(quantisation) = config.object("quantization_config")? else { return Ok(None) };
        let unsupported = |reason: String| WeightsError::Quantisation {
            file: config.file().to_owned(),
            found: describe(&quantisation),
            reason,
        };
        let method = quantisation.str(&["quant_method"])?;
        let format = quantisation.str(&["format"])?;
        if (method, format) != (Some("compressed-tensors"), Some("int-quantized")) {
            return Err(unsupported(
                "only compressed-tensors in the format int-quantized is read".to_owned(),
            ));
        }
        if quantisation.raw("kv_cache_scheme").is_some() {
            return Err(unsupported("it quantises the key/value cache".to_owned()));
        }
        let Some(groups) = quantisation.object("config_groups")? else {
            return Err(quantisation.missing(&["config_groups"]));
        };
        let mut scheme: Option<Self> = None;
        for name in groups.keys() {
            let Some(group) = groups.object(name)? else { continue };
            let found = Self { group: group_size(&group)?.map_err(&unsupported)? };
            if scheme.is_some_and(|scheme| scheme != found) {
                return Err(unsupported("its groups differ in group_size".to_owned()));
            }
            scheme = Some(found);
        }
        scheme.map(Some).ok_or_else(|| unsupported("config_groups is empty".to_owned()))
    }

    /// Whether this tensor is codes of this scheme rather than floats.
    pub(crate) fn covers(self, view: &TensorView<'_>) -> bool {
        view.file_dtype() == FileDType::I8 && view.name().ends_with(".weight")
    }
}

/// The group size of one entry of `config_groups`, or what is not supported about it.
fn group_size(entry: &Config) -> Result<Result<usize, String>, WeightsError> {
    for key in ["input_activations", "output_activations"] {
        if entry.raw(key).is_some() {
            return Ok(Err(format!("it quantises {key}")));
        }
    }
    let Some(weights) = entry.object("weights")? else { return Err(entry.missing(&["weights"])) };
    let expected = [
        ("num_bits", json!(8)),
        ("type", json!("int")),
        ("symmetric", json!(true)),
        ("strategy", json!("group")),
    ];
    for (key, value) in expected {
        if weights.raw(key) != Some(&value) {
            let found = weights.raw(key).unwrap_or(&Value::Null);
            return Ok(Err(format!("{key} is {found}, where {value} is expected")));
        }
    }
    for key in ["actorder", "block_structure"] {
        if let Some(value) = weights.raw(key).filter(|value| **value != json!(false)) {
            return Ok(Err(format!("{key} is {value}")));
        }
    }
    if weights.bool(&["dynamic"])? == Some(true) {
        return Ok(Err("its weights are dynamic".to_owned()));
    }
    match weights.usize(&["group_size"])? {
        Some(group) if group > 0 => Ok(Ok(group)),
        _ => Ok(Err("group_size is not a number from 1".to_owned())),
    }
}

/// What a reader needs to recognise the way of quantising.
fn describe(quantisation: &Config) -> String {
    let mut words = Vec::new();
    let mut add = |config: &Config, keys: &[&str]| {
        words.extend(keys.iter().filter_map(|key| Some(format!("{key} {}", config.raw(key)?))));
    };
    add(quantisation, &["quant_method", "format", "bits", "load_in_4bit", "load_in_8bit"]);
    let groups = quantisation.object("config_groups").ok().flatten();
    let first = groups.as_ref().and_then(|groups| groups.object(groups.keys().next()?).ok().flatten());
    if let Some(weights) = first.and_then(|group| group.object("weights").ok().flatten()) {
        add(&weights, &["strategy", "type", "num_bits", "group_size"]);
    }
    words.join(", ")
}
