//! A download as an app asks for it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Hasher};
use super::error::DownloadError;
use super::event::{DownloadEvent, Watch};
use super::fault::Fault;
use super::http::Client;
use super::lock::Lock;
use super::retries::Retries;
use super::transfer::{Content, Goal, Transfer, read_through};

/// A file to be fetched.
#[derive(Debug, Clone)]
pub struct Download {
    /// Where it is: an address that begins with `https://` or `http://`.
    pub url: String,
    /// Where it will be. While it comes, `PATH.part` has what has arrived and `PATH.lock` what it is a part of.
    pub path: PathBuf,
    /// The SHA-256 of its bytes as 64 hex digits. Without one nothing but its length is verified, and a file that is there is fetched again.
    pub sha256: Option<String>,
    /// How often a broken connection or a server that fails is tried again.
    pub n_retries: usize,
    /// How long no byte may come before a connection counts as broken.
    pub silence: Duration,
}

impl Download {
    /// How often it is tried again, where nothing else is said.
    pub const N_RETRIES: usize = 5;
    /// How long no byte may come, where nothing else is said.
    pub const SILENCE: Duration = Duration::from_secs(30);

    /// A download without a SHA-256.
    pub fn new(url: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let (url, path) = (url.into(), path.into());
        Self { url, path, sha256: None, n_retries: Self::N_RETRIES, silence: Self::SILENCE }
    }
}

/// Fetches a file, unless it is there with the SHA-256 that it must have. What arrived before is gone on with where the server's file is
/// still the same, and forgotten where it is not. `stop` is asked a few times a second.
///
/// # Errors
/// See [`DownloadError`]. After one that a later call may mend, what has arrived is kept.
pub fn download(
    download: &Download,
    progress: &mut dyn FnMut(DownloadEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<(), DownloadError> {
    let digest = check(download)?;
    let mut watch = Watch { tell: progress, stop };
    fetch(download, digest, &mut watch).map_err(|fault| in_words(fault, download))
}

/// Refuses what cannot be fetched, and reads the SHA-256.
fn check(download: &Download) -> Result<Option<Digest>, DownloadError> {
    let invalid = |reason: String| Err(DownloadError::Invalid { reason });
    let url = &download.url;
    let is_scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    if !["https://", "http://"].iter().any(|scheme| is_scheme(scheme)) {
        return invalid(format!("{:?} is no address that begins with https:// or http://", shown(url)));
    }
    if download.path.file_name().is_none() || download.path.is_dir() {
        return invalid(format!("{} is no path of a file", download.path.display()));
    }
    match download.sha256.as_deref().map(|text| (text, Digest::sha256(text))) {
        Some((text, None)) => invalid(format!("{text:?} is no SHA-256, which has 64 hex digits")),
        Some((_, digest)) => Ok(digest),
        None => Ok(None),
    }
}

fn fetch(download: &Download, digest: Option<Digest>, watch: &mut Watch<'_>) -> Result<(), Fault> {
    let path = &download.path;
    if watch.is_stopped() {
        return Err(Fault::Stopped);
    }
    if let Some(digest) = &digest
        && is_there(path, digest, watch)?
    {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Fault::Disk { path: folder.to_owned(), source })?;
    }
    let (part, lock) = (beside(path, ".part"), beside(path, ".lock"));
    let mut lock = Lock::take(&lock)?;
    let failed = |source| Fault::Disk { path: part.clone(), source };
    let mut note = Note { url: download.url.clone(), sha256: download.sha256.clone(), version: None };
    let before: Option<Note> = lock.note().ok().and_then(|text| serde_json::from_str(&text).ok());
    match before.filter(|before| note.is_same_file(before)) {
        // Another server has its own words for a version.
        Some(before) => note.version = before.version.filter(|_| before.url == note.url),
        None => remove(&part).map_err(failed)?,
    }
    let content = Content::Version(note.version.clone());
    let client = Client::new(download.silence, None);
    let goal = Goal { url: &download.url, path, part: &part, n_bytes: None, digest, content };
    let mut begin = |version: Option<&str>| {
        note.version = version.map(str::to_owned);
        lock.set_note(&serde_json::to_string(&note)?)
    };
    let transfer = Transfer::new(&client, goal, &mut begin)?;
    let done = transfer.run(&mut Retries::new(download.n_retries), watch);
    if done.is_err() && part.metadata().is_ok_and(|m| m.len() > 0) {
        return done;
    }
    // Nothing is there to go on with.
    remove(&part).and_then(|()| lock.remove()).map_err(failed).and(done)
}

/// What a part is a part of.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    url: String,
    sha256: Option<String>,
    /// The ETag or date of the server's file.
    version: Option<String>,
}

impl Note {
    /// Whether a part that `before` describes can be gone on with: a SHA-256 tells in the end whether that was right, and a server whether
    /// its file is still of that version.
    fn is_same_file(&self, before: &Self) -> bool {
        match (&self.sha256, &before.sha256) {
            (Some(wanted), Some(before)) => wanted.eq_ignore_ascii_case(before),
            _ => self.url == before.url && before.version.is_some(),
        }
    }
}

/// Whether the file is there as it must be.
fn is_there(path: &Path, digest: &Digest, watch: &mut Watch<'_>) -> Result<bool, Fault> {
    let failed = |source| Fault::Disk { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let n_bytes = file.metadata().map_err(failed)?.len();
    let mut hasher = Hasher::new(Some(digest));
    read_through(path, &mut file, n_bytes, watch, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish(&mut file).map_err(failed)?.as_deref() == Some(digest.hex()))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The path with an ending after its own.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// An address without what may be secret in it.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match url.split_once("://").map(|(scheme, rest)| (scheme, rest.split_once('/').unwrap_or((rest, "")))) {
        Some((scheme, (host, path))) if host.contains('@') => {
            format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or(host))
        }
        _ => url.to_owned(),
    }
}

fn in_words(fault: Fault, download: &Download) -> DownloadError {
    let url = shown(&download.url);
    match fault {
        Fault::Stopped => DownloadError::Stopped,
        Fault::Unreachable { detail } => DownloadError::Unreachable { url, detail },
        Fault::Broken { detail, done_bytes } => DownloadError::Interrupted { url, detail, done_bytes },
        Fault::Status { status: 404 | 410, .. } => DownloadError::NotFound { url },
        Fault::Status { status: status @ (401 | 403 | 407), .. } => {
            DownloadError::Unauthorized { url, status }
        }
        Fault::Status { status, .. } => DownloadError::Status { url, status },
        Fault::Reply { detail } => DownloadError::Reply { url, detail },
        Fault::Length { found, expected } => DownloadError::Length { url, found, expected },
        Fault::Corrupt { found, expected } => DownloadError::Corrupt { url, found, expected },
        Fault::Locked { .. } => DownloadError::Locked { path: download.path.clone() },
        Fault::Disk { path, source } => DownloadError::Disk { path, source },
    }
}
