//! What of a `quantization_config` is read, and what is refused by name.

use hala_tensor::{Rounded, Rounding};
use serde_json::{Value, json};

use super::{Inputs, Quantisation, Scheme};
use crate::config::Config;
use crate::error::WeightsError;

/// Formats of compressed-tensors whose codes are read.
const FORMATS: [&str; 5] = ["int-quantized", "float-quantized", "naive-quantized", PACKED, MIXED];

/// The format of codes in words.
const PACKED: &str = "pack-quantized";

/// A format for each group.
const MIXED: &str = "mixed-precision";

/// Something that is not supported, in words; or a fault of the file.
enum Fault {
    Unsupported(String),
    File(WeightsError),
}

impl From<WeightsError> for Fault {
    fn from(error: WeightsError) -> Self {
        Self::File(error)
    }
}

fn unsupported<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unsupported(reason.into()))
}

impl Quantisation {
    /// What `quantization_config` says; `None` where there is none.
    ///
    /// # Errors
    /// [`WeightsError::Quantisation`] for a way to quantise that is not read, naming it; [`WeightsError::Mlx`] for MLX's.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, WeightsError> {
        let quantisation = config.object("quantization_config")?.filter(|q| q.keys().next().is_some());
        // MLX writes one object under both keys, and no method into it.
        let is_mlx = |q: &Config| {
            q.raw("quant_method").is_none() && ["group_size", "bits"].iter().all(|key| q.raw(key).is_some())
        };
        let of_mlx = match config.raw("quantization").filter(|found| found.is_object()) {
            Some(found) => Some(format!("`quantization`: {found}")),
            None => quantisation
                .as_ref()
                .filter(|q| is_mlx(q))
                .map(|_| "`quantization_config` without a method".to_owned()),
        };
        if let Some(found) = of_mlx {
            return Err(WeightsError::Mlx { file: config.file().to_owned(), found });
        }
        let Some(quantisation) = quantisation else { return Ok(None) };
        match read(&quantisation) {
            Ok(read) => Ok(Some(read)),
            Err(Fault::File(error)) => Err(error),
            Err(Fault::Unsupported(reason)) => Err(WeightsError::Quantisation {
                file: config.file().to_owned(),
                found: describe(&quantisation),
                reason,
            }),
        }
    }
}

fn read(quantisation: &Config) -> Result<Quantisation, Fault> {
    if quantisation.str(&["quant_method"])? != Some("compressed-tensors") {
        return unsupported("only compressed-tensors is read");
    }
    let format = quantisation.str(&["format"])?;
    check_format(format)?;
    check_sparsity(quantisation)?;
    if let Some(transforms) = quantisation.raw("transform_config")
        && !is_empty(transforms)
        && transforms.get("config_groups").is_none_or(|groups| !is_empty(groups))
    {
        return unsupported("its transform_config rotates weights or inputs; none at all is read");
    }
    let Some(groups) = quantisation.object("config_groups")? else {
        return Err(quantisation.missing(&["config_groups"]).into());
    };
    let mut schemes = Vec::new();
    for name in groups.keys() {
        let in_group = |fault| match fault {
            Fault::Unsupported(reason) => Fault::Unsupported(format!("in config_groups.{name}, {reason}")),
            fault => fault,
        };
        let Some(group) = groups.object(name)? else { continue };
        let scheme = group_scheme(&group, format).map_err(in_group)?;
        schemes.extend(scheme.filter(|scheme| !schemes.contains(scheme)));
    }
    if schemes.is_empty() {
        return unsupported("config_groups is empty, or has no weights");
    }
    Ok(Quantisation { schemes, has_cache_scheme: quantisation.raw("kv_cache_scheme").is_some() })
}

/// Null, or a list or object of nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn check_format(format: Option<&str>) -> Result<(), Fault> {
    match format {
        Some(format) if FORMATS.contains(&format) => Ok(()),
        found => {
            let found = found.unwrap_or("null");
            unsupported(format!("its format is {found}; of its formats, {} are read", FORMATS.join(", ")))
        }
    }
}

/// Weights of which some are left out are not read; a `sparsity_config` of all of them says nothing.
fn check_sparsity(quantisation: &Config) -> Result<(), Fault> {
    let Some(sparsity) = quantisation.raw("sparsity_config").filter(|value| !is_empty(value)) else {
        return Ok(());
    };
    match sparsity.get("format").map(|format| format.as_str().unwrap_or_default()) {
        Some("dense") => Ok(()),
        found => {
            let found = found.unwrap_or("not named");
            unsupported(format!("sparsity_config.format is {found}; only dense is read"))
        }
    }
}

/// One entry of `config_groups`; `None` where it is of no weights.
fn group_scheme(group: &Config, outer: Option<&str>) -> Result<Option<Scheme>, Fault> {
    let format = group.str(&["format"])?.or(outer);
    check_format(format)?;
    let is_packed = format.filter(|f| *f != MIXED).map(|f| f == PACKED);
    if group.raw("output_activations").is_some() {
        return unsupported("it quantises output_activations; only inputs may be");
    }
    let inputs = inputs(group)?;
    let Some(weights) = group.object("weights")? else { return Ok(None) };
    if weights.raw("dynamic").is_some_and(|dynamic| *dynamic != json!(false)) {
        return unsupported("its weights are dynamic; only static ones are read");
    }
    let (is_float, n_bits) = element(&weights)?;
    let has_zeros = weights.bool(&["symmetric"])? == Some(false);
    if has_zeros && is_float {
        return unsupported("symmetric is false and its type is float; zero points are read of int alone");
    }
    let is_ordered = is_ordered(&weights)?;
    let block = block(&weights)?;
    if is_ordered && block[1] == Scheme::ALL {
        return unsupported("actorder is group and its strategy is another; only groups have an order");
    }
    Ok(Some(Scheme { is_float, n_bits, block, has_zeros, is_ordered, is_packed, inputs }))
}

/// Whether codes are floats, and their bits; what is left out is int of 8, as compressed-tensors has it.
fn element(weights: &Config) -> Result<(bool, u32), Fault> {
    let (kind, n_bits) =
        (weights.str(&["type"])?.unwrap_or("int"), weights.usize(&["num_bits"])?.unwrap_or(8));
    match (kind, n_bits) {
        ("float", 8) => Ok((true, 8)),
        ("int", 4) => Ok((false, 4)),
        ("int", 8) => Ok((false, 8)),
        _ => unsupported(format!(
            "its type is {kind} with {n_bits} bits; int of 4 or 8 and float of 8 are read"
        )),
    }
}

/// Whether columns are in groups by a tensor. Those ordered at the time of quantising alone are stored in their own order.
fn is_ordered(weights: &Config) -> Result<bool, Fault> {
    match weights.raw("actorder") {
        None | Some(Value::Bool(false)) => Ok(false),
        Some(Value::String(order)) if matches!(order.as_str(), "weight" | "static") => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(Value::String(order)) if matches!(order.as_str(), "group" | "dynamic") => Ok(true),
        Some(found) => unsupported(format!("actorder is {found}; group, weight and static are read")),
    }
}

/// What becomes of inputs.
fn inputs(group: &Config) -> Result<Inputs, Fault> {
    let Some(inputs) = group.object("input_activations")? else { return Ok(Inputs::Floats) };
    if let Some(n_bits) = inputs.usize(&["num_bits"])?.filter(|n_bits| *n_bits < 8) {
        return unsupported(format!(
            "its input_activations have {n_bits} bits, and at least 8 are supported"
        ));
    }
    Ok(rounding(&inputs)?.map_or(Inputs::Other, Inputs::Rounded))
}

/// How `input_activations` are to be rounded; `None` for ways that are not computed.
fn rounding(inputs: &Config) -> Result<Option<Rounding>, WeightsError> {
    let to = match (inputs.str(&["type"])?, inputs.usize(&["num_bits"])?) {
        (Some("float"), Some(8)) => Rounded::E4M3,
        (Some("int"), Some(8)) => Rounded::Int8,
        _ => return Ok(None),
    };
    if inputs.bool(&["symmetric"])? != Some(true) {
        return Ok(None);
    }
    // A scale that is not found out anew for each token stands in the file.
    let is_dynamic = inputs.raw("dynamic") == Some(&json!(true));
    let scale = if is_dynamic { None } else { Some(0.0) };
    let group = inputs.usize(&["group_size"])?.filter(|n| *n > 0);
    Ok(match (inputs.str(&["strategy"])?, is_dynamic, group) {
        (Some("token"), true, _) | (Some("tensor"), false, _) => Some(Rounding { to, group: None, scale }),
        (Some("group"), true, Some(_)) => Some(Rounding { to, group, scale }),
        _ => None,
    })
}

/// Rows and columns that share a scale; where the strategy is left out, as compressed-tensors takes it from the size of groups.
fn block(weights: &Config) -> Result<[usize; 2], Fault> {
    let is_channel = weights.raw("group_size") == Some(&json!(-1));
    let group = if is_channel { None } else { weights.usize(&["group_size"])? };
    let strategy = match weights.str(&["strategy"])? {
        None if is_channel => "channel",
        None if group.is_some() => "group",
        None => "tensor",
        Some(strategy) => strategy,
    };
    match strategy {
        "tensor" => Ok([Scheme::ALL, Scheme::ALL]),
        "channel" => Ok([1, Scheme::ALL]),
        "group" => match group.filter(|n| *n > 0) {
            Some(group) => Ok([1, group]),
            None => unsupported("group_size is not a number from 1"),
        },
        "block" => match weights.list_usize(&["block_structure"])?.as_deref() {
            Some(&[rows, columns]) if rows > 0 && columns > 0 => Ok([rows, columns]),
            _ => unsupported("block_structure is not two numbers from 1"),
        },
        found => unsupported(format!("its strategy is {found}; tensor, channel, group and block are read")),
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
