//! The engine that runs, for what may be asked while it works.

use std::sync::{Arc, Mutex, PoisonError};

use hala_engine::EngineError;
use hala_text::{Bos, Message};

use crate::engine::Engine;
use crate::error::Error;
use crate::info::Info;

/// The engine of a [`Runtime`](crate::Runtime), which may be another one after a device was lost; none while one is set up. Clones see the same,
/// from any thread.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<Mutex<Option<Arc<Engine>>>>);

impl Current {
    /// The engine.
    ///
    /// # Errors
    /// A device is being set up once more, or none could be.
    pub fn engine(&self) -> Result<Arc<Engine>, Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Lost)
    }

    /// What was loaded and what runs it.
    ///
    /// # Errors
    /// As for [`Current::engine`].
    pub fn info(&self) -> Result<Info, Error> {
        Ok(Info::of(self.engine()?.as_ref()))
    }

    /// Tokens of a text alone.
    ///
    /// # Errors
    /// As for [`Current::engine`], and a model without tokenizer.
    pub fn count_tokens(&self, text: &str) -> Result<usize, Error> {
        let engine = self.engine()?;
        let ids = engine.tokenizer()?.encode_plain(text, Bos::Auto).map_err(EngineError::from)?;
        Ok(ids.len())
    }

    /// Tokens of the prompt that these messages make.
    ///
    /// # Errors
    /// As for [`Current::engine`], and a model without template.
    pub fn count_prompt(&self, messages: &[Message]) -> Result<usize, Error> {
        Ok(self.engine()?.chat_prompt(messages, &[])?.len())
    }

    pub(crate) fn set(&self, engine: Option<Arc<Engine>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }
}
