//! What a merge puts its result together from.

use serde::Deserialize;

use super::method::Method;
use super::parameters::Parameters;

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

impl Parts {
    /// Refuses what cannot be merged in this way.
    pub(crate) fn check(&self, method: Method, base: Option<&str>) -> Result<(), String> {
        match self {
            Self::Models(parts) => {
                let models: Vec<_> = parts.iter().map(|part| part.model.as_str()).collect();
                check_sources(method, &models, base)
            }
            Self::Slices(slices) => slices.iter().try_for_each(|slice| {
                let models: Vec<_> = slice.sources.iter().map(|source| source.model.as_str()).collect();
                check_sources(method, &models, slice.base_model.as_deref().or(base))?;
                check_ranges(&slice.sources)
            }),
        }
    }

    /// The parameters of all places.
    pub(crate) fn parameters(&self) -> Vec<&Parameters> {
        match self {
            Self::Models(parts) => parts.iter().map(|part| &part.parameters).collect(),
            Self::Slices(slices) => {
                let of_slices = slices.iter().map(|slice| &slice.parameters);
                let sources = slices.iter().flat_map(|slice| &slice.sources);
                of_slices.chain(sources.map(|source| &source.parameters)).collect()
            }
        }
    }
}

fn check_sources(method: Method, models: &[&str], base: Option<&str>) -> Result<(), String> {
    if models.is_empty() {
        return Err("a slice has no sources".to_owned());
    }
    if method == Method::Linear {
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
