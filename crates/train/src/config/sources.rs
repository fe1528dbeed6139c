//! The files to learn from, as settings say it.

use std::path::{Path, PathBuf};

use hala_text::Language;
use serde::{Deserialize, Serialize};

use crate::data::{Form, Pairs, Source};
use crate::run_fault::RunFault;

/// A file: its name alone, or with more about it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum SourceSetting {
    /// Its name.
    Name(PathBuf),
    /// A name and what else is said.
    Described(Description),
}

/// What is said of a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The file.
    pub file: PathBuf,
    /// What its lines are, where its name does not tell: `json`, `pairs` or `lines`.
    pub form: Option<String>,
    /// Of pairs the language of the first column; English unless given.
    pub first: Option<String>,
    /// Of pairs the language to translate into; both ways unless given.
    pub to: Option<String>,
    /// How often each row comes in an epoch.
    pub repeat: Option<f64>,
    /// How much its labels count.
    pub weight: Option<f32>,
}

/// A file of rows, with everything said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceConfig {
    /// The file.
    pub file: PathBuf,
    /// What its lines are.
    pub form: Form,
    /// How often each row comes in an epoch.
    pub repeat: f64,
    /// How much its labels count.
    pub weight: f32,
}

impl SourceConfig {
    /// The source that it means.
    #[must_use]
    pub fn source(&self) -> Source {
        Source { repeat: self.repeat, weight: self.weight, ..Source::new(self.file.clone(), self.form) }
    }
}

impl SourceSetting {
    /// Makes the path one from this folder.
    pub(super) fn relative_to(&mut self, folder: &Path) {
        let (Self::Name(path) | Self::Described(Description { file: path, .. })) = self;
        *path = folder.join(&*path);
    }

    /// The file with everything said.
    pub(super) fn resolve(&self) -> Result<SourceConfig, RunFault> {
        let nothing = |file: &PathBuf| Description {
            file: file.clone(),
            form: None,
            first: None,
            to: None,
            repeat: None,
            weight: None,
        };
        let said = match self {
            Self::Name(file) => nothing(file),
            Self::Described(said) => said.clone(),
        };
        let Description { file, form, first, to, repeat, weight } = said;
        let fault = |detail: String| RunFault::Settings { file: format!("data: {}", file.display()), detail };
        let form = form_of(&file, form.as_deref()).map_err(fault)?;
        let language = |name: Option<String>| -> Result<Option<Language>, RunFault> {
            name.map(|name| name.parse().map_err(|e: hala_text::TextError| fault(e.to_string()))).transpose()
        };
        let (first, to) = (language(first)?, language(to)?);
        let form = match form {
            Form::Pairs(_) => Form::Pairs(Pairs { first: first.unwrap_or(Pairs::default().first), to }),
            _ if first.is_some() || to.is_some() => {
                return Err(fault("`first` and `to` are for pairs, which this is none of".to_owned()));
            }
            form => form,
        };
        Ok(SourceConfig { file, form, repeat: repeat.unwrap_or(1.0), weight: weight.unwrap_or(1.0) })
    }
}

fn form_of(file: &Path, form: Option<&str>) -> Result<Form, String> {
    match form {
        Some("json") => Ok(Form::Json),
        Some("pairs") => Ok(Form::Pairs(Pairs::default())),
        Some("lines") => Ok(Form::Lines),
        Some(other) => Err(format!("`form` is {other}; it should be json, pairs or lines")),
        None => Form::of(file).ok_or_else(|| {
            "its name does not end in .jsonl, .json, .tsv or .txt: say what its lines are by `form: json`, `pairs` or `lines`".to_owned()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<SourceConfig, String> {
        let setting: SourceSetting = serde_saphyr::from_str(text).unwrap();
        setting.resolve().map_err(|e| e.to_string())
    }

    #[test]
    fn a_name_says_what_lines_are_and_a_form_says_otherwise() {
        assert_eq!(resolved("a.jsonl").unwrap().form, Form::Json);
        assert_eq!(resolved("{ file: a.jsonl, form: lines }").unwrap().form, Form::Lines);
        let pairs = Pairs { first: Language::Arabic, to: Some(Language::English) };
        assert_eq!(resolved("{ file: a.tsv, first: ar, to: en }").unwrap().form, Form::Pairs(pairs));
        assert!(resolved("a.csv").unwrap_err().contains("form: json"));
        assert!(resolved("{ file: a.tsv, form: csv }").unwrap_err().contains("csv"));
        assert!(resolved("{ file: a.txt, to: en }").unwrap_err().contains("pairs"));
        assert!(resolved("{ file: a.tsv, to: xx }").unwrap_err().contains("xx"));
    }
}
