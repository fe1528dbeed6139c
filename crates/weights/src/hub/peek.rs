//! The headers of a Hub model's weights, read by parts of files, so that its size is known before it is fetched.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::ask::Asker;
use super::choose::Choice;
use super::error::HubError;
use super::event::HubEvent;
use super::fetch::{Fetcher, of_file};
use crate::checkpoint::Checkpoint;
use crate::download::event::{DownloadEvent, Watch};
use crate::download::fault::Fault;
use crate::download::http::Question;
use crate::download::retries::Retries;
use crate::error::WeightsError;
use crate::reader::Reader;
use crate::shards::{INDEX_FILE, WEIGHTS_FILE};

/// Files beside the weights that say what a model is, besides the index of its shards.
const TELLING_FILES: [&str; 2] = ["config.json", "tokenizer.json"];

/// Bytes of a file that are asked for with its length: most headers are shorter.
const START_BYTES: u64 = 128 << 10;

/// Opens the checkpoint by its headers; config.json and tokenizer.json are fetched into the cache.
pub(super) fn peek(
    asker: Asker<'_>,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<Checkpoint, WeightsError> {
    let mut fetcher = Fetcher::new(asker, progress, stop)?;
    let (choice, commit) = (fetcher.choice.clone(), fetcher.commit.clone());
    let mut files = Vec::new();
    if choice == Choice::Safetensors {
        for name in TELLING_FILES {
            fetcher.side_file(name)?;
        }
        let index = if fetcher.weight_files()? == [WEIGHTS_FILE] { None } else { Some(INDEX_FILE) };
        for name in TELLING_FILES.into_iter().chain(index) {
            let path = fetcher.folder().join(name);
            if path.is_file() {
                let bytes = std::fs::read(&path).map_err(|source| HubError::Cache { path, source })?;
                files.push((name.to_owned(), Cow::Owned(bytes)));
            }
        }
    }
    let ranges = Ranges {
        asker,
        commit: &commit,
        progress: RefCell::new(progress),
        stop,
        starts: RefCell::default(),
        refused: RefCell::default(),
    };
    let opened = pollster::block_on(async {
        match &choice {
            Choice::Safetensors => Checkpoint::from_reader(files, &ranges).await,
            Choice::Gguf(name) => Checkpoint::gguf_header(name, &ranges).await,
        }
    });
    // A reader tells its failures in words; the error itself says more.
    match ranges.refused.take() {
        Some(error) => Err(error.into()),
        None => opened,
    }
}

/// Reads parts of the files of one commit.
struct Ranges<'a, 'p> {
    asker: Asker<'a>,
    commit: &'a str,
    progress: RefCell<&'p mut dyn FnMut(HubEvent<'_>)>,
    stop: &'p dyn Fn() -> bool,
    /// How files begin, by their names.
    starts: RefCell<BTreeMap<String, Rc<Part>>>,
    /// The last failure.
    refused: RefCell<Option<HubError>>,
}

/// Some bytes of a file.
struct Part {
    bytes: Vec<u8>,
    /// Bytes of the whole file.
    total: u64,
}

impl Reader for Ranges<'_, '_> {
    async fn size(&self, file: &str) -> Result<u64, String> {
        Ok(self.start(file)?.total)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        let within = range.start as usize..range.end as usize;
        match self.start(file)?.bytes.get(within) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.part(file, range).map(|part| part.bytes),
        }
    }
}

impl Ranges<'_, '_> {
    /// How a file begins, asked for once.
    fn start(&self, file: &str) -> Result<Rc<Part>, String> {
        if let Some(start) = self.starts.borrow().get(file) {
            return Ok(Rc::clone(start));
        }
        let start = Rc::new(self.part(file, 0..START_BYTES)?);
        self.starts.borrow_mut().insert(file.to_owned(), Rc::clone(&start));
        Ok(start)
    }

    /// Some bytes of a file, fewer where it ends before; a broken connection is tried again.
    fn part(&self, file: &str, range: Range<u64>) -> Result<Part, String> {
        let mut progress = self.progress.borrow_mut();
        let mut tell = |event: DownloadEvent<'_>| progress(of_file(file, event));
        let mut watch = Watch { tell: &mut tell, stop: self.stop };
        let mut retries = Retries::new(self.asker.settings.n_retries);
        loop {
            let again = match self.attempt(file, &range, &mut watch) {
                Ok(part) => return Ok(part),
                Err(fault) => retries.again(fault, &mut watch),
            };
            if let Err(fault) = again {
                let error = self.asker.file_error(fault, file);
                let words = error.to_string();
                *self.refused.borrow_mut() = Some(error);
                return Err(words);
            }
        }
    }

    fn attempt(&self, file: &str, range: &Range<u64>, watch: &mut Watch<'_>) -> Result<Part, Fault> {
        let url = self.asker.url(self.commit, file);
        let mut question = Question::get(&url);
        question.headers.push(("Range", format!("bytes={}-{}", range.start, range.end - 1)));
        let client = self.asker.client;
        let mut answer = client.ask(&question, watch)?;
        match (answer.status(), answer.range()) {
            (206, Some(found)) if found.first == Some(range.start) => {
                let unknown = || Fault::Reply { detail: "it does not say how long the file is".to_owned() };
                let total = found.total.ok_or_else(unknown)?;
                Ok(Part { bytes: client.content(&mut answer, watch)?, total })
            }
            (200 | 206, _) => {
                let detail = "it sends no parts of files, so the model must be fetched to be looked into";
                Err(Fault::Reply { detail: detail.to_owned() })
            }
            _ => Err(answer.refusal()),
        }
    }
}
