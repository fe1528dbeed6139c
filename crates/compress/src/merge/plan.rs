//! Which tensors a merged checkpoint has, and what each is made of.

use std::collections::BTreeMap;

use hala_tensor::counted;
use hala_weights::Checkpoint;

use super::config::MergeConfig;
use super::method::Method;
use super::parameters::Parameters;
use super::parts::{ModelPart, Parts, SourcePart};
use crate::error::CompressError;

/// A tensor to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) parts: Vec<Part>,
    /// Whether weighted sums are divided by the sum of their weights.
    pub(crate) is_normalised: bool,
}

/// One tensor of those that are combined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) model: String,
    /// Its name there: with slices, that of another layer.
    pub(crate) name: String,
    /// Its weight in a sum; in slerp, how far the result is on the way to it.
    pub(crate) weight: f64,
}

/// The models of a merge by their names.
pub(crate) type Models = BTreeMap<String, Checkpoint>;

/// One of the models.
pub(crate) fn model<'m>(models: &'m Models, name: &str) -> Result<&'m Checkpoint, CompressError> {
    let missing =
        || CompressError::Settings { file: name.to_owned(), detail: "this model was not opened".to_owned() };
    models.get(name).ok_or_else(missing)
}

/// A source of some layers, or of whole models.
struct Source<'a> {
    model: &'a str,
    /// The first layer, where the output's first is counted from 0.
    first_layer: usize,
    parameters: &'a Parameters,
}

/// A run of layers with one set of sources.
struct Run<'a> {
    sources: Vec<Source<'a>>,
    base: Option<&'a str>,
    n_layers: usize,
    parameters: Option<&'a Parameters>,
}

/// The number in `….layers.N.…`, and where it stands.
pub(crate) fn layer_of(name: &str) -> Option<(usize, std::ops::Range<usize>)> {
    let start = name.find("layers.")? + "layers.".len();
    let end = start + name[start..].find('.')?;
    Some((name[start..end].parse().ok()?, start..end))
}

/// Layers of a checkpoint, by its tensors' names.
pub(crate) fn n_layers(checkpoint: &Checkpoint) -> usize {
    checkpoint.tensor_names().filter_map(layer_of).map(|(layer, _)| layer + 1).max().unwrap_or(0)
}

/// Whether a tensor comes after the layers, as mergekit counts: LFM2's last norm, of a name that embeddings have elsewhere, does not.
fn is_after_layers(name: &str) -> bool {
    name == "model.norm.weight" || name.starts_with("lm_head.")
}

/// Every tensor of the result: what comes before the layers, of the first slice's sources; the layers, in the order of their names; what
/// comes after them, of the last slice's.
pub(crate) fn outputs(config: &MergeConfig, models: &Models) -> Result<Vec<Output>, CompressError> {
    let runs = runs(config, models)?;
    let settings = |detail| CompressError::Settings { file: config.file.clone(), detail };
    let mut outputs = Vec::new();
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(outputs) };
    for (run, is_after) in [(first, false), (last, true)] {
        let outermost = leading(run, models).ok_or_else(|| settings("no model is named".to_owned()))?;
        let names = outermost.tensor_names().filter(|name| layer_of(name).is_none());
        for name in names.filter(|name| is_after_layers(name) == is_after) {
            // Embeddings, the last norm and the head take a list's first value.
            outputs.push(output(config, run, name, |_| name.to_owned(), 0.0).map_err(settings)?);
        }
    }
    let mut first_layer = 0;
    for run in &runs {
        let layered = leading(run, models).ok_or_else(|| settings("a slice has no sources".to_owned()))?;
        let start = run.sources[0].first_layer;
        let names: Vec<_> = layered.tensor_names().filter_map(|name| Some((name, layer_of(name)?))).collect();
        for i in 0..run.n_layers {
            let depth = if run.n_layers > 1 { i as f64 / (run.n_layers - 1) as f64 } else { 1.0 };
            for (name, (_, place)) in names.iter().filter(|(_, (layer, _))| *layer == start + i) {
                let renamed = |layer: usize| format!("{}{layer}{}", &name[..place.start], &name[place.end..]);
                let of_source = |source: &Source<'_>| renamed(source.first_layer + i);
                let out = output(config, run, &renamed(first_layer + i), of_source, depth);
                outputs.push(out.map_err(settings)?);
            }
        }
        first_layer += run.n_layers;
    }
    Ok(outputs)
}

/// The model whose tensors are gone through: the first source.
fn leading<'m>(run: &Run<'_>, models: &'m Models) -> Option<&'m Checkpoint> {
    models.get(run.sources.first()?.model)
}

fn runs<'a>(config: &'a MergeConfig, models: &Models) -> Result<Vec<Run<'a>>, CompressError> {
    let settings = |detail| CompressError::Settings { file: config.file.clone(), detail };
    let base = config.base.as_deref();
    match &config.parts {
        Parts::Models(parts) => {
            let source = |part: &'a ModelPart| Source {
                model: &part.model,
                first_layer: 0,
                parameters: &part.parameters,
            };
            let sources: Vec<_> = parts.iter().map(source).collect();
            let n_layers = models.get(sources[0].model).map_or(0, n_layers);
            Ok(vec![Run { sources, base, n_layers, parameters: None }])
        }
        Parts::Slices(slices) => slices
            .iter()
            .map(|slice| {
                for source in &slice.sources {
                    let found = models.get(&source.model).map_or(0, n_layers);
                    let [start, end] = source.layer_range;
                    if end > found {
                        let model = &source.model;
                        return Err(settings(format!(
                            "layer_range [{start}, {end}] of {model}, which has {}",
                            counted(found as u64, "layer")
                        )));
                    }
                }
                let source = |part: &'a SourcePart| Source {
                    model: &part.model,
                    first_layer: part.layer_range[0],
                    parameters: &part.parameters,
                };
                let [start, end] = slice.sources[0].layer_range;
                Ok(Run {
                    sources: slice.sources.iter().map(source).collect(),
                    base: slice.base_model.as_deref().or(base),
                    n_layers: end - start,
                    parameters: Some(&slice.parameters),
                })
            })
            .collect(),
    }
}

/// What one tensor is made of; `named` gives its name in a source.
fn output(
    config: &MergeConfig,
    run: &Run<'_>,
    name: &str,
    named: impl Fn(&Source<'_>) -> String,
    depth: f64,
) -> Result<Output, String> {
    let setting = |key: &str, own: Option<&Parameters>| {
        let places = [own, run.parameters, Some(&config.parameters)];
        places.into_iter().flatten().find_map(|parameters| parameters.get(key)?.at(name, depth))
    };
    let part =
        |source: &Source<'_>, weight| Part { model: source.model.to_owned(), name: named(source), weight };
    let mut parts = Vec::new();
    match config.method {
        Method::Slerp => {
            let t = setting("t", None).ok_or_else(|| format!("t has no value for {name}"))?;
            if !(0.0..=1.0).contains(&t) {
                return Err(format!("t is {t} for {name}, where a number from 0 to 1 is expected"));
            }
            parts.extend(run.sources.iter().map(|source| {
                let is_base = run.base == Some(source.model);
                part(source, if is_base { 0.0 } else { t })
            }));
            if let ([source], Some(base)) = (&run.sources[..], run.base)
                && source.model != base
            {
                parts.push(Part { model: base.to_owned(), name: named(source), weight: 0.0 });
            }
            // From the base on.
            parts.sort_by_key(|part| run.base != Some(part.model.as_str()));
        }
        Method::Linear => {
            for source in &run.sources {
                let weight = setting("weight", Some(source.parameters))
                    .ok_or_else(|| format!("weight has no value for {name} of {}", source.model))?;
                parts.push(part(source, weight));
            }
        }
    }
    let is_normalised = setting("normalize", None).is_none_or(|on| on != 0.0);
    Ok(Output { name: name.to_owned(), parts, is_normalised })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_found_in_a_name() {
        assert_eq!(layer_of("model.layers.12.conv.in_proj.weight"), Some((12, 13..15)));
        assert_eq!(layer_of("model.embed_tokens.weight"), None);
    }
}
