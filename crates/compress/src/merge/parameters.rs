//! The names of a merge's settings: which count for a method, which mergekit passes over, and which it does not know.

use std::collections::{BTreeMap, BTreeSet};

use hala_weights::nearest;

use super::method::Method;
use super::setting::Setting;

/// Settings by their names.
pub(crate) type Parameters = BTreeMap<String, Setting>;

/// What any of mergekit's methods takes, and what earlier versions took.
///
/// Source: <https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md>.
const KNOWN: [&str; 25] = [
    "cosine_similarity",
    "density",
    "embed_slerp",
    "eps",
    "epsilon",
    "filter_wise",
    "gamma",
    "int8_mask",
    "lambda",
    "max_iter",
    "normalize",
    "normalize_weights",
    "nuslerp_flatten",
    "nuslerp_row_wise",
    "params",
    "rescale",
    "rescale_norm",
    "scale",
    "select_topk",
    "swapping",
    "t",
    "tol",
    "top_k",
    "weight",
    "weights",
];

/// The names that do not count for the method, each once; mergekit passes over them without a word.
///
/// # Errors
/// A name that no method knows, with the nearest that one does.
pub(crate) fn passed_over(method: Method, all: &[&Parameters]) -> Result<Vec<String>, String> {
    let counts: &[&str] = match method {
        Method::Slerp => &["t"],
        Method::Linear => &["weight", "normalize"],
    };
    let names: BTreeSet<&str> =
        all.iter().flat_map(|parameters| parameters.keys().map(String::as_str)).collect();
    if let Some(name) = names.iter().find(|name| !KNOWN.contains(name)) {
        return Err(format!("there is no parameter `{name}`; {}", known(name, &KNOWN)));
    }
    Ok(names.into_iter().filter(|name| !counts.contains(name)).map(str::to_owned).collect())
}

/// Of the names that there are, those that come near, or all.
pub(crate) fn known(wanted: &str, names: &[&str]) -> String {
    let near = nearest(wanted, names.iter().copied());
    match near.as_slice() {
        [] => format!("there are {}", names.join(", ")),
        near => format!("the nearest names are `{}`", near.join("`, `")),
    }
}
