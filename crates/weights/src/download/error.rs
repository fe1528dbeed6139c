//! What can go wrong between a URL and a file.

use std::path::PathBuf;

use hala_tensor::counted;

/// An error of a download; each says what to do next. A URL is shown without what follows a `?`, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// It was asked for wrongly.
    #[error("the download cannot begin: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
    /// There is no such file.
    #[error("{url} does not exist: check the address")]
    NotFound {
        /// The address.
        url: String,
    },
    /// The server does not let this user in.
    #[error("{url} is not open to everybody (status {status}): ask for an address that is")]
    Unauthorized {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server failed, or refused.
    #[error("the server answered with status {status} for {url}: try again later")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server's answer is none that can be used.
    #[error("the server's answer for {url} cannot be used: {detail}")]
    Reply {
        /// The address.
        url: String,
        /// What is wrong.
        detail: String,
    },
    /// The server cannot be reached.
    #[error("cannot reach {url}: {detail}. Check the network")]
    Unreachable {
        /// The address.
        url: String,
        /// The reason.
        detail: String,
    },
    /// The connection broke for good.
    #[error(
        "the connection broke while {url} was fetched ({detail}); {} kept: try again to go on from there",
        kept(*done_bytes)
    )]
    Interrupted {
        /// The address.
        url: String,
        /// The reason.
        detail: String,
        /// Bytes that are on disk.
        done_bytes: u64,
    },
    /// More or less arrived than was announced.
    #[error("{url} came with {}, where {expected} are expected; what came was removed: try again", counted(*found, "byte"))]
    Length {
        /// The address.
        url: String,
        /// Bytes that arrived, or that the server has.
        found: u64,
        /// Bytes that were announced.
        expected: u64,
    },
    /// What arrived, twice, is not what it must be.
    #[error(
        "{url} has the SHA-256 {found}, where {expected} is expected; what came was removed: check the address and the SHA-256"
    )]
    Corrupt {
        /// The address.
        url: String,
        /// The hash of what came.
        found: String,
        /// The hash that it must have.
        expected: String,
    },
    /// Somebody else is fetching into the same file.
    #[error("another download into {} is going on: wait for it, or end it", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}. Free some space or choose another place; what has arrived is kept", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Whoever asked for it stopped it.
    #[error("the download was stopped; what has arrived is kept")]
    Stopped,
}

/// How much of a file is kept, in words.
pub(crate) fn kept(done_bytes: u64) -> String {
    match done_bytes {
        1 => "1 byte is".to_owned(),
        n => format!("{n} bytes are"),
    }
}
