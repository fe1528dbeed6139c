//! The files that rows come from, and what a row of each is.

use std::path::{Path, PathBuf};

use hala_text::Language;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// A file of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What its lines are.
    pub form: Form,
    /// How often each row comes in an epoch: 3.0 is three times, 0.5 is half of the rows, others in each epoch.
    pub repeat: f64,
    /// What the weights of its labels are multiplied by.
    pub weight: f32,
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// JSON objects. Each row says by its fields what it is: `messages` (OpenAI), `conversations` (ShareGPT), `instruction` with `output` (Alpaca),
    /// or `text`; the first of these that it has.
    Json,
    /// A text and its translation with a tab between; further columns are passed over.
    Pairs(Pairs),
    /// A plain text each.
    Lines,
}

/// Which languages the columns are in, and which way is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    /// The language of the first column; the second one is in the other.
    pub first: Language,
    /// The language to translate into; both ways without one, each a row of its own.
    pub to: Option<Language>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { first: Language::English, to: None }
    }
}

impl Pairs {
    /// The languages that rows are translated into, in order.
    pub(crate) fn targets(self) -> Vec<Language> {
        self.to.map_or_else(|| vec![self.first.other(), self.first], |to| vec![to])
    }
}

impl Form {
    /// What the lines of a file of this name are: pairs in `.tsv`, plain lines in `.txt`, JSON in `.jsonl`, `.ndjson` and `.json`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => Some(Self::Json),
            "tsv" => Some(Self::Pairs(Pairs::default())),
            "txt" => Some(Self::Lines),
            _ => None,
        }
    }

    /// How many rows a line is.
    pub(crate) fn n_rows(self) -> usize {
        match self {
            Self::Pairs(pairs) => pairs.targets().len(),
            Self::Json | Self::Lines => 1,
        }
    }
}

impl Source {
    /// A file whose rows come once in an epoch and count once.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, form: Form) -> Self {
        Self { path: path.into(), form, repeat: 1.0, weight: 1.0 }
    }

    /// Checks the numbers.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let is_sound = |n: f64| n.is_finite() && n > 0.0;
        if !is_sound(self.repeat) || self.repeat > 1000.0 {
            let expected = "above 0 and at most 1000";
            return Err(TrainError::Setting { setting: "repeat", found: self.repeat.to_string(), expected });
        }
        if !is_sound(f64::from(self.weight)) {
            let expected = "a number above 0";
            return Err(TrainError::Setting { setting: "weight", found: self.weight.to_string(), expected });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_say_what_their_lines_are() {
        for (name, form) in [
            ("a.jsonl", Some(Form::Json)),
            ("a.JSON", Some(Form::Json)),
            ("b/train.tsv", Some(Form::Pairs(Pairs::default()))),
            ("c.txt", Some(Form::Lines)),
            ("d.parquet", None),
            ("e", None),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn a_pair_is_a_row_for_each_way() {
        let both = Pairs::default();
        assert_eq!(both.targets(), [Language::Arabic, Language::English]);
        assert_eq!(Form::Pairs(both).n_rows(), 2);
        let one = Pairs { to: Some(Language::English), ..both };
        assert_eq!(one.targets(), [Language::English]);
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let source = Source::new("x.txt", Form::Lines);
        assert!(source.check().is_ok());
        for repeat in [0.0, -1.0, f64::NAN, 1e9] {
            let error = Source { repeat, ..source.clone() }.check().unwrap_err().to_string();
            assert!(error.starts_with("repeat is"), "{error}");
        }
        let error = Source { weight: f32::INFINITY, ..source }.check().unwrap_err().to_string();
        assert!(error.starts_with("weight is inf"), "{error}");
    }
}
