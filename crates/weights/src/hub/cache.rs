//! What the cache holds of one model, in the layout of `huggingface_hub`, which others share.
//!
//! `models--OWNER--NAME/` has `blobs/ETAG` with the files' bytes, `snapshots/COMMIT/NAME` linking to them, and
//! `refs/REVISION` with the commit that a branch or tag stood for when it was last fetched.

use std::io;
use std::path::{Path, PathBuf};

use super::choose::{Choice, choose};
use super::error::HubError;
use super::settings::HubSettings;
use super::spec::{HubModel, is_commit, listed};
use crate::error::WeightsError;
use crate::shards::{INDEX_FILE, WEIGHTS_FILE, is_plain, parse_index};

/// One model's folder in the cache.
#[derive(Debug)]
pub(super) struct Snapshots<'a> {
    model: &'a HubModel,
    folder: PathBuf,
}

impl<'a> Snapshots<'a> {
    pub(super) fn new(model: &'a HubModel, settings: &HubSettings) -> Self {
        let folder = settings.cache.join(format!("models--{}", model.id().replace('/', "--")));
        Self { model, folder }
    }

    /// The folder of one commit's files.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The file that holds the bytes of this ETag.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Makes the folder of the files' bytes.
    pub(super) fn make_blobs(&self) -> Result<(), HubError> {
        let path = self.folder.join("blobs");
        std::fs::create_dir_all(&path).map_err(|source| HubError::Cache { path, source })
    }

    /// The folder of the revision's files, if all that a model needs are there, or its GGUF file.
    pub(super) fn complete(&self) -> Result<PathBuf, HubError> {
        let wanted = self.model.file();
        let Some(commit) = self.commit() else { return Err(self.offline(wanted.unwrap_or("files"))) };
        let folder = self.snapshot(&commit);
        let files = listed(&folder);
        match choose(self.model.id(), &files, wanted) {
            Ok(Choice::Gguf(name)) => return Ok(folder.join(name)),
            Ok(Choice::Safetensors) => {}
            Err(_) if wanted.is_some() => return Err(self.offline(wanted.unwrap_or("files"))),
            Err(several) => return Err(several),
        }
        match missing_file(&folder)? {
            None => Ok(folder),
            Some(file) => Err(self.offline(&file)),
        }
    }

    /// The commit that the revision stood for when it was last fetched.
    fn commit(&self) -> Option<String> {
        if self.model.is_commit() {
            return Some(self.model.revision().to_owned());
        }
        let text = std::fs::read_to_string(self.folder.join("refs").join(self.model.revision())).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Notes that the revision stands for this commit.
    pub(super) fn note(&self, commit: &str) -> Result<(), HubError> {
        if self.model.is_commit() {
            return Ok(());
        }
        let path = self.folder.join("refs").join(self.model.revision());
        let folder = path.parent().unwrap_or(&self.folder);
        let noted = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, commit));
        noted.map_err(|source| HubError::Cache { path, source })
    }

    /// Puts a blob that is there into a snapshot.
    pub(super) fn link(&self, etag: &str, commit: &str, file: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(file);
        if path.is_file() {
            return Ok(());
        }
        // A file in a folder is so much further from the blobs.
        let up = "../".repeat(2 + file.matches('/').count());
        let blob = PathBuf::from(format!("{up}blobs")).join(etag);
        let folder = path.parent().unwrap_or(&path);
        let linked = std::fs::create_dir_all(folder).and_then(|()| link(&blob, &self.blob(etag), &path));
        linked.map_err(|source| HubError::Cache { path, source })
    }

    /// Removes a link to a blob that was deleted, which would be in the way of the new one.
    pub(super) fn unlink(&self, commit: &str, file: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(file);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(HubError::Cache { path, source }),
            _ => Ok(()),
        }
    }

    fn offline(&self, missing: &str) -> HubError {
        HubError::Offline {
            folder: self.folder.display().to_string(),
            id: self.model.id().to_owned(),
            revision: self.model.revision().to_owned(),
            missing: missing.to_owned(),
        }
    }
}

#[cfg(unix)]
fn link(relative: &Path, _blob: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(relative, path)
}

/// Links need a privilege on Windows; without it the file is copied, as `huggingface_hub` does.
#[cfg(not(unix))]
fn link(_relative: &Path, blob: &Path, path: &Path) -> io::Result<()> {
    std::fs::copy(blob, path).map(drop)
}

/// The first file that a model needs and a snapshot lacks.
fn missing_file(folder: &Path) -> Result<Option<String>, HubError> {
    let has = |name: &str| folder.join(name).is_file();
    if !has("config.json") {
        return Ok(Some("config.json".to_owned()));
    }
    if has(WEIGHTS_FILE) {
        return Ok(None);
    }
    if !has(INDEX_FILE) {
        return Ok(Some(WEIGHTS_FILE.to_owned()));
    }
    Ok(shards(folder)?.into_iter().find(|shard| !has(shard)))
}

/// The shards that a snapshot's index names, sorted, each once.
pub(super) fn shards(folder: &Path) -> Result<Vec<String>, HubError> {
    let path = folder.join(INDEX_FILE);
    let invalid = |detail: String| HubError::Cache {
        path: path.clone(),
        source: io::Error::new(io::ErrorKind::InvalidData, detail),
    };
    let text =
        std::fs::read_to_string(&path).map_err(|source| HubError::Cache { path: path.clone(), source })?;
    let weight_map = parse_index(INDEX_FILE, &text).map_err(|e: WeightsError| invalid(e.to_string()))?;
    let mut shards: Vec<String> = weight_map.into_values().collect();
    shards.sort();
    shards.dedup();
    match shards.iter().find(|name| !is_plain(name) || !is_url_safe(name)) {
        Some(name) => Err(invalid(format!("it names the shard {name:?}"))),
        None => Ok(shards),
    }
}

/// Whether a file's name can stand in a URL as it is.
pub(super) fn is_url_safe(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
