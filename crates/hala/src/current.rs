//! The engine that runs, for what may be asked while it works.

use std::sync::{Arc, Mutex, PoisonError};

use hala_engine::EngineError;
use hala_text::{Bos, Message, Specials};

use crate::engine::Engine;
use crate::error::Error;
use crate::info::Info;
use crate::why::Why;

/// What special tokens in a text are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialsIn {
    /// Text, as anything else that somebody wrote.
    Text,
    /// Special, as in a prompt in the model's own format.
    Special,
}

/// The engine of a [`Runtime`](crate::Runtime), which may be another one after a device was lost; none while one is set up. Clones see the same,
/// from any thread.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<Mutex<Option<Running>>>);

/// An engine that runs, and why it is on this device.
type Running = (Arc<Engine>, Why);

impl Current {
    /// The engine.
    ///
    /// # Errors
    /// A device is being set up once more, or none could be.
    pub fn engine(&self) -> Result<Arc<Engine>, Error> {
        Ok(self.running()?.0)
    }

    fn running(&self) -> Result<Running, Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Lost)
    }

    /// What was loaded and what runs it.
    ///
    /// # Errors
    /// As for [`Current::engine`].
    pub fn info(&self) -> Result<Info, Error> {
        let (engine, why) = self.running()?;
        Ok(Info::of(&engine, &why))
    }

    /// The tokens of a text; special tokens in it are special where they are wanted, else text.
    ///
    /// # Errors
    /// As for [`Current::engine`], and a model without tokenizer.
    pub fn tokenize(&self, text: &str, bos: Bos, specials: SpecialsIn) -> Result<Vec<u32>, Error> {
        let engine = self.engine()?;
        let tokenizer = engine.tokenizer()?;
        let ids = match specials {
            SpecialsIn::Special => tokenizer.encode(text, bos),
            SpecialsIn::Text => tokenizer.encode_plain(text, bos),
        };
        Ok(ids.map_err(EngineError::from)?)
    }

    /// The text of tokens, special ones among them.
    ///
    /// # Errors
    /// As for [`Current::engine`], a model without tokenizer, and ids that it does not have.
    pub fn detokenize(&self, ids: &[u32]) -> Result<String, Error> {
        let engine = self.engine()?;
        Ok(engine.tokenizer()?.decode(ids, Specials::Keep).map_err(EngineError::from)?)
    }

    /// Tokens of a text alone.
    ///
    /// # Errors
    /// As for [`Current::engine`], and a model without tokenizer.
    pub fn count_tokens(&self, text: &str) -> Result<usize, Error> {
        Ok(self.tokenize(text, Bos::Auto, SpecialsIn::Text)?.len())
    }

    /// Tokens of the prompt that these messages make.
    ///
    /// # Errors
    /// As for [`Current::engine`], and a model without template.
    pub fn count_prompt(&self, messages: &[Message]) -> Result<usize, Error> {
        Ok(self.engine()?.chat_prompt(messages, &[])?.len())
    }

    pub(crate) fn set(&self, running: Option<Running>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}
