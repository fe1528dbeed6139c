//! Checkpoints from the Hugging Face Hub, fetched into the cache that Python's `huggingface_hub` uses too.
//!
//! [`resolve`] turns what a user typed into a folder. Only the files that are needed are fetched, each once a commit, and held against the
//! hash that the Hub tells of them; without a network the cache is used.

mod ask;
mod blob;
mod cache;
mod choose;
mod event;
mod fetch;
mod peek;
mod settings;
mod spec;

pub(crate) mod error;

use std::path::PathBuf;

use crate::checkpoint::Checkpoint;
use crate::download::http::Client;
use crate::error::WeightsError;
use ask::Asker;

pub use error::HubError;
pub use event::HubEvent;
pub use settings::HubSettings;
pub use spec::{HubModel, ModelSpec};

/// The folder or file that `text` stands for; a Hub id is fetched first, as by [`pull`].
///
/// # Errors
/// `text` is neither a path that exists nor a Hub id, or the model cannot be fetched.
pub fn resolve(
    text: &str,
    settings: &HubSettings,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, HubError> {
    match ModelSpec::parse(text)? {
        ModelSpec::Path(path) => Ok(path),
        ModelSpec::Hub(model) => pull(&model, settings, progress, stop),
    }
}

/// The folder of a Hub model's files, or its GGUF file, fetched where they are not in the cache.
///
/// Only what running a model needs is fetched: configuration, tokenizer, chat template and safetensors, or one GGUF file. `stop` is asked a
/// few times a second whether to stop.
///
/// # Errors
/// The model, revision or a file does not exist or is not open to this user, several files may be meant, the connection breaks for good, a
/// file comes damaged twice, the cache cannot be written, or it was stopped. Running again goes on where a broken download stopped.
pub fn pull(
    model: &HubModel,
    settings: &HubSettings,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, HubError> {
    let cached = cache::Snapshots::new(model, settings).complete();
    if settings.offline {
        return cached;
    }
    let client = Client::new(settings.silence, settings.token.clone());
    let asker = Asker { model, settings, client: &client };
    match cached {
        // A commit never changes, so there is nothing to ask the Hub; but for the one file of several that is here.
        Ok(path) if model.is_commit() && (model.file().is_some() || path.is_dir()) => Ok(path),
        cached => match (fetch::fetch(asker, progress, stop), cached) {
            (Err(HubError::Unreachable { detail, .. }), Ok(folder)) => {
                progress(HubEvent::UsingCache { reason: &detail });
                Ok(folder)
            }
            (fetched, _) => fetched,
        },
    }
}

/// Opens a Hub model to be asked what is in it: from the cache where it is there, and else by its headers alone, which are read by parts of
/// its files. Beside them config.json, tokenizer.json and the index of shards are fetched. No weight of it can be loaded.
///
/// # Errors
/// As for [`pull`], and a damaged model, or one on a server that sends no parts of files.
pub fn peek(
    model: &HubModel,
    settings: &HubSettings,
    progress: &mut dyn FnMut(HubEvent<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<Checkpoint, WeightsError> {
    let cached = cache::Snapshots::new(model, settings).complete();
    match cached {
        Ok(path) => Checkpoint::open(&path),
        Err(error) if settings.offline => Err(error.into()),
        Err(_) => {
            let client = Client::new(settings.silence, settings.token.clone());
            peek::peek(Asker { model, settings, client: &client }, progress, stop)
        }
    }
}
