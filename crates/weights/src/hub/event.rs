//! What is told of a download while it goes on.

/// What happens while a model is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubEvent<'a> {
    /// No byte has come for a moment: told a few times a second, so that whoever is told can stop it then too.
    Waiting,
    /// Some of a file has arrived.
    Downloading {
        /// The file's name.
        file: &'a str,
        /// Bytes of it on disk, those of an earlier attempt included.
        done_bytes: u64,
        /// Bytes that it has.
        total_bytes: u64,
    },
    /// What of a file is on disk is compared with what the Hub says of it.
    Verifying {
        /// The file's name.
        file: &'a str,
        /// Bytes that were looked at.
        done_bytes: u64,
        /// Bytes that will be.
        total_bytes: u64,
    },
    /// The connection broke, or a file came damaged, and it is tried again; what has arrived and is right is kept.
    Retrying {
        /// The file's name.
        file: &'a str,
        /// What went wrong.
        reason: &'a str,
    },
    /// The Hub cannot be reached, and the copy in the cache is used.
    UsingCache {
        /// Why it cannot be reached.
        reason: &'a str,
    },
}
