//! Which model is meant, and its checkpoint.

use std::borrow::Cow;
#[cfg(not(target_family = "wasm"))]
use std::path::PathBuf;

use hala_weights::Checkpoint;
#[cfg(feature = "hub")]
use hala_weights::hub::{HubModel, HubSettings, ModelSpec, pull};

use crate::error::Error;
#[cfg(feature = "hub")]
use crate::event::Event;
use crate::event::Listener;

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
    /// It cannot be fetched.
    #[cfg(feature = "hub")]
    pub fn fetched(self, listener: &mut dyn Listener) -> Result<Self, Error> {
        match self {
            Self::Hub(model) => Ok(Self::Path(fetch(&model, listener)?)),
            other => Ok(other),
        }
    }

    /// Opens the checkpoint, fetching it first where it is on the Hub. No weight is read yet.
    ///
    /// # Errors
    /// No such model, or a damaged one.
    pub fn open(self, listener: &mut dyn Listener) -> Result<Checkpoint, Error> {
        let _ = &listener;
        Ok(match self {
            #[cfg(feature = "built-in")]
            Self::BuiltIn => Checkpoint::from_files(hala_demo_model::files())?,
            #[cfg(not(target_family = "wasm"))]
            Self::Path(path) => Checkpoint::open(&path)?,
            #[cfg(feature = "hub")]
            Self::Hub(model) => Checkpoint::open(&fetch(&model, listener)?)?,
            Self::Files(files) => Checkpoint::from_files(files)?,
        })
    }
}

/// Fetches a model of the Hub into the cache that Python shares, and gives its folder, or its GGUF file; `listener` is told how that goes.
///
/// # Errors
/// No such model, or it cannot be fetched.
#[cfg(feature = "hub")]
pub fn fetch(model: &HubModel, listener: &mut dyn Listener) -> Result<PathBuf, Error> {
    let settings = HubSettings::from_env()?;
    Ok(pull(model, &settings, &mut |event| listener.tell(Event::Fetching(event)))?)
}
