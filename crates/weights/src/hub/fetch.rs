//! Files of a Hub model, fetched into the cache one by one.

use std::path::{Path, PathBuf};

use super::ask::{Asker, FileFacts, Sizes};
use super::cache::{Snapshots, is_url_safe, shards};
use super::choose::{Choice, choose};
use super::error::HubError;
use super::event::HubEvent;
use super::settings::HubSettings;
use super::spec::{HubModel, is_plain_path};
use crate::download::digest::Digest;
use crate::download::event::{DownloadEvent, Watch};
use crate::download::fault::Fault;
use crate::download::http::Client;
use crate::download::lock::Lock;
use crate::download::retries::{LOOK_EVERY, Retries};
use crate::download::transfer::{Content, Goal, Transfer};
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

/// How often another's lock is looked at: for five seconds.
const N_LOOKS_AT_LOCK: usize = 25;

/// Asks what the revision stands for and fetches the files that are missing; the weights last, so that a snapshot
/// with weights is whole.
pub(super) fn fetch(
    model: &HubModel,
    settings: &HubSettings,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, HubError> {
    let client = Client::new(settings.silence, settings.token.clone());
    let asker = Asker { model, settings, client: &client };
    let mut silent = |_: DownloadEvent<'_>| progress(HubEvent::Waiting);
    let watch = &mut Watch { tell: &mut silent, stop };
    let info = asker.info(Sizes::Unknown, watch)?;
    let files = info.files();
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let choice = match choose(model.id(), &files, model.file()) {
        // Whoever is to choose wants to know the sizes, which cost the Hub more to tell.
        Err(HubError::Choice { .. }) => {
            choose(model.id(), &asker.info(Sizes::Known, watch)?.files(), model.file())?
        }
        choice => choice?,
    };
    let snapshots = Snapshots::new(model, settings);
    let mut fetcher = Fetcher { asker, snapshots, commit: info.sha.clone(), progress, stop };
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
    snapshots: Snapshots<'a>,
    commit: String,
    progress: &'p mut dyn FnMut(HubEvent<'_>),
    stop: &'p dyn Fn() -> bool,
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
        let asker = self.asker;
        let mut retries = Retries::new(asker.settings.n_retries);
        let progress = &mut *self.progress;
        let mut tell = |event: DownloadEvent<'_>| progress(of_file(name, event));
        let mut watch = Watch { tell: &mut tell, stop: self.stop };
        let url = asker.url(&self.commit, name);
        let facts = loop {
            match asker.facts(&url, name, &mut watch) {
                Ok(facts) => break facts,
                Err(fault) => retries.again(fault, &mut watch).map_err(|e| asker.file_error(e, name))?,
            }
        };
        check(&facts, &self.commit).map_err(|detail| asker.reply(name, detail))?;
        self.snapshots.make_blobs()?;
        let blob = Blob { url: &url, path: self.snapshots.blob(&facts.etag), facts: &facts };
        blob.bring(asker.client, &mut retries, &mut watch).map_err(|e| asker.file_error(e, name))?;
        self.snapshots.link(&facts.etag, &self.commit, name)
    }
}

/// What happens to a file of this name.
fn of_file<'a>(file: &'a str, event: DownloadEvent<'a>) -> HubEvent<'a> {
    match event {
        DownloadEvent::Waiting => HubEvent::Waiting,
        DownloadEvent::Downloading { done_bytes, total_bytes } => {
            HubEvent::Downloading { file, done_bytes, total_bytes: total_bytes.unwrap_or(done_bytes) }
        }
        DownloadEvent::Verifying { done_bytes, total_bytes } => {
            HubEvent::Verifying { file, done_bytes, total_bytes }
        }
        DownloadEvent::Retrying { reason } => HubEvent::Retrying { file, reason },
    }
}

/// Whether what the Hub says can be parts of paths.
fn check(facts: &FileFacts, commit: &str) -> Result<(), String> {
    let FileFacts { commit: found, etag, .. } = facts;
    if found != commit {
        return Err(format!("it is of commit {found:?}, not {commit}"));
    }
    if etag.is_empty() || etag.starts_with('.') || !is_url_safe(etag) {
        return Err(format!("its ETag is {etag:?}"));
    }
    Ok(())
}

/// The bytes of one file, which the cache keeps under their ETag.
struct Blob<'a> {
    url: &'a str,
    path: PathBuf,
    facts: &'a FileFacts,
}

impl Blob<'_> {
    /// Fetches the bytes unless they are there. The part and its lock are those of the crate `hf-hub`, so that each can go on with what the other left.
    fn bring(&self, client: &Client, retries: &mut Retries, watch: &mut Watch<'_>) -> Result<(), Fault> {
        let is_there =
            |path: &Path| path.metadata().is_ok_and(|m| self.facts.n_bytes.is_none_or(|n| m.len() == n));
        if is_there(&self.path) {
            return Ok(());
        }
        let _lock = self.lock(watch)?;
        // Whoever had the lock before may have been at the same.
        if is_there(&self.path) {
            return Ok(());
        }
        let goal = Goal {
            url: self.url,
            path: &self.path,
            part: &self.path.with_extension("part"),
            n_bytes: self.facts.n_bytes,
            digest: Digest::of_etag(&self.facts.etag),
            content: Content::Fixed,
        };
        Transfer::new(client, goal, &mut |_| Ok(()))?.run(retries, watch)
    }

    /// Takes the lock; small files are soon brought by whoever has it.
    fn lock(&self, watch: &mut Watch<'_>) -> Result<Lock, Fault> {
        let path = self.path.with_extension("lock");
        for _ in 0..N_LOOKS_AT_LOCK {
            match Lock::take(&path) {
                Err(Fault::Locked { .. }) if watch.is_stopped() => return Err(Fault::Stopped),
                Err(Fault::Locked { .. }) => {}
                taken => return taken,
            }
            watch.tell(DownloadEvent::Waiting);
            std::thread::sleep(LOOK_EVERY);
        }
        Lock::take(&path)
    }
}
