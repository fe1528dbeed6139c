//! What can be wrong with a saved sequence.

use hala_tensor::counted;

/// What is wrong with a saved sequence, or with what was to be saved.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// Nothing is in memory to be saved.
    #[error(
        "nothing of this sequence is in memory: it has no text yet, or gave way to others; generate with it, and save it then"
    )]
    NotHeld,
    /// Something else than a saved sequence.
    #[error("this is no saved sequence: {found}")]
    NotSaved {
        /// What it is instead.
        found: String,
    },
    /// The file ends before it should.
    #[error("the saved sequence is cut off: it has {}, where {expected} are expected; save it again", counted(*found, "byte"))]
    CutOff {
        /// Bytes that there are.
        found: u64,
        /// Bytes that there should be.
        expected: u64,
    },
    /// A file that is not as it was written.
    #[error("the saved sequence is damaged: {what}; save it again")]
    Damaged {
        /// What does not fit.
        what: &'static str,
    },
    /// A file of another version of Hala.
    #[error(
        "the saved sequence is of version {found} of its format, and this program reads {expected}: compute the text again"
    )]
    Version {
        /// The file's.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// A sequence of another model, or of other weights of it.
    #[error(
        "the saved sequence is of {found}, and this is {expected}: load that model, or compute the text again"
    )]
    OtherModel {
        /// Family, weights and fingerprint of the file's.
        found: String,
        /// Those of the model that is loaded.
        expected: String,
    },
    /// More tokens than the context holds.
    #[error("the saved sequence has {}, and the context holds {limit}: load the model with a longer context", counted(*found as u64, "token"))]
    Context {
        /// Tokens saved.
        found: usize,
        /// Tokens that a sequence may have.
        limit: usize,
    },
    /// The file could not be read or written.
    #[error("cannot {action} the saved sequence: {source}")]
    Io {
        /// What was tried: read, write.
        action: &'static str,
        /// The reason.
        source: std::io::Error,
    },
}
