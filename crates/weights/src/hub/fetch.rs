//! Files of a Hub model, fetched into the cache one by one.

use std::path::PathBuf;

use super::ask::{Asker, Sizes};
use super::blob::{Blob, check};
use super::cache::{Snapshots, shards};
use super::choose::{Choice, Listed, choose};
use super::error::HubError;
use super::event::HubEvent;
use super::spec::is_plain_path;
use crate::download::event::{DownloadEvent, Watch};
use crate::download::retries::Retries;
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

/// Asks what the revision stands for and fetches the files that are missing; the weights last, so that a snapshot
/// with weights is whole.
pub(super) fn fetch(
    asker: Asker<'_>,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, HubError> {
    let mut fetcher = Fetcher::new(asker, progress, stop)?;
    if let Choice::Gguf(name) = fetcher.choice.clone() {
        fetcher.file(&name)?;
        fetcher.snapshots.note(&fetcher.commit)?;
        return Ok(fetcher.folder().join(name));
    }
    for name in SIDE_FILES {
        fetcher.side_file(name)?;
    }
    for name in fetcher.weight_files()? {
        fetcher.file(&name)?;
    }
    fetcher.snapshots.note(&fetcher.commit)?;
    Ok(fetcher.folder())
}

/// Fetches files of one commit.
pub(super) struct Fetcher<'a, 'p> {
    pub(super) asker: Asker<'a>,
    pub(super) commit: String,
    /// What is taken of the repository.
    pub(super) choice: Choice,
    files: Vec<Listed>,
    snapshots: Snapshots<'a>,
    progress: &'p mut dyn FnMut(HubEvent<'_>),
    pub(super) stop: &'p dyn Fn() -> bool,
}

impl<'a, 'p> Fetcher<'a, 'p> {
    /// Asks what the revision stands for, and chooses among its files.
    pub(super) fn new(
        asker: Asker<'a>,
        progress: &'p mut dyn FnMut(HubEvent<'_>),
        stop: &'p dyn Fn() -> bool,
    ) -> Result<Self, HubError> {
        let Asker { model, settings, .. } = asker;
        let mut silent = |_: DownloadEvent<'_>| progress(HubEvent::Waiting);
        let watch = &mut Watch { tell: &mut silent, stop };
        let info = asker.info(Sizes::Unknown, watch)?;
        let files = info.files();
        let choice = match choose(model.id(), &files, model.file()) {
            // Whoever is to choose wants to know the sizes, which cost the Hub more to tell.
            Err(HubError::Choice { .. }) => {
                choose(model.id(), &asker.info(Sizes::Known, watch)?.files(), model.file())?
            }
            choice => choice?,
        };
        let snapshots = Snapshots::new(model, settings);
        let fetcher = Self { asker, commit: info.sha, choice, files, snapshots, progress, stop };
        match &fetcher.choice {
            // It becomes part of a path and of a URL.
            Choice::Gguf(name) if !is_plain_path(name) => {
                Err(asker.reply("the model's list of files", format!("it has the file {name:?}")))
            }
            Choice::Gguf(_) => Ok(fetcher),
            Choice::Safetensors => fetcher.require("config.json").map(|()| fetcher),
        }
    }
}

impl Fetcher<'_, '_> {
    pub(super) fn folder(&self) -> PathBuf {
        self.snapshots.snapshot(&self.commit)
    }

    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    fn require(&self, file: &str) -> Result<(), HubError> {
        let id = self.asker.model.id().to_owned();
        if self.has(file) { Ok(()) } else { Err(HubError::MissingFile { id, file: file.to_owned() }) }
    }

    /// Fetches a file where the model has it.
    pub(super) fn side_file(&mut self, name: &str) -> Result<(), HubError> {
        if self.has(name) { self.file(name) } else { Ok(()) }
    }

    /// The files of the weights, in safetensors form. Their index is fetched where there is one.
    pub(super) fn weight_files(&mut self) -> Result<Vec<String>, HubError> {
        if self.has(WEIGHTS_FILE) {
            return Ok(vec![WEIGHTS_FILE.to_owned()]);
        }
        if !self.has(INDEX_FILE) {
            self.require(WEIGHTS_FILE)?;
        }
        self.file(INDEX_FILE)?;
        let shards = shards(&self.folder())?;
        shards.iter().try_for_each(|shard| self.require(shard))?;
        Ok(shards)
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
pub(super) fn of_file<'a>(file: &'a str, event: DownloadEvent<'a>) -> HubEvent<'a> {
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
