//! What is told of a file while it comes, and how it is stopped.

/// What happens while a file is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadEvent<'a> {
    /// No byte has come for a moment: told a few times a second, so that whoever is told can stop it then too.
    Waiting,
    /// Some of the file has arrived.
    Downloading {
        /// Bytes of it on disk, those of an earlier attempt included.
        done_bytes: u64,
        /// Bytes that it has, where the server says so.
        total_bytes: Option<u64>,
    },
    /// What is on disk is compared with what it should be.
    Verifying {
        /// Bytes that were looked at.
        done_bytes: u64,
        /// Bytes that will be.
        total_bytes: u64,
    },
    /// It is tried again; what has arrived and is right is kept.
    Retrying {
        /// What went wrong.
        reason: &'a str,
    },
}

/// Who is told of a transfer, and says when it is to stop.
pub(crate) struct Watch<'a> {
    pub(crate) tell: &'a mut dyn FnMut(DownloadEvent<'_>),
    /// Asked a few times a second, and after each piece that has come.
    pub(crate) stop: &'a dyn Fn() -> bool,
}

impl Watch<'_> {
    pub(crate) fn tell(&mut self, event: DownloadEvent<'_>) {
        (self.tell)(event);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        (self.stop)()
    }
}
