//! The errors of this crate: each names the file or setting, what was found, and the next step.

use hala_engine::EngineError;
use hala_model::ModelError;
use hala_plan::{BackendError, PlanError};
use hala_tensor::DType;
use hala_text::TextError;
use hala_weights::WeightsError;

use crate::fault::Fault;
use crate::run_fault::RunFault;

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
    /// A vocabulary that has no room for what it must have.
    #[error(
        "a vocabulary of {n_vocab} tokens is too small: special tokens, whole texts and the 256 bytes are {least} already"
    )]
    SmallVocabulary {
        /// What was asked for.
        n_vocab: usize,
        /// The least.
        least: usize,
    },
    /// The tokenizer library failed.
    #[error("the tokenizer cannot be trained: {reason}")]
    Tokenizer {
        /// What it says.
        reason: String,
    },
    /// The user stopped the work.
    #[error("stopped; nothing was written")]
    Stopped,
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
    /// Settings, files or memory of a run.
    #[error(transparent)]
    Run(#[from] RunFault),
    /// A model that cannot answer what is held out.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model that cannot be opened.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model that cannot be trained.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A batch that does not fit the learner.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// Weights that are codes.
    #[error(
        "the tensor {name} is held as {dtype}, and rounded weights cannot be trained; start from the checkpoint that was compressed, in bf16, f16 or f32"
    )]
    Quantised {
        /// The tensor.
        name: String,
        /// How the checkpoint holds it.
        dtype: DType,
    },
    /// A family whose weights are changed as they are read.
    #[error("models of the family {family} cannot be trained yet; lfm2 can")]
    Family {
        /// The family, as config.json's `model_type`.
        family: &'static str,
    },
    /// An update with nothing to learn from.
    #[error("an update without any row that has a label; accumulate a batch with labels first")]
    NothingAccumulated,
    /// A gradient that overflowed.
    #[error(
        "the gradient is not finite after {n_updates} updates; lower the learning rate, clip gradients, or look for damaged data"
    )]
    NotFinite {
        /// Updates until then.
        n_updates: u32,
    },
    /// A saved state of another model.
    #[error(
        "the saved state has {found} elements, and this model has {expected}; resume with the config that the run began with"
    )]
    State {
        /// Elements that were saved.
        found: usize,
        /// Elements of this model.
        expected: usize,
    },
}

impl TrainError {
    /// A failure of the operating system.
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.display().to_string(), source }
    }
}

impl From<WeightsError> for TrainError {
    fn from(error: WeightsError) -> Self {
        Self::Run(error.into())
    }
}
