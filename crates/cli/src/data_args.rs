//! Options that say which files data is in, and what their lines are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use hala_text::Language;
use hala_train::data::{Form, Pairs, Source};

use crate::paths;

/// Files of data.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The files
    #[arg(value_name = "FILE", required = true, value_parser = paths::existing())]
    files: Vec<PathBuf>,

    /// What the lines are, where the names of the files do not say
    #[arg(long, value_enum, value_name = "FORM")]
    form: Option<FormName>,

    /// The language of the first column of pairs; the second is in the other
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    first: Language,

    /// The language that pairs are translated into; both ways where nothing is given
    #[arg(long, value_name = "LANGUAGE")]
    to: Option<Language>,
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormName {
    /// JSON objects
    Json,
    /// Two texts with a tab between
    Pairs,
    /// Plain texts
    Lines,
}

impl DataArgs {
    /// The files with what their lines are.
    ///
    /// # Errors
    /// A name that does not say.
    pub(crate) fn sources(&self) -> Result<Vec<Source>> {
        self.files.iter().map(|path| self.source(path)).collect()
    }

    fn source(&self, path: &Path) -> Result<Source> {
        let pairs = Pairs { first: self.first, to: self.to };
        let form = match self.form {
            Some(FormName::Json) => Some(Form::Json),
            Some(FormName::Pairs) => Some(Form::Pairs(pairs)),
            Some(FormName::Lines) => Some(Form::Lines),
            None => Form::of(path).map(|form| match form {
                Form::Pairs(_) => Form::Pairs(pairs),
                form => form,
            }),
        };
        let form = form.with_context(|| {
            let path = path.display();
            format!("the name of `{path}` does not say what its lines are: give --form json, pairs or lines")
        })?;
        Ok(Source::new(path, form))
    }
}
