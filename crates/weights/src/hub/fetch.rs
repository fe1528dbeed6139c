//! Files of a Hub model, fetched into the cache one by one.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::RepoInfo;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo, Metadata};
use hf_hub::{Repo, RepoType};

use super::cache::{Snapshots, is_url_safe, shards};
use super::{HubError, HubEvent, HubModel, HubSettings};
use crate::shards::{INDEX_FILE, WEIGHTS_FILE};

/// Files beside the weights that are fetched where a model has them.
const SIDE_FILES: [&str; 6] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
];

/// How long the answer to a question, which is small, may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait before the first retry; doubled for each one after it.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Asks what the revision stands for and fetches the files that are missing; the weights last, so that a snapshot
/// with weights is whole.
pub(super) fn fetch(
    model: &HubModel,
    settings: &HubSettings,
    progress: &mut dyn FnMut(HubEvent<'_>),
) -> Result<PathBuf, HubError> {
    let snapshots = Snapshots::new(model, settings);
    let api = ApiBuilder::from_cache(snapshots.cache().clone())
        .with_progress(false)
        .with_endpoint(settings.endpoint.clone())
        .with_token(settings.token.clone())
        .with_user_agent("hala", env!("CARGO_PKG_VERSION"))
        .build()
        .map_err(|e| Asker { model, settings }.reply("a connection", e.to_string()))?;
    let asker = Asker { model, settings };
    let info = asker.info(&api)?;
    let has = |name: &str| info.siblings.iter().any(|file| file.rfilename == name);
    let repo = Repo::with_revision(model.id().to_owned(), RepoType::Model, info.sha.clone());
    let mut fetcher =
        Fetcher { asker, repo: api.repo(repo), api, snapshots, commit: info.sha.clone(), progress };
    fetcher.require(has("config.json"), "config.json")?;
    for name in SIDE_FILES.into_iter().filter(|name| has(name)) {
        fetcher.file(name)?;
    }
    if has(WEIGHTS_FILE) {
        fetcher.file(WEIGHTS_FILE)?;
    } else {
        fetcher.require(has(INDEX_FILE), WEIGHTS_FILE)?;
        fetcher.file(INDEX_FILE)?;
        for shard in shards(&fetcher.folder())? {
            fetcher.require(has(&shard), &shard)?;
            fetcher.file(&shard)?;
        }
    }
    fetcher.snapshots.note(&fetcher.commit)?;
    Ok(fetcher.folder())
}

/// Whom is asked for what, for requests and messages.
#[derive(Clone, Copy)]
struct Asker<'a> {
    model: &'a HubModel,
    settings: &'a HubSettings,
}

impl Asker<'_> {
    /// The commit that the revision stands for, and its files.
    fn info(self, api: &Api) -> Result<RepoInfo, HubError> {
        let (id, revision) = (self.model.id().to_owned(), self.model.revision().to_owned());
        let repo = api.repo(Repo::with_revision(id, RepoType::Model, revision));
        let request = repo.info_request().config();
        let request = request.http_status_as_error(false).timeout_global(Some(QUESTION_TIMEOUT)).build();
        let mut response = request.call().map_err(|e| self.unreachable(&e))?;
        let status = response.status().as_u16();
        if status != 200 {
            let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
            return Err(self.refusal(status, code, "the model's list of files"));
        }
        let info: RepoInfo = response
            .body_mut()
            .read_json()
            .map_err(|e| self.reply("the model's list of files", e.to_string()))?;
        if !super::spec::is_commit(&info.sha) {
            return Err(self.reply("the model's list of files", format!("its commit is {:?}", info.sha)));
        }
        Ok(info)
    }

    /// What a status that is no success means; `code` is the Hub's own word for it.
    fn refusal(self, status: u16, code: Option<&str>, what: &str) -> HubError {
        let (endpoint, id) = (self.settings.endpoint.clone(), self.model.id().to_owned());
        match (status, code) {
            (_, Some("RevisionNotFound")) => {
                HubError::Revision { id, revision: self.model.revision().to_owned() }
            }
            (_, Some("GatedRepo")) | (403, _) => HubError::Gated { endpoint, id },
            (_, Some("RepoNotFound")) => HubError::NotFound { endpoint, id },
            (401, _) if self.settings.token.is_some() => HubError::BadToken { endpoint },
            (401 | 404, _) => HubError::NotFound { endpoint, id },
            _ => HubError::Status { endpoint, what: what.to_owned(), status },
        }
    }

    fn unreachable(self, error: &ureq::Error) -> HubError {
        HubError::Unreachable { endpoint: self.settings.endpoint.clone(), detail: error.to_string() }
    }

    fn reply(self, what: &str, detail: String) -> HubError {
        HubError::Reply { endpoint: self.settings.endpoint.clone(), what: what.to_owned(), detail }
    }

    /// An error of `hf-hub` while it fetched a file, of which `part` holds what has arrived.
    fn file_error(self, error: ApiError, file: &str, part: &Path) -> HubError {
        let interrupted = |detail: String| HubError::Interrupted {
            file: file.to_owned(),
            detail,
            done_bytes: part.metadata().map_or(0, |m| m.len()),
        };
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(401) if self.settings.token.is_none() => {
                    // The list of files was shown to everybody, and the files are not.
                    self.refusal(401, Some("GatedRepo"), file)
                }
                ureq::Error::StatusCode(404) => {
                    HubError::MissingFile { id: self.model.id().to_owned(), file: file.to_owned() }
                }
                ureq::Error::StatusCode(status) => self.refusal(status, None, file),
                other => interrupted(other.to_string()),
            },
            ApiError::IoError(error) if is_network(&error) => interrupted(error.to_string()),
            ApiError::IoError(source) => HubError::Cache { path: part.to_owned(), source },
            ApiError::LockAcquisition(path) => HubError::Locked { path },
            ApiError::TooManyRetries(inner) => self.file_error(*inner, file, part),
            other => self.reply(file, other.to_string()),
        }
    }
}

/// Whether an error came from the connection rather than the disk.
fn is_network(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let from_client = error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>());
    let network = [
        Kind::UnexpectedEof,
        Kind::ConnectionReset,
        Kind::ConnectionAborted,
        Kind::ConnectionRefused,
        Kind::NotConnected,
        Kind::BrokenPipe,
        Kind::TimedOut,
        Kind::HostUnreachable,
        Kind::NetworkUnreachable,
        Kind::NetworkDown,
    ];
    from_client || network.contains(&error.kind())
}

/// Fetches files of one commit.
struct Fetcher<'a, 'p> {
    asker: Asker<'a>,
    api: Api,
    repo: ApiRepo,
    snapshots: Snapshots<'a>,
    commit: String,
    progress: &'p mut dyn FnMut(HubEvent<'_>),
}

impl Fetcher<'_, '_> {
    fn folder(&self) -> PathBuf {
        self.snapshots.snapshot(&self.commit)
    }

    fn require(&self, there: bool, file: &str) -> Result<(), HubError> {
        let id = self.asker.model.id().to_owned();
        if there { Ok(()) } else { Err(HubError::MissingFile { id, file: file.to_owned() }) }
    }

    /// Fetches one file unless the snapshot has it; a broken connection is tried again.
    fn file(&mut self, name: &str) -> Result<(), HubError> {
        if self.folder().join(name).is_file() {
            return Ok(());
        }
        self.snapshots.unlink(&self.commit, name)?;
        let mut wait = FIRST_WAIT;
        for _ in 0..self.asker.settings.n_retries {
            match self.attempt(name) {
                Err(HubError::Interrupted { .. } | HubError::Status { status: 429 | 500.., .. }) => {}
                done => return done,
            }
            (self.progress)(HubEvent::Retrying { file: name });
            std::thread::sleep(wait);
            wait *= 2;
        }
        self.attempt(name)
    }

    fn attempt(&mut self, name: &str) -> Result<(), HubError> {
        let url = self.repo.url(name);
        let no_part = Path::new("");
        let metadata = self.api.metadata(&url).map_err(|e| self.asker.file_error(e, name, no_part))?;
        // Both become parts of paths.
        if metadata.commit_hash() != self.commit {
            let detail = format!("it is of commit {:?}, not {}", metadata.commit_hash(), self.commit);
            return Err(self.asker.reply(name, detail));
        }
        let etag = metadata.etag().to_owned();
        if etag.is_empty() || etag.starts_with('.') || !is_url_safe(&etag) {
            return Err(self.asker.reply(name, format!("its ETag is {etag:?}")));
        }
        let (blob, expected) = (self.snapshots.blob(&etag), metadata.size() as u64);
        if !self.have(&blob, &metadata)? {
            let progress = Report { file: name, done_bytes: 0, total_bytes: 0, to: self.progress };
            let downloaded = self.repo.download_with_progress(name, progress);
            downloaded.map_err(|e| self.asker.file_error(e, name, &part_of(&blob)))?;
        }
        let found = blob.metadata().map_err(|source| HubError::Cache { path: blob.clone(), source })?.len();
        if found != expected {
            std::fs::remove_file(&blob).map_err(|source| HubError::Cache { path: blob, source })?;
            return Err(HubError::Length { file: name.to_owned(), found, expected });
        }
        self.snapshots.link(&etag, &self.commit, name)
    }

    /// Whether the blob is there whole; a download that ended just before it was renamed is finished here, and one
    /// that grew too long is dropped, since `hf-hub` can do neither.
    fn have(&self, blob: &Path, metadata: &Metadata) -> Result<bool, HubError> {
        let (part, size) = (part_of(blob), metadata.size() as u64);
        let failed = |source| HubError::Cache { path: part.clone(), source };
        let n_bytes = |path: &Path| path.metadata().ok().map(|m| m.len());
        if n_bytes(blob) == Some(size) {
            return Ok(true);
        }
        match n_bytes(&part) {
            Some(n) if n >= size => {
                let path = blob.with_extension("lock");
                let lock = std::fs::File::create(&path).map_err(failed)?;
                lock.try_lock().map_err(|_| HubError::Locked { path })?;
                if n > size {
                    std::fs::remove_file(&part).map_err(failed)?;
                    return Ok(false);
                }
                std::fs::rename(&part, blob).map_err(failed)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// Where `hf-hub` keeps what has arrived of a blob.
fn part_of(blob: &Path) -> PathBuf {
    blob.with_extension("part")
}

/// Passes `hf-hub`'s progress on.
struct Report<'a> {
    file: &'a str,
    done_bytes: u64,
    total_bytes: u64,
    to: &'a mut dyn FnMut(HubEvent<'_>),
}

impl Report<'_> {
    fn send(&mut self) {
        let (file, done_bytes, total_bytes) = (self.file, self.done_bytes, self.total_bytes);
        (self.to)(HubEvent::Downloading { file, done_bytes, total_bytes });
    }
}

impl hf_hub::api::Progress for Report<'_> {
    fn init(&mut self, size: usize, _file: &str) {
        (self.done_bytes, self.total_bytes) = (0, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.done_bytes += size as u64;
        self.send();
    }

    fn finish(&mut self) {
        self.send();
    }
}
