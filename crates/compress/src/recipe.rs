//! Which modules get which scheme.
//!
//! Targets are written as in compressed-tensors: `Linear` or `Embedding` for all modules of that kind, a module's name, or `re:` and a
//! regular expression that a name must begin with.

use std::collections::BTreeMap;

use hala_tensor::Shape;
use hala_weights::{Checkpoint, FileDType};
use regex::Regex;
use serde::Deserialize;

use crate::error::CompressError;
use crate::folder::read_yaml;
use crate::scheme::Scheme;

/// Schemes with their targets, and what is left as it is.
#[derive(Debug, Clone)]
pub struct Recipe {
    groups: Vec<Group>,
    ignore: Vec<Target>,
    ranges: BTreeMap<String, f32>,
    smoothing: Option<f32>,
}

/// Modules of one scheme.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) scheme: Scheme,
    targets: Vec<Target>,
}

/// A name or a pattern of modules, as it was written.
#[derive(Debug, Clone)]
struct Target {
    text: String,
    pattern: Option<Regex>,
}

/// A recipe's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<FileGroup>,
    #[serde(default)]
    ignore: Vec<String>,
    smooth: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGroup {
    scheme: String,
    #[serde(default = "linear")]
    targets: Vec<String>,
    group: Option<usize>,
}

fn linear() -> Vec<String> {
    vec!["Linear".to_owned()]
}

/// What a module is, by its name and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Embedding,
}

impl Target {
    fn new(text: &str) -> Result<Self, String> {
        let pattern = text.strip_prefix("re:").map(|pattern| {
            Regex::new(&format!("^(?:{pattern})"))
                .map_err(|e| format!("the pattern {text:?} is no regular expression: {e}"))
        });
        Ok(Self { text: text.to_owned(), pattern: pattern.transpose()? })
    }

    fn matches(&self, module: &str, kind: Kind) -> bool {
        match (&self.pattern, self.text.as_str(), kind) {
            (Some(pattern), ..) => pattern.is_match(module),
            (None, "Linear", Kind::Linear) | (None, "Embedding", Kind::Embedding) => true,
            (None, text, _) => text == module,
        }
    }
}

impl Recipe {
    /// All linear layers in one scheme, but the output head and what is ignored: names, or `re:` and patterns.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn of_scheme(scheme: Scheme, ignore: &[String]) -> Result<Self, CompressError> {
        let file = "--ignore".to_owned();
        let settings = |detail| CompressError::Settings { file: file.clone(), detail };
        let targets = vec![Target::new("Linear").map_err(settings)?];
        let ignore = ignore.iter().map(String::as_str).chain(["lm_head"]).map(Target::new);
        let ignore = ignore.collect::<Result<_, _>>().map_err(settings)?;
        Ok(Self { groups: vec![Group { scheme, targets }], ignore, ranges: BTreeMap::new(), smoothing: None })
    }

    /// Reads a recipe: `groups`, each with a `scheme`, its `targets` (all linear layers where there are none) and for some schemes a
    /// `group`; what to `ignore`; and how strongly to `smooth`. The first group with a fitting target has a module.
    ///
    /// # Errors
    /// The text is no YAML of that form, or names an unknown scheme; `file` says where it stands.
    pub fn parse(file: &str, text: &str) -> Result<Self, CompressError> {
        let settings = |detail| CompressError::Settings { file: file.to_owned(), detail };
        let parsed: File = read_yaml(file, text)?;
        let targets = |list: &[String]| -> Result<Vec<Target>, CompressError> {
            list.iter().map(|text| Target::new(text)).collect::<Result<_, _>>().map_err(settings)
        };
        let mut groups = Vec::new();
        for group in &parsed.groups {
            let scheme: Scheme = group.scheme.parse().map_err(settings)?;
            let scheme = match group.group {
                None => scheme,
                Some(0) => return Err(settings("a group of 0 columns: give a number from 1".to_owned())),
                Some(n) => scheme
                    .with_group(n)
                    .ok_or_else(|| settings(format!("the scheme {} has no groups", scheme.name())))?,
            };
            groups.push(Group { scheme, targets: targets(&group.targets)? });
        }
        if groups.is_empty() {
            return Err(settings("`groups` is empty: a recipe needs one scheme at least".to_owned()));
        }
        let recipe =
            Self { groups, ignore: targets(&parsed.ignore)?, ranges: BTreeMap::new(), smoothing: None };
        match parsed.smooth {
            Some(strength) => recipe.with_smoothing(strength).map_err(|e| settings(format!("smooth: {e}"))),
            None => Ok(recipe),
        }
    }

    /// Whether a text helps any of its schemes: by the ranges of inputs, or by GPTQ.
    pub fn takes_calibration(&self) -> bool {
        self.needs_ranges() || self.groups.iter().any(|group| group.scheme.is_whole())
    }

    /// The same with inputs smoothed by SmoothQuant of this strength, its α.
    ///
    /// # Errors
    /// In words: the strength is not from 0 to 1, or no scheme has inputs of int8.
    pub fn with_smoothing(self, strength: f32) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&strength) {
            return Err(format!("a strength of {strength}, and it is from 0 to 1"));
        }
        if !self.groups.iter().any(|group| group.scheme.is_smoothed()) {
            return Err("no scheme rounds inputs to int8; int8 does".to_owned());
        }
        Ok(Self { smoothing: Some(strength), ..self })
    }

    /// The strength of smoothing, where that is wanted.
    pub fn smoothing(&self) -> Option<f32> {
        self.smoothing
    }

    /// Whether a scheme needs to know how large inputs become.
    pub fn needs_ranges(&self) -> bool {
        self.groups.iter().any(|group| group.scheme.is_static())
    }

    /// The same with the largest magnitude of the inputs of each weight, by the weights' names.
    pub fn with_ranges(self, ranges: BTreeMap<String, f32>) -> Self {
        Self { ranges, ..self }
    }

    /// The largest magnitude of each weight's inputs.
    pub(crate) fn ranges(&self) -> &BTreeMap<String, f32> {
        &self.ranges
    }

    /// Its groups.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What is left as it is, as it was written.
    pub(crate) fn ignored(&self) -> Vec<&str> {
        self.ignore.iter().map(|target| target.text.as_str()).collect()
    }

    fn group_of(&self, module: &str, kind: Kind) -> Option<usize> {
        if self.ignore.iter().any(|target| target.matches(module, kind)) {
            return None;
        }
        self.groups.iter().position(|group| group.targets.iter().any(|target| target.matches(module, kind)))
    }
}

impl Group {
    /// Its targets as they were written.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.targets.iter().map(|target| target.text.clone()).collect()
    }
}

/// A weight to be quantised.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// The name of its weight, `….weight`.
    pub(crate) weight: String,
    pub(crate) shape: Shape,
    /// Which of the recipe's groups it belongs to.
    pub(crate) group: usize,
}

/// The modules of a checkpoint that a recipe quantises, in the order of their names.
pub(crate) fn modules(checkpoint: &Checkpoint, recipe: &Recipe) -> Result<Vec<Module>, CompressError> {
    let mut modules = Vec::new();
    for tensor in checkpoint.tensors() {
        let Some(name) = tensor.name.strip_suffix(".weight") else { continue };
        let &[n_rows, n_columns] = tensor.dims.as_slice() else { continue };
        if matches!(tensor.dtype, FileDType::I8 | FileDType::F8_E4M3) || tensor.dtype.is_blocks() {
            return Err(CompressError::AlreadyQuantised {
                origin: checkpoint.origin(),
                found: format!("{} is {}", tensor.name, tensor.dtype),
            });
        }
        let kind =
            if name.contains("embed") || name.ends_with("wte") { Kind::Embedding } else { Kind::Linear };
        let Some(group) = recipe.group_of(name, kind) else { continue };
        let shape = Shape::matrix(n_rows, n_columns);
        let scheme = recipe.groups[group].scheme;
        if let [_, Some(columns)] = scheme.block()
            && scheme != Scheme::Fp8Block
            && n_columns % columns != 0
        {
            return Err(CompressError::Group { name: tensor.name.clone(), shape, group: columns });
        }
        if scheme.is_static() && !recipe.ranges.get(&tensor.name).is_some_and(|range| range.is_finite()) {
            return Err(CompressError::NotCalibrated { name: tensor.name.clone(), scheme: scheme.name() });
        }
        modules.push(Module { weight: tensor.name.clone(), shape, group });
    }
    if modules.is_empty() {
        let targets: Vec<_> = recipe.groups.iter().flat_map(Group::targets).collect();
        return Err(CompressError::NothingMatches {
            origin: checkpoint.origin(),
            targets: targets.join(", "),
        });
    }
    check_fused(checkpoint, recipe, &modules)?;
    Ok(modules)
}

/// Modules that vLLM computes as one, by how their names end.
const FUSED: [&[&str]; 3] =
    [&["q_proj", "k_proj", "v_proj"], &["gate_proj", "up_proj"], &["feed_forward.w1", "feed_forward.w3"]];

/// Checks that modules which are computed as one have one scheme, or none.
fn check_fused(checkpoint: &Checkpoint, recipe: &Recipe, modules: &[Module]) -> Result<(), CompressError> {
    let scheme =
        |weight: &str| modules.iter().find(|m| m.weight == weight).map(|m| recipe.groups[m.group].scheme);
    for names in FUSED {
        for first in checkpoint.tensor_names() {
            let Some(stem) = first.strip_suffix(&format!("{}.weight", names[0])) else { continue };
            for name in &names[1..] {
                let second = format!("{stem}{name}.weight");
                if checkpoint.contains(&second) && scheme(first) != scheme(&second) {
                    return Err(CompressError::Fused { first: first.to_owned(), second });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_match_as_in_compressed_tensors() {
        let kinds = [("model.embed_tokens", Kind::Embedding), ("model.layers.0.conv.in_proj", Kind::Linear)];
        let matched = |text: &str| kinds.map(|(name, kind)| Target::new(text).unwrap().matches(name, kind));
        assert_eq!(matched("Linear"), [false, true]);
        assert_eq!(matched("Embedding"), [true, false]);
        assert_eq!(matched("model.embed_tokens"), [true, false]);
        assert_eq!(matched("embed_tokens"), [false, false]);
        assert_eq!(matched(r"re:.*\.conv\.(in_proj|out_proj)$"), [false, true]);
        // A pattern begins where the name does, as Python's `re.match` has it.
        assert_eq!(matched("re:embed_tokens"), [false, false]);
    }

    #[test]
    fn the_first_group_that_fits_has_a_module() {
        let text = "
groups:
  - { scheme: int4-w4a16, group: 32, targets: ['re:.*feed_forward'] }
  - { scheme: fp8-dynamic }
ignore: ['re:.*conv']
";
        let recipe = Recipe::parse("recipe.yml", text).unwrap();
        assert_eq!(recipe.groups[0].scheme, Scheme::Int4Weights { group: Some(32) });
        assert_eq!(recipe.group_of("model.layers.0.feed_forward.w1", Kind::Linear), Some(0));
        assert_eq!(recipe.group_of("model.layers.0.self_attn.q_proj", Kind::Linear), Some(1));
        assert_eq!(recipe.group_of("model.layers.0.conv.in_proj", Kind::Linear), None);
        assert_eq!(recipe.group_of("model.embed_tokens", Kind::Embedding), None);
    }

    #[test]
    fn faults_are_named_with_their_file() {
        for (text, word) in [
            ("groups: []", "empty"),
            ("groups: [{ scheme: fp4 }]", "int4-w4a16"),
            ("groups: [{ scheme: int8, group: 64 }]", "no groups"),
            ("groups: [{ scheme: int8, targets: ['re:('] }]", "regular expression"),
            ("groups: [{ scheme: int8, colour: red }]", "colour"),
            ("group", "recipe.yml"),
        ] {
            let message = Recipe::parse("recipe.yml", text).unwrap_err().to_string();
            assert!(message.contains(word) && message.contains("recipe.yml"), "{message}");
        }
    }
}
