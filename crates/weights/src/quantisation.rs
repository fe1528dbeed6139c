//! Quantised weights in the words of compressed-tensors: which are read, and what config.json says of them.
//!
//! Format: <https://github.com/neuralmagic/compressed-tensors>. `quantization_config` names the method and, for
//! each group of layers, how many bits, which type and which elements share a scale. `X.weight` holds I8 or
//! E4M3 codes `[rows, columns]`, or `X.weight_packed` codes of 4 or 8 bits in I32 words; `X.weight_scale` holds the scales, and a
//! weight is code · scale. Inputs stay floats, which is nearer to the model, unless
//! [`Checkpoint::input_rounding`](crate::Checkpoint::input_rounding) is asked how other engines round them.

use hala_tensor::{Rounded, Rounding};
use serde_json::{Value, json};

use crate::{Config, FileDType, WeightsError};

/// What follows `X.weight` in the name of its scales.
pub const SCALE_SUFFIX: &str = "_scale";

/// What follows `X.weight` in the name of its codes, where they are packed into words.
pub const PACKED_SUFFIX: &str = "_packed";

/// What follows `X.weight` in the names of other tensors that belong to it.
pub const SHAPE_SUFFIX: &str = "_shape";

/// What follows a layer's name in the name of the scale of its inputs, which stay floats here.
pub const INPUT_SCALE: &str = ".input_scale";

/// What follows `X.weight` in the names of tensors that change what its codes mean, in ways that are not read.
pub(crate) const UNREAD_SUFFIXES: [&str; 3] = ["_zero_point", "_g_idx", "_global_scale"];

/// Formats of compressed-tensors whose codes are read.
const FORMATS: [&str; 5] = ["int-quantized", "float-quantized", "naive-quantized", PACKED, MIXED];

/// The format of codes in words.
const PACKED: &str = "pack-quantized";

/// A format for each group.
const MIXED: &str = "mixed-precision";

/// The type of a weight's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    /// Signed bytes.
    Int8,
    /// E4M3.
    E4M3,
    /// Numbers of this many bits (4 or 8) from the lowest bit of each 32-bit word on, 2^(bits − 1) added.
    Packed(u32),
}

/// What a `quantization_config` says of weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantisation {
    schemes: Vec<Scheme>,
}

/// One entry of `config_groups`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scheme {
    pub(crate) is_float: bool,
    pub(crate) n_bits: u32,
    /// Rows and columns that share a scale; [`Scheme::ALL`] for all of them.
    pub(crate) block: [usize; 2],
    /// Whether codes are packed into words; `None` where the file does not say.
    pub(crate) is_packed: Option<bool>,
    /// What becomes of inputs.
    pub(crate) inputs: Inputs,
}

/// What a scheme asks of engines to do with the inputs of products.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Inputs {
    /// Nothing.
    Floats,
    /// To round them; a scale of 0 stands in a tensor of its own.
    Rounded(Rounding),
    /// To round them in a way that is not computed here.
    Other,
}

impl Scheme {
    /// All rows or columns.
    pub(crate) const ALL: usize = usize::MAX;

    /// Words that hold the packed codes of a row.
    pub(crate) fn n_words(self, n_columns: usize) -> usize {
        n_columns.div_ceil(32 / self.n_bits as usize)
    }

    /// Shape of the scales of a matrix.
    pub(crate) fn n_blocks(self, [n_rows, n_columns]: [usize; 2]) -> [usize; 2] {
        [n_rows.div_ceil(self.block[0]), n_columns.div_ceil(self.block[1])]
    }
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

impl Quantisation {
    /// What `quantization_config` says; `None` where there is none.
    ///
    /// # Errors
    /// [`WeightsError::Quantisation`] for a way to quantise that is not read, naming it.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, WeightsError> {
        let Some(quantisation) = config.object("quantization_config")? else { return Ok(None) };
        let unsupported = |reason: String| WeightsError::Quantisation {
            file: config.file().to_owned(),
            found: describe(&quantisation),
            reason,
        };
        let method = quantisation.str(&["quant_method"])?;
        if method != Some("compressed-tensors") {
            return Err(unsupported("only compressed-tensors is read".to_owned()));
        }
        let format = quantisation.str(&["format"])?;
        check_format(format).map_err(unsupported)?;
        if quantisation.raw("kv_cache_scheme").is_some() {
            return Err(unsupported("it quantises the key/value cache".to_owned()));
        }
        for key in ["sparsity_config", "transform_config"] {
            if quantisation.raw(key).is_some_and(|value| value.as_object().is_none_or(|o| !o.is_empty())) {
                return Err(unsupported(format!("it has a {key}")));
            }
        }
        let Some(groups) = quantisation.object("config_groups")? else {
            return Err(quantisation.missing(&["config_groups"]));
        };
        let mut schemes = Vec::new();
        for name in groups.keys() {
            let Some(group) = groups.object(name)? else { continue };
            let format = group.str(&["format"])?.or(format);
            check_format(format).map_err(unsupported)?;
            let is_packed = format.filter(|f| *f != MIXED).map(|f| f == PACKED);
            let scheme = scheme(&group, is_packed)?.map_err(unsupported)?;
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        if schemes.is_empty() {
            return Err(unsupported("config_groups is empty".to_owned()));
        }
        Ok(Some(Self { schemes }))
    }

    /// The shape of a matrix whose codes are packed into words, given the shapes of words and scales, and what `X.weight_shape` says
    /// where it is at hand; `None` where no scheme has them, or where two have and nothing decides.
    ///
    /// Without `X.weight_shape`, which would have to be fetched, columns are taken to be whole groups, or to fill the words.
    pub(crate) fn unpacked_dims(
        &self,
        words: &[usize],
        scales: &[usize],
        stored: Option<[usize; 2]>,
    ) -> Option<[usize; 2]> {
        let (&[n_rows, n_words], &[_, n_groups]) = (words, scales) else { return None };
        let columns = |scheme: &Scheme| match scheme.block[1] {
            Scheme::ALL => n_words.checked_mul(32 / scheme.n_bits as usize),
            group => n_groups.checked_mul(group),
        };
        let fits = |scheme: Scheme| {
            let dims = stored.or_else(|| Some([n_rows, columns(&scheme)?]))?;
            let is_whole = dims[0] == n_rows && scheme.n_words(dims[1]) == n_words;
            (is_whole && scheme.n_blocks(dims) == *scales).then_some(dims)
        };
        let mut dims = self.schemes(FileDType::I32).filter_map(fits);
        let first = dims.next()?;
        dims.all(|other| other == first).then_some(first)
    }

    /// The schemes that codes of this type in the file may have.
    pub(crate) fn schemes(&self, dtype: FileDType) -> impl Iterator<Item = Scheme> + Clone {
        let is_float = dtype == FileDType::F8_E4M3;
        let may_be = move |scheme: &Scheme| {
            // Only words hold fewer bits than a byte.
            let may_be_packed =
                scheme.is_packed.is_none_or(|is_packed| is_packed == (dtype == FileDType::I32));
            scheme.is_float == is_float && may_be_packed && (scheme.n_bits == 8 || dtype == FileDType::I32)
        };
        self.schemes.iter().copied().filter(may_be)
    }
}

fn check_format(format: Option<&str>) -> Result<(), String> {
    match format {
        Some(format) if FORMATS.contains(&format) => Ok(()),
        _ => Err(format!("of its formats, {} are read", FORMATS.join(", "))),
    }
}

/// One entry of `config_groups`, or what is not supported about it.
fn scheme(entry: &Config, is_packed: Option<bool>) -> Result<Result<Scheme, String>, WeightsError> {
    if entry.raw("output_activations").is_some() {
        return Ok(Err("it quantises output_activations".to_owned()));
    }
    let inputs = entry.object("input_activations")?;
    if let Some(n_bits) = inputs.as_ref().map(|inputs| inputs.usize(&["num_bits"])).transpose()?.flatten()
        && n_bits < 8
    {
        return Ok(Err(format!("its input_activations have {n_bits} bits, and at least 8 are supported")));
    }
    let inputs = match inputs {
        Some(inputs) => rounding(&inputs)?.map_or(Inputs::Other, Inputs::Rounded),
        None => Inputs::Floats,
    };
    let Some(weights) = entry.object("weights")? else { return Err(entry.missing(&["weights"])) };
    if weights.bool(&["symmetric"])? != Some(true) {
        return Ok(Err("symmetric is false: weights have zero points".to_owned()));
    }
    if weights.bool(&["dynamic"])? == Some(true) {
        return Ok(Err("its weights are dynamic".to_owned()));
    }
    // Weights ordered at the time of quantising ("weight", "static") are stored in their own order.
    if let Some(value) = weights.raw("actorder")
        && ![json!(false), json!("weight"), json!("static")].contains(value)
    {
        return Ok(Err(format!("actorder is {value}")));
    }
    let (kind, n_bits) = (weights.str(&["type"])?, weights.usize(&["num_bits"])?);
    let is_float = match (kind, n_bits) {
        (Some("float"), Some(8)) => true,
        (Some("int"), Some(4 | 8)) => false,
        _ => {
            let kind = kind.unwrap_or("not named");
            let n_bits = n_bits.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
            return Ok(Err(format!(
                "its type is {kind} with {n_bits} bits; int of 4 or 8 and float of 8 are read"
            )));
        }
    };
    let n_bits = n_bits.unwrap_or(8) as u32;
    Ok(block(&weights)?.map(|block| Scheme { is_float, n_bits, block, is_packed, inputs }))
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

/// Rows and columns that share a scale, or what is not supported about them.
fn block(weights: &Config) -> Result<Result<[usize; 2], String>, WeightsError> {
    let above_0 = |n: usize| n > 0;
    Ok(match weights.str(&["strategy"])? {
        Some("tensor") => Ok([Scheme::ALL, Scheme::ALL]),
        Some("channel") => Ok([1, Scheme::ALL]),
        Some("group") => match weights.usize(&["group_size"])?.filter(|n| above_0(*n)) {
            Some(group) => Ok([1, group]),
            None => Err("group_size is not a number from 1".to_owned()),
        },
        Some("block") => match weights.list_usize(&["block_structure"])?.as_deref() {
            Some(&[rows, columns]) if above_0(rows) && above_0(columns) => Ok([rows, columns]),
            _ => Err("block_structure is not two numbers from 1".to_owned()),
        },
        found => {
            let found = found.unwrap_or("null");
            Err(format!("its strategy is {found}; tensor, channel, group and block are read"))
        }
    })
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
