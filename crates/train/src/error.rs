//! The errors of this crate: each names the file or setting, what was found, and the next step.

use hala_text::TextError;

use crate::fault::Fault;

/// Everything that can go wrong while a model is trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Something that is no file of rows.
    #[error("`{path}` is {found}; rows are read more than once, so data is a file on a disk")]
    NotAFile {
        /// The path.
        path: String,
        /// What is there.
        found: &'static str,
    },
    /// A row that cannot be trained on, where such rows are refused.
    #[error("`{path}`, line {line}: {fault}")]
    Row {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// Nothing to train on.
    #[error("no row of {files} can be trained on: {found}")]
    NoRows {
        /// The files.
        files: String,
        /// What was found instead.
        found: String,
    },
    /// A setting that makes no sense.
    #[error("{setting} is {found}; it should be {expected}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What was given.
        found: String,
        /// What can be given.
        expected: &'static str,
    },
    /// A position that was saved for other files or settings.
    #[error(
        "the data is not what the saved position belongs to ({what}); go on with the files and settings of then, or begin anew"
    )]
    OtherData {
        /// What differs.
        what: String,
    },
    /// A tokenizer or template that cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl TrainError {
    /// A failure of the operating system.
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.display().to_string(), source }
    }
}
