//! Why a run of training cannot begin, or go on.

use std::fmt::Display;
use std::path::Path;

use hala_weights::WeightsError;

/// What keeps a run from beginning or going on; each names the setting or file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// A file of settings that cannot be read as such.
    #[error("{file}: {detail}")]
    Settings {
        /// The file, or the option.
        file: String,
        /// What is wrong, with its line where known.
        detail: String,
    },
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
    /// A file that is not what it was when it was written.
    #[error("`{path}` is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// What shows it.
        what: String,
    },
    /// The states of a run are all damaged.
    #[error(
        "no state of the run `{path}` is whole ({what}); copy one back from where you keep copies, or begin anew with --restart"
    )]
    NoState {
        /// The run's folder.
        path: String,
        /// What is wrong with the last one.
        what: String,
    },
    /// The output belongs to something else.
    #[error("`{path}` exists and is no folder of a run: name another `output`, or remove it")]
    NotARun {
        /// The folder.
        path: String,
    },
    /// The output belongs to a run with other settings.
    #[error(
        "`{path}` is a run with other settings (`{setting}` was {was} and is {now}): take those back, name another `output`, or begin \
         anew with --restart"
    )]
    OtherRun {
        /// The run's folder.
        path: String,
        /// The first setting that differs.
        setting: String,
        /// What it was.
        was: String,
        /// What it is now.
        now: String,
    },
    /// Another process trains in the same folder.
    #[error("`{path}` is being written by another process: wait for it, or name another `output`")]
    Busy {
        /// The folder.
        path: String,
    },
    /// A checkpoint's file that cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A model that has no id for what its tokenizer writes.
    #[error(
        "the tokenizer of {tokenizer} has ids up to {last_id}, and {config} a `vocab_size` of {n_vocab}: raise it to {}, or take the tokenizer of \
         that model",
        u64::from(*last_id) + 1
    )]
    Vocabulary {
        /// Where the tokenizer is.
        tokenizer: String,
        /// Its highest id.
        last_id: u32,
        /// Where the size stands.
        config: String,
        /// Rows of the embedding.
        n_vocab: usize,
    },
    /// A model without a tokenizer.
    #[error("{origin} has no tokenizer.json, so text cannot become ids; put the tokenizer's files beside it")]
    NoTokenizer {
        /// The checkpoint.
        origin: String,
    },
    /// A run that does not fit.
    #[error("training takes {needed}, and {available} of memory are free{advice}")]
    Memory {
        /// Bytes that are needed, in words.
        needed: String,
        /// Bytes that there are, in words.
        available: String,
        /// What would fit, in words, with its punctuation.
        advice: String,
    },
    /// Nothing to draw.
    #[error("`{path}` has no steps yet: train first, or wait for the first one")]
    NoMetrics {
        /// The file.
        path: String,
    },
}

impl RunFault {
    /// A failure of the operating system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { action, path, source }
    }

    /// A file that is not as it was written.
    pub(crate) fn damaged(path: &Path, what: impl Display) -> Self {
        Self::Damaged { path: path.display().to_string(), what: format!("{what}") }
    }
}
