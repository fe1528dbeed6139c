//! A setting of a merge: one value, values along the layers, or values by tensors' names.

use serde::Deserialize;

/// A setting as it stands in the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Setting {
    /// On or off, for settings that are no number.
    Switch(bool),
    /// The same everywhere.
    Value(f64),
    /// From the first layer to the last, linear between the values.
    Gradient(Vec<f64>),
    /// By names: the first that fits counts.
    ByName(Vec<Condition>),
    /// By names, where there is one.
    OneName(Condition),
}

/// A setting for tensors whose names contain a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// Part of the names, `*` or nothing for all.
    #[serde(default)]
    filter: Option<String>,
    value: Box<Setting>,
}

impl Setting {
    /// The value for a tensor whose layer is `depth` of the way from the first to the last; `None` where no name fits.
    pub(crate) fn at(&self, tensor: &str, depth: f64) -> Option<f64> {
        match self {
            Self::Switch(on) => Some(f64::from(u8::from(*on))),
            Self::Value(value) => Some(*value),
            Self::Gradient(values) => gradient(values, depth),
            Self::ByName(conditions) => conditions.iter().find(|c| c.fits(tensor))?.value.at(tensor, depth),
            Self::OneName(condition) => condition.fits(tensor).then(|| condition.value.at(tensor, depth))?,
        }
    }
}

impl Condition {
    fn fits(&self, tensor: &str) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter == "*" || tensor.contains(filter))
    }
}

fn gradient(values: &[f64], depth: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = depth * last as f64;
    let before = (place as usize).min(last);
    let share = place - before as f64;
    Some((1.0 - share) * values[before] + share * values[(before + 1).min(last)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str) -> Setting {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn a_list_runs_along_the_layers() {
        let t = setting("[0, 0.5, 1]");
        let at = |depth| t.at("x", depth).unwrap();
        assert_eq!([at(0.0), at(0.25), at(0.5), at(1.0)], [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(setting("[0.3]").at("x", 0.7), Some(0.3));
        assert_eq!(setting("[]").at("x", 0.7), None);
    }

    #[test]
    fn the_first_name_that_fits_counts() {
        let t = setting("[{ filter: self_attn, value: [0, 1] }, { filter: mlp, value: 0.2 }, { value: 1 }]");
        assert_eq!(t.at("model.layers.1.self_attn.q_proj.weight", 0.5), Some(0.5));
        assert_eq!(t.at("model.layers.1.mlp.up_proj.weight", 0.5), Some(0.2));
        assert_eq!(t.at("model.layers.1.feed_forward.w1.weight", 0.5), Some(1.0));
        assert_eq!(setting("{ filter: mlp, value: 0.2 }").at("norm", 0.0), None);
    }
}
