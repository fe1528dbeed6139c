//! What a file's bytes must hash to, and the hash while they come.

use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// What a file's bytes must hash to, in lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Digest {
    /// SHA-256 of the bytes.
    Sha256(String),
    /// SHA-1 of `blob LENGTH\0` and the bytes, which is git's name for them.
    Git(String),
}

impl Digest {
    /// The SHA-256 that a text of 64 hex digits is.
    pub(crate) fn sha256(text: &str) -> Option<Self> {
        is_hex(text, 64).then(|| Self::Sha256(text.to_ascii_lowercase()))
    }

    /// What the Hub's ETag says of a file: a large file's is its SHA-256, a small one's is git's name for it.
    pub(crate) fn of_etag(etag: &str) -> Option<Self> {
        let git = || is_hex(etag, 40).then(|| Self::Git(etag.to_ascii_lowercase()));
        Self::sha256(etag).or_else(git)
    }

    /// Its hex digits.
    pub(crate) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Git(hex) => hex,
        }
    }
}

fn is_hex(text: &str, n_digits: usize) -> bool {
    text.len() == n_digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The hash of what has come.
pub(crate) enum Hasher {
    /// Of the bytes so far.
    Sha256(Box<Context>),
    /// The length goes before the bytes, and is not always known before the last of them: they are read again at the end. Such files are small.
    Git,
    /// Nothing is known of the file that a hash could be held against.
    Nothing,
}

impl Hasher {
    pub(crate) fn new(digest: Option<&Digest>) -> Self {
        match digest {
            Some(Digest::Sha256(_)) => Self::Sha256(Box::new(Context::new(&SHA256))),
            Some(Digest::Git(_)) => Self::Git,
            None => Self::Nothing,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Self::Sha256(context) = self {
            context.update(bytes);
        }
    }

    /// The hex digits of the whole file, which `file` holds; none where there is nothing to hold them against.
    pub(crate) fn finish(self, file: &mut File) -> std::io::Result<Option<String>> {
        Ok(match self {
            Self::Sha256(context) => Some(hex(*context)),
            Self::Git => Some(git(file)?),
            Self::Nothing => None,
        })
    }
}

fn git(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {}\0", bytes.len()).as_bytes());
    context.update(&bytes);
    Ok(hex(context))
}

fn hex(context: Context) -> String {
    let mut text = String::new();
    for byte in context.finish().as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
