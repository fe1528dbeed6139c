//! What can go wrong for an app, and the code of each error.

use hala_engine::{EngineError, SavedError};
use hala_model::ModelError;
use hala_plan::BackendError;
use hala_text::TextError;
use hala_weights::WeightsError;
#[cfg(feature = "hub")]
use hala_weights::download::DownloadError;
#[cfg(feature = "hub")]
use hala_weights::hub::HubError;

/// An error of this crate: its message says what was found, what was expected, and what to do next; its [`Error::code`] is for programs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model, its files, the device, or what was asked of them.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model of the Hub could not be fetched.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A file could not be downloaded.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// A sequence cannot be saved to a file, or restored from it.
    #[cfg(not(target_family = "wasm"))]
    #[error("{}: {source}", path.display())]
    Saved {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        source: SavedError,
    },
    /// A request that is not what it must be.
    #[error("the request cannot be read: {reason}")]
    Request {
        /// The field and what is wrong with it.
        reason: String,
    },
    /// Something was asked for while the work before it went on.
    #[error("it is at work: wait for the end of what was asked before")]
    Busy,
    /// The device was lost, and no other could be set up.
    #[error("the device was lost and could not be set up again: load the model once more")]
    Lost,
    /// A fault of Hala itself, in an earlier call, left the model in pieces.
    #[error("an earlier call failed within Hala: load the model once more, and please report it")]
    Broken,
    /// What several pieces of work failed of.
    #[error(transparent)]
    Shared(std::sync::Arc<Error>),
    /// No size that was asked to be measured is one of the device's.
    #[error("no run on {device} has one of the numbers of tokens {asked:?}: measure some of {used:?}")]
    Sizes {
        /// The device.
        device: String,
        /// Tokens of the runs that were to be measured.
        asked: Vec<usize>,
        /// Tokens of the runs that the device has.
        used: Vec<usize>,
    },
    /// A file of measured kernels could not be kept.
    #[error("what was measured cannot be kept: {reason}")]
    Keeping {
        /// The path, and what the system says.
        reason: String,
    },
}

impl Error {
    /// A word for programs that never changes. The same words are the codes of the npm package's errors, but for those of saved sequences, which it has not.
    ///
    /// | code | what it means |
    /// |---|---|
    /// | `invalid-request` | asked for wrongly: an option, a message, an empty prompt, a name that is no model |
    /// | `same-language` | a text was to be translated into the language that it is in |
    /// | `context-length-exceeded` | the prompt leaves no room in the context |
    /// | `aborted` | stopped by whoever asked for it |
    /// | `damaged-sequence` | a file is no saved sequence, or not as it was written |
    /// | `other-model` | a saved sequence is of another model, or of another version of Hala |
    /// | `missing-file` | a file of the model is not there |
    /// | `damaged-model` | a file of the model is not what it must be |
    /// | `unsupported-model` | the model needs what Hala does not do |
    /// | `no-tokenizer` | the checkpoint has no tokenizer, so that text can neither go in nor come out |
    /// | `not-finite` | the model computed values that are no numbers |
    /// | `reader` | a file cannot be read or written, or what reads the weights for the module failed |
    /// | `network` | the Hub, or another server, cannot be reached, or the connection broke |
    /// | `http` | the Hub or server answered with an error of its own |
    /// | `not-found` | the Hub has no such model, revision or file; the server no such file |
    /// | `unauthorized` | the model or file is not open to this user |
    /// | `corrupt-download` | a file is not what the Hub, or its SHA-256, says it is |
    /// | `out-of-memory` | memory was refused; [`Error::bytes`] says how much |
    /// | `device-lost` | the device went away and could not be set up again |
    /// | `device-refused` | the device cannot be used, or refused its work |
    /// | `internal` | a fault of Hala itself |
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(error) => engine_code(error),
            #[cfg(feature = "hub")]
            Self::Hub(error) => hub_code(error),
            #[cfg(feature = "hub")]
            Self::Download(error) => download_code(error),
            #[cfg(not(target_family = "wasm"))]
            Self::Saved { source, .. } => saved_code(source),
            Self::Request { .. } | Self::Sizes { .. } | Self::Busy => "invalid-request",
            Self::Lost => "device-lost",
            Self::Keeping { .. } | Self::Broken => "internal",
            Self::Shared(error) => error.code(),
        }
    }

    /// Bytes that were asked for, where memory was refused.
    pub fn bytes(&self) -> Option<usize> {
        match self {
            Self::Engine(EngineError::Backend(BackendError::OutOfMemory { bytes, .. })) => Some(*bytes),
            Self::Shared(error) => error.bytes(),
            _ => None,
        }
    }

    /// Whether the device went away.
    pub(crate) fn is_device_lost(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_device_lost())
    }

    /// Whether it is the device's fault, or that of its size, and another may stand the same.
    pub(crate) fn is_of_device(&self) -> bool {
        matches!(self.code(), "device-lost" | "device-refused" | "out-of-memory")
    }

    /// Whether the caller stopped the work.
    pub fn is_cancelled(&self) -> bool {
        self.code() == "aborted"
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<WeightsError> for Error {
    fn from(error: WeightsError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        EngineError::from(error).into()
    }
}

fn engine_code(error: &EngineError) -> &'static str {
    match error {
        EngineError::Weights(error) | EngineError::Model(ModelError::Weights(error)) => weights_code(error),
        EngineError::Model(ModelError::Context { .. }) | EngineError::Option { .. } => "invalid-request",
        EngineError::Model(_) | EngineError::NoOutput { .. } => "unsupported-model",
        EngineError::Backend(error) => backend_code(error),
        EngineError::Text(error) => text_code(error),
        EngineError::Saved(error) => saved_code(error),
        EngineError::NoTokenizer => "no-tokenizer",
        EngineError::EmptyPrompt | EngineError::Conversation(_) | EngineError::Position { .. } => {
            "invalid-request"
        }
        EngineError::NoRow { .. } | EngineError::Unlike { .. } => "invalid-request",
        EngineError::PromptTooLong { .. } => "context-length-exceeded",
        EngineError::MemoryFull => "out-of-memory",
        EngineError::SameLanguage(_) => "same-language",
        EngineError::Setting(_) => "damaged-model",
        EngineError::NotFinite { .. } => "not-finite",
        EngineError::Cancelled => "aborted",
    }
}

fn saved_code(error: &SavedError) -> &'static str {
    match error {
        SavedError::NotHeld => "invalid-request",
        SavedError::NotSaved { .. } | SavedError::CutOff { .. } | SavedError::Damaged { .. } => {
            "damaged-sequence"
        }
        SavedError::Version { .. } | SavedError::OtherModel { .. } => "other-model",
        SavedError::Context { .. } => "context-length-exceeded",
        SavedError::Io { .. } => "reader",
    }
}

fn weights_code(error: &WeightsError) -> &'static str {
    match error {
        WeightsError::NoWeights { .. }
        | WeightsError::MissingFile { .. }
        | WeightsError::MissingShard { .. }
        | WeightsError::NotFound { .. } => "missing-file",
        WeightsError::Unreadable { .. } | WeightsError::Io { .. } => "reader",
        WeightsError::UnsupportedDType { .. }
        | WeightsError::Quantisation { .. }
        | WeightsError::Mlx { .. }
        | WeightsError::Packed { .. } => "unsupported-model",
        WeightsError::NotFetched { .. } => "internal",
        #[cfg(feature = "hub")]
        WeightsError::Hub(error) => hub_code(error),
        _ => "damaged-model",
    }
}

fn backend_code(error: &BackendError) -> &'static str {
    match error {
        BackendError::Cancelled => "aborted",
        BackendError::OutOfMemory { .. } => "out-of-memory",
        BackendError::DeviceLost { .. } => "device-lost",
        BackendError::Refused { .. } | BackendError::Unavailable { .. } => "device-refused",
        BackendError::Unsupported { .. } => "unsupported-model",
        BackendError::Limit { .. } | BackendError::Id { .. } => "invalid-request",
        BackendError::Place { .. } | BackendError::OfAnother { .. } => "internal",
    }
}

fn text_code(error: &TextError) -> &'static str {
    match error {
        TextError::NoChatTemplate
        | TextError::TemplateRaised { .. }
        | TextError::ReservedVariable { .. }
        | TextError::Encode { .. }
        | TextError::UnknownLanguage { .. }
        | TextError::InvalidTime { .. } => "invalid-request",
        _ => "damaged-model",
    }
}

#[cfg(feature = "hub")]
fn hub_code(error: &HubError) -> &'static str {
    match error {
        HubError::Spec { .. } | HubError::Choice { .. } | HubError::Setting { .. } => "invalid-request",
        HubError::NotFound { .. } | HubError::Revision { .. } => "not-found",
        HubError::Gated { .. } | HubError::BadToken { .. } => "unauthorized",
        HubError::MissingFile { .. } => "missing-file",
        HubError::Offline { .. } | HubError::Unreachable { .. } | HubError::Interrupted { .. } => "network",
        HubError::Status { .. } | HubError::Reply { .. } => "http",
        HubError::Length { .. } | HubError::Corrupt { .. } => "corrupt-download",
        HubError::Locked { .. } | HubError::Cache { .. } => "reader",
        HubError::Stopped => "aborted",
    }
}

#[cfg(feature = "hub")]
fn download_code(error: &DownloadError) -> &'static str {
    match error {
        DownloadError::Invalid { .. } => "invalid-request",
        DownloadError::NotFound { .. } => "not-found",
        DownloadError::Unauthorized { .. } => "unauthorized",
        DownloadError::Status { .. } | DownloadError::Reply { .. } => "http",
        DownloadError::Unreachable { .. } | DownloadError::Interrupted { .. } => "network",
        DownloadError::Length { .. } | DownloadError::Corrupt { .. } => "corrupt-download",
        DownloadError::Locked { .. } | DownloadError::Disk { .. } => "reader",
        DownloadError::Stopped => "aborted",
    }
}
