//! Quantised weights in the words of compressed-tensors: which are read, and what config.json says of them.
//!
//! Format: <https://github.com/neuralmagic/compressed-tensors>. `quantization_config` names the method and, for
//! each group of layers, how many bits, which type and which elements share a scale. `X.weight` holds I8 or
//! E4M3 codes `[rows, columns]`, or `X.weight_packed` codes of 4 or 8 bits in I32 words; `X.weight_scale` holds the scales, and a
//! weight is code · scale, or (code − zero point) · scale with `X.weight_zero_point`; `X.weight_g_idx` gives each column its group where
//! groups are not of neighbours. Inputs stay floats, which is nearer to the model, unless
//! [`Checkpoint::input_rounding`](crate::Checkpoint::input_rounding) is asked how other engines round them.

mod read;

use hala_tensor::Rounding;
use serde_json::{Value, json};

use crate::file_dtype::FileDType;

/// What follows `X.weight` in the name of its scales.
pub const SCALE_SUFFIX: &str = "_scale";

/// What follows `X.weight` in the name of its codes, where they are packed into words.
pub const PACKED_SUFFIX: &str = "_packed";

/// What follows `X.weight` in the names of other tensors that belong to it.
pub const SHAPE_SUFFIX: &str = "_shape";

/// What follows a layer's name in the name of the scale of its inputs, which stay floats here.
pub const INPUT_SCALE: &str = ".input_scale";

/// What follows `X.weight` in the name of its zero points, which are taken from codes.
pub(crate) const ZERO_SUFFIX: &str = "_zero_point";

/// What follows `X.weight` in the name of each column's group.
pub(crate) const ORDER_SUFFIX: &str = "_g_idx";

/// What follows `X.weight` in the names of other tensors, which an engine fetches with it.
pub(crate) const COMPANIONS: [&str; 3] = [SCALE_SUFFIX, ZERO_SUFFIX, ORDER_SUFFIX];

/// What follows `X.weight` in the name of a tensor that changes what its codes mean, in a way that is not read.
pub(crate) const UNREAD_SUFFIX: &str = "_global_scale";

/// What names of tensors end in that belong to a quantised key/value cache, which is held in floats here.
const CACHE_SUFFIXES: [&str; 8] = [
    ".k_scale",
    ".v_scale",
    ".q_scale",
    ".k_zero_point",
    ".v_zero_point",
    ".q_zero_point",
    ".k_proj.output_scale",
    ".v_proj.output_scale",
];

/// What names of tensors end in that shift inputs, which stay floats here.
pub(crate) const INPUT_ZERO: &str = ".input_zero_point";

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
    /// Whether the key/value cache is to be quantised, which is not done here.
    pub(crate) has_cache_scheme: bool,
}

/// One entry of `config_groups`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scheme {
    pub(crate) is_float: bool,
    pub(crate) n_bits: u32,
    /// Rows and columns that share a scale; [`Scheme::ALL`] for all of them.
    pub(crate) block: [usize; 2],
    /// Whether zero points are taken from codes.
    pub(crate) has_zeros: bool,
    /// Whether each column has its group in a tensor.
    pub(crate) is_ordered: bool,
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
        let &[n_rows, n_words] = words else { return None };
        let scales = match *scales {
            [n_rows, n_groups] => [n_rows, n_groups],
            [] | [1] => [1, 1],
            _ => return None,
        };
        let n_groups = scales[1];
        let columns = |scheme: &Scheme| match scheme.block[1] {
            Scheme::ALL => n_words.checked_mul(32 / scheme.n_bits as usize),
            group => n_groups.checked_mul(group),
        };
        let fits = |scheme: Scheme| {
            let dims = stored.or_else(|| Some([n_rows, columns(&scheme)?]))?;
            let is_whole = dims[0] == n_rows && scheme.n_words(dims[1]) == n_words;
            (is_whole && scheme.n_blocks(dims) == scales).then_some(dims)
        };
        let mut dims = self.schemes(FileDType::I32).filter_map(fits);
        let first = dims.next()?;
        dims.all(|other| other == first).then_some(first)
    }

    /// Whether a tensor belongs to a quantised key/value cache.
    pub(crate) fn is_of_cache(&self, name: &str) -> bool {
        self.has_cache_scheme && CACHE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
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
