//! Where a checkpoint's files come from: a folder, or bytes in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
#[cfg(not(target_family = "wasm"))]
use std::path::{Path, PathBuf};

use crate::bytes::FileBytes;
use crate::error::WeightsError;

/// Bytes that tokenizer.json may have; the largest seen in the field is 40 MB.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;
/// Bytes that any other side file may have.
const MAX_SIDE_FILE_BYTES: u64 = 64 << 20;

/// The files of one checkpoint.
#[derive(Debug)]
pub(crate) enum Source {
    /// Files in a folder.
    #[cfg(not(target_family = "wasm"))]
    Folder(PathBuf),
    /// One GGUF file in words, and files made of its metadata.
    #[cfg(not(target_family = "wasm"))]
    Gguf { label: String, files: BTreeMap<String, Cow<'static, [u8]>> },
    /// Files as bytes, by name.
    Memory(BTreeMap<String, Cow<'static, [u8]>>),
}

impl Source {
    /// The source in words, for messages.
    pub(crate) fn origin(&self) -> String {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(path) => format!("`{}`", path.display()),
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { label, .. } => format!("`{label}`"),
            Self::Memory(_) => "the checkpoint in memory".to_owned(),
        }
    }

    /// One file in words, for messages.
    pub(crate) fn label(&self, name: &str) -> String {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(path) => path.join(name).display().to_string(),
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { label, .. } => format!("{label} ({name})"),
            Self::Memory(_) => name.to_owned(),
        }
    }

    /// Whether a file of this name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(path) => path.join(name).is_file(),
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { files, .. } => files.contains_key(name),
            Self::Memory(files) => files.contains_key(name),
        }
    }

    /// Names of the files, sorted; of a folder that cannot be listed, none.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(path) => {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                let mut names: Vec<String> =
                    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
                names.sort();
                names
            }
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { files, .. } => files.keys().cloned().collect(),
            Self::Memory(files) => files.keys().cloned().collect(),
        }
    }

    /// A weight file: mapped, or moved out of memory.
    pub(crate) fn take_weights(&mut self, name: &str) -> Result<FileBytes, WeightsError> {
        let missing = |origin: String| WeightsError::MissingFile { origin, file: name.to_owned() };
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(path) => {
                let path = path.join(name);
                FileBytes::map(&path).map_err(|source| read_error(&path, source))
            }
            // Its weights are opened with it.
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { .. } => Err(missing(self.origin())),
            Self::Memory(files) => match files.remove(name) {
                Some(bytes) => Ok(FileBytes::Held(bytes)),
                None => Err(missing(self.origin())),
            },
        }
    }

    /// A side file, whole; `None` where there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Cow<'_, [u8]>>, WeightsError> {
        let max = if name == "tokenizer.json" { MAX_TOKENIZER_BYTES } else { MAX_SIDE_FILE_BYTES };
        let too_large = |found: u64| WeightsError::FileTooLarge { file: self.label(name), found, max };
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(folder) => {
                let path = folder.join(name);
                if !path.is_file() {
                    return Ok(None);
                }
                let n_bytes = path.metadata().map_err(|e| read_error(&path, e))?.len();
                if n_bytes > max {
                    return Err(too_large(n_bytes));
                }
                let bytes = std::fs::read(&path).map_err(|e| read_error(&path, e))?;
                Ok(Some(Cow::Owned(bytes)))
            }
            #[cfg(not(target_family = "wasm"))]
            Self::Gguf { files, .. } => Ok(files.get(name).map(|bytes| Cow::Borrowed(bytes.as_ref()))),
            Self::Memory(files) => match files.get(name) {
                Some(bytes) if bytes.len() as u64 > max => Err(too_large(bytes.len() as u64)),
                Some(bytes) => Ok(Some(Cow::Borrowed(bytes.as_ref()))),
                None => Ok(None),
            },
        }
    }

    /// A side file as text; `None` where there is none. A byte order mark at its start is dropped.
    pub(crate) fn read_text(&self, name: &str) -> Result<Option<Cow<'_, str>>, WeightsError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let not_utf8 = |e: std::str::Utf8Error| WeightsError::NotUtf8 {
            file: self.label(name),
            position: e.valid_up_to(),
        };
        const MARK: char = '\u{feff}';
        let text = match bytes {
            Cow::Borrowed(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(not_utf8)?;
                Cow::Borrowed(text.strip_prefix(MARK).unwrap_or(text))
            }
            Cow::Owned(bytes) => {
                let text = String::from_utf8(bytes).map_err(|e| not_utf8(e.utf8_error()))?;
                Cow::Owned(text.strip_prefix(MARK).map(str::to_owned).unwrap_or(text))
            }
        };
        Ok(Some(text))
    }
}

/// An error of reading a file or folder.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn read_error(path: &Path, source: std::io::Error) -> WeightsError {
    let path = path.display().to_string();
    if source.kind() == std::io::ErrorKind::NotFound {
        return WeightsError::NotFound { path };
    }
    WeightsError::Io { action: "read", path, source }
}
