//! What can go wrong with one file on its way, before the Hub or a plain download put it in their words.

use std::io;
use std::path::PathBuf;

use hala_tensor::counted;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("stopped")]
    Stopped,
    /// No answer came at all.
    #[error("{detail}")]
    Unreachable { detail: String },
    /// The connection broke while the file came.
    #[error("{detail}")]
    Broken { detail: String, done_bytes: u64 },
    #[error("status {status}")]
    Status {
        status: u16,
        /// The Hub's own word for it.
        code: Option<String>,
    },
    /// No answer that such a server gives.
    #[error("{detail}")]
    Reply { detail: String },
    #[error("{} arrived, where {expected} are expected", counted(*.found, "byte"))]
    Length { found: u64, expected: u64 },
    #[error("its hash is {found}, where {expected} is expected")]
    Corrupt { found: String, expected: String },
    #[error("{} is locked", path.display())]
    Locked { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

impl Fault {
    /// Whether the same may go well a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}
