//! Files of a Hub model, fetched into the cache one by one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiRepo, Metadata};
use hf_hub::{Repo, RepoType};

use super::ask::{Asker, Sizes};
use super::cache::{Snapshots, is_url_safe, shards};
use super::choose::{Choice, choose};
use super::error::HubError;
use super::event::HubEvent;
use super::settings::HubSettings;
use super::spec::{HubModel, is_plain_path};
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
    let info = asker.info(&api, Sizes::Unknown)?;
    let files = info.files();
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let choice = match choose(model.id(), &files, model.file()) {
        // Whoever is to choose wants to know the sizes, which cost the Hub more to tell.
        Err(HubError::Choice { .. }) => {
            choose(model.id(), &asker.info(&api, Sizes::Known)?.files(), model.file())?
        }
        choice => choice?,
    };
    let repo = Repo::with_revision(model.id().to_owned(), RepoType::Model, info.sha.clone());
    let mut fetcher =
        Fetcher { asker, repo: api.repo(repo), api, snapshots, commit: info.sha.clone(), progress };
    if let Choice::Gguf(name) = choice {
        fetcher.gguf(&name)?;
        fetcher.snapshots.note(&fetcher.commit)?;
        return Ok(fetcher.folder().join(name));
    }
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

    /// Fetches one GGUF file.
    fn gguf(&mut self, name: &str) -> Result<(), HubError> {
        // It becomes part of a path and of a URL.
        if !is_plain_path(name) {
            return Err(self.asker.reply("the model's list of files", format!("it has the file {name:?}")));
        }
        self.file(name)
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
