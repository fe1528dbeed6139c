//! What is told of a download while it goes on.

/// What happens while a model is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubEvent<'a> {
    /// Some of a file has arrived.
    Downloading {
        /// The file's name.
        file: &'a str,
        /// Bytes of it on disk, those of an earlier attempt included.
        done_bytes: u64,
        /// Bytes that it has.
        total_bytes: u64,
    },
    /// The connection broke and is tried again; what has arrived is kept.
    Retrying {
        /// The file's name.
        file: &'a str,
    },
    /// The Hub cannot be reached, and the copy in the cache is used.
    UsingCache {
        /// Why it cannot be reached.
        reason: &'a str,
    },
}
