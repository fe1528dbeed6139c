//! Which model is meant, and its checkpoint.

use std::borrow::Cow;
#[cfg(not(target_family = "wasm"))]
use std::path::PathBuf;

#[cfg(feature = "hub")]
use hala_plan::Cancel;
use hala_weights::Checkpoint;
#[cfg(feature = "hub")]
use hala_weights::download::{Download, DownloadEvent};
#[cfg(feature = "hub")]
use hala_weights::hub::{HubEvent, HubModel, ModelSpec, peek, pull};

use crate::error::Error;
#[cfg(feature = "hub")]
use crate::event::Event;
use crate::event::Listener;
use crate::loading::RuntimeOptions;

/// A model, by where its files are.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// The small translator that ships with Hala.
    #[cfg(feature = "built-in")]
    BuiltIn,
    /// A folder in Hugging Face layout, or one `.safetensors` or GGUF file.
    #[cfg(not(target_family = "wasm"))]
    Path(PathBuf),
    /// A model of the Hub, fetched into the cache that Python shares.
    #[cfg(feature = "hub")]
    Hub(HubModel),
    /// The files of a folder in Hugging Face layout, by their names.
    Files(Vec<(String, Cow<'static, [u8]>)>),
}

impl ModelSource {
    /// Reads what a user wrote: a path that exists, or a Hub id `owner/name[@revision][:file]`.
    ///
    /// # Errors
    /// It is neither.
    #[cfg(feature = "hub")]
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(match ModelSpec::parse(text)? {
            ModelSpec::Path(path) => Self::Path(path),
            ModelSpec::Hub(model) => Self::Hub(model),
        })
    }

    /// Whether it is the model that ships with Hala, which answers sooner than a GPU is set up.
    pub fn is_built_in(&self) -> bool {
        match self {
            #[cfg(feature = "built-in")]
            Self::BuiltIn => true,
            _ => false,
        }
    }

    /// What there is to say of a model wherever it is used.
    pub fn notice(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "built-in")]
            Self::BuiltIn => Some(hala_demo_model::NOTICE),
            _ => None,
        }
    }

    /// The same model, fetched where it is on the Hub; `listener` is told how that goes.
    ///
    /// # Errors
    /// It cannot be fetched, or was stopped.
    #[cfg(feature = "hub")]
    pub fn fetched(self, listener: &mut dyn Listener, options: &RuntimeOptions) -> Result<Self, Error> {
        match self {
            Self::Hub(model) => Ok(Self::Path(fetch(&model, listener, options)?)),
            other => Ok(other),
        }
    }

    /// Opens the checkpoint to be asked what is in it. Of a model of the Hub that is not in the cache, the headers of the weights are read, and
    /// config.json and tokenizer.json are fetched; no weight of it can be loaded.
    ///
    /// # Errors
    /// No such model, a damaged one, or stopped.
    pub fn peek(self, listener: &mut dyn Listener, options: &RuntimeOptions) -> Result<Checkpoint, Error> {
        match self {
            #[cfg(feature = "hub")]
            Self::Hub(model) => {
                let settings = options.hub_settings()?;
                let tell = &mut |event: HubEvent<'_>| listener.tell(Event::Fetching(event));
                Ok(peek(&model, &settings, tell, &|| options.cancel.is_cancelled())?)
            }
            other => other.open(listener, options),
        }
    }

    /// Opens the checkpoint, fetching it first where it is on the Hub. No weight is read yet.
    ///
    /// # Errors
    /// No such model, a damaged one, or stopped.
    pub fn open(self, listener: &mut dyn Listener, options: &RuntimeOptions) -> Result<Checkpoint, Error> {
        let _ = (&listener, options);
        Ok(match self {
            #[cfg(feature = "built-in")]
            Self::BuiltIn => Checkpoint::from_files(hala_demo_model::files())?,
            #[cfg(not(target_family = "wasm"))]
            Self::Path(path) => Checkpoint::open(&path)?,
            #[cfg(feature = "hub")]
            Self::Hub(model) => Checkpoint::open(&fetch(&model, listener, options)?)?,
            Self::Files(files) => Checkpoint::from_files(files)?,
        })
    }
}

/// Fetches a model of the Hub into the cache that Python shares, and gives its folder, or its GGUF file; `listener` is told how that goes.
/// Every file is held against the hash that the Hub tells of it. Of the options, those of the Hub and the flag that stops it are looked at.
///
/// # Errors
/// No such model, it cannot be fetched, or was stopped.
#[cfg(feature = "hub")]
pub fn fetch(
    model: &HubModel,
    listener: &mut dyn Listener,
    options: &RuntimeOptions,
) -> Result<PathBuf, Error> {
    let settings = options.hub_settings()?;
    let tell = &mut |event: HubEvent<'_>| listener.tell(Event::Fetching(event));
    Ok(pull(model, &settings, tell, &|| options.cancel.is_cancelled())?)
}

/// Fetches a file of any address, unless it is there with the SHA-256 that it must have; `progress` is told how that goes, and `cancel`
/// stops it from any thread.
///
/// # Errors
/// See [`DownloadError`](hala_weights::download::DownloadError). What has arrived is kept, and the next call goes on from there.
#[cfg(feature = "hub")]
pub fn download(
    download: &Download,
    progress: &mut dyn FnMut(DownloadEvent<'_>),
    cancel: &Cancel,
) -> Result<(), Error> {
    Ok(hala_weights::download::download(download, progress, &|| cancel.is_cancelled())?)
}
