//! What can go wrong between a Hub id and a folder.

use std::path::{Path, PathBuf};

use hala_tensor::counted;

use crate::download::error::kept;

/// An error of fetching from the Hub; each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A model was named in no form that is known.
    #[error(
        "{text:?} is neither a path that exists nor a Hub id. Give a folder in Hugging Face layout, a .safetensors or .gguf file, or an id as owner/name, owner/name@revision or, for a GGUF file of it, owner/name:Q4_K_M"
    )]
    Spec {
        /// What was given.
        text: String,
    },
    /// There is no such model, or it is hidden from this user.
    #[error(
        "{endpoint} has no model `{id}`, and there is no such folder: check the name; a private model needs a token in HF_TOKEN"
    )]
    NotFound {
        /// The server.
        endpoint: String,
        /// The model.
        id: String,
    },
    /// The model has no such branch, tag or commit.
    #[error(
        "model `{id}` has no revision `{revision}`: give one of its branches, tags or commits after the @"
    )]
    Revision {
        /// The model.
        id: String,
        /// The revision.
        revision: String,
    },
    /// The model is open only to users who have accepted its terms.
    #[error(
        "model `{id}` is gated: accept its terms at {endpoint}/{id}, then put a token of that account into HF_TOKEN"
    )]
    Gated {
        /// The server.
        endpoint: String,
        /// The model.
        id: String,
    },
    /// The server does not accept the token.
    #[error(
        "{endpoint} refused the token: make a new one at {endpoint}/settings/tokens and put it into HF_TOKEN"
    )]
    BadToken {
        /// The server.
        endpoint: String,
    },
    /// No one file is meant.
    #[error("`{owner}` {reason}{offered}")]
    Choice {
        /// The model's id, or a folder.
        owner: String,
        /// What is wrong, and what to do.
        reason: String,
        /// Files that can be chosen, each on a line of its own.
        offered: String,
    },
    /// The model lacks a file that is needed.
    #[error("model `{id}` has no {file}: only models in safetensors or GGUF form can be run")]
    MissingFile {
        /// The model.
        id: String,
        /// The file.
        file: String,
    },
    /// The network is not to be used and the cache does not hold the model.
    #[error(
        "HF_HUB_OFFLINE is set and {folder} has no {missing} of `{id}` at revision `{revision}`: fetch it once without HF_HUB_OFFLINE"
    )]
    Offline {
        /// The model's folder in the cache.
        folder: String,
        /// The model.
        id: String,
        /// The revision.
        revision: String,
        /// The first file that is missing.
        missing: String,
    },
    /// The server cannot be reached.
    #[error("cannot reach {endpoint}: {detail}. Check the network, or HF_ENDPOINT if it is set")]
    Unreachable {
        /// The server.
        endpoint: String,
        /// The reason.
        detail: String,
    },
    /// The connection broke while a file was on its way.
    #[error(
        "the connection broke while {file} was fetched ({detail}); {} kept: run it again to go on from there",
        kept(*done_bytes)
    )]
    Interrupted {
        /// The file.
        file: String,
        /// The reason.
        detail: String,
        /// Bytes that are on disk.
        done_bytes: u64,
    },
    /// The server failed.
    #[error("{endpoint} answered with status {status} for {what}: try again later")]
    Status {
        /// The server.
        endpoint: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server's answer is not what a Hub answers.
    #[error("{endpoint} does not answer as a Hub for {what}: {detail}. Check HF_ENDPOINT")]
    Reply {
        /// The server.
        endpoint: String,
        /// What was asked for.
        what: String,
        /// What is wrong.
        detail: String,
    },
    /// A file arrived with another length than was announced.
    #[error("{file} arrived with {}, where {expected} are expected; it was removed: run it again", counted(*found, "byte"))]
    Length {
        /// The file.
        file: String,
        /// Bytes that arrived.
        found: u64,
        /// Bytes that were announced.
        expected: u64,
    },
    /// A file, twice, arrived otherwise than the Hub says it is.
    #[error(
        "{file} arrived damaged: its hash is {found}, where the Hub says {expected}; it was removed: run it again, and if it goes on, check the network"
    )]
    Corrupt {
        /// The file.
        file: String,
        /// The hash of what arrived.
        found: String,
        /// The hash that the Hub tells: SHA-256 for a large file, git's name for a small one.
        expected: String,
    },
    /// Whoever asked for it stopped it.
    #[error("the download was stopped; what has arrived is kept")]
    Stopped,
    /// Another process holds the lock of a file.
    #[error("another process is fetching the same file into {}: wait for it, or end it", folder(path))]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The cache cannot be read or written.
    #[error(
        "cannot use the cache at {}: {source}. Free some space or choose another folder with HF_HOME",
        shown(path)
    )]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A setting cannot be used.
    #[error("{name} is {value:?}: {expected}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// A path of the cache, or of the folder that a file without a lasting name is in.
fn shown(path: &Path) -> std::path::Display<'_> {
    let passes = path.extension().is_some_and(|ending| ending == "part" || ending == "lock");
    if passes { folder(path) } else { path.display() }
}

fn folder(path: &Path) -> std::path::Display<'_> {
    path.parent().unwrap_or(path).display()
}
