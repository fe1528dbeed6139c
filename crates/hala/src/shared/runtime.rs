//! What threads ask of the runtime that they share.

use std::path::Path;
use std::sync::Arc;

use hala_engine::{Retained, Translation};
use hala_plan::Cancel;
use pollster::block_on;

use super::job::Job;
use super::replies::ReplyJob;
use super::state::Inner;
use super::stream::SharedStream;
use super::translations::TranslateJob;
use crate::choices::Choices;
use crate::current::Current;
use crate::engine::Engine;
use crate::error::Error;
use crate::request::{ChatRequest, TranslateRequest};
use crate::runtime::Runtime;
use crate::seed::any_seed;
use crate::sessions::Trim;
use crate::text_request::TextRequest;

/// A runtime that many threads use at once. Clones share it.
///
/// Each call begins a [`SharedStream`], and streams of several threads are sequences of one scheduler. Work goes on while somebody waits for
/// some of it.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Inner>);

impl Shared {
    /// Shares a runtime.
    pub fn new(runtime: Runtime) -> Self {
        Self(Arc::new(Inner::new(runtime)))
    }

    /// The engine that runs, for what may be asked while it works. Where a lost device is being set up once more, this waits for it.
    ///
    /// # Errors
    /// A device that is lost for good.
    pub fn current(&self) -> Result<&Current, Error> {
        self.engine()?;
        Ok(self.0.current())
    }

    fn engine(&self) -> Result<Arc<Engine>, Error> {
        self.0.current().engine().or_else(|_| self.alone(|runtime| Ok(Arc::clone(runtime.engine()?))))
    }

    /// Begins to answer a conversation, with several replies where so many are asked for.
    ///
    /// # Errors
    /// A prompt that cannot be made or is too long, an option outside of its range, a lost device.
    pub fn chat(&self, request: ChatRequest, cancel: &Cancel) -> Result<SharedStream, Error> {
        self.chat_in(request, None, cancel)
    }

    /// As [`Shared::chat`]; the first reply goes on with what `retained` holds of the conversation's tokens, and leaves its own there for the next
    /// turn.
    ///
    /// # Errors
    /// As for [`Shared::chat`].
    pub fn chat_in(
        &self,
        request: ChatRequest,
        retained: Option<&Retained>,
        cancel: &Cancel,
    ) -> Result<SharedStream, Error> {
        let engine = self.engine()?;
        let n = request.n();
        let mut conversation = request.into_conversation(engine.sampling_defaults(), any_seed())?;
        let prompt = conversation.prompt(&engine)?;
        let options = &conversation.options.generate;
        let choices = Choices::new(&engine, &prompt, n, options, cancel)?.retaining(retained);
        let job = ReplyJob::new(choices, n, options.logprobs.is_some(), conversation.n_dropped());
        Ok(self.begin(Box::new(job), cancel))
    }

    /// Begins to write after a prompt as it stands, several texts where so many are asked for.
    ///
    /// # Errors
    /// A prompt that is empty or too long, an option outside of its range, a lost device.
    pub fn generate(&self, request: TextRequest, cancel: &Cancel) -> Result<SharedStream, Error> {
        self.generate_in(request, None, cancel)
    }

    /// As [`Shared::generate`]; the first text goes on with what `retained` holds, and leaves its own tokens there.
    ///
    /// # Errors
    /// As for [`Shared::generate`].
    pub fn generate_in(
        &self,
        request: TextRequest,
        retained: Option<&Retained>,
        cancel: &Cancel,
    ) -> Result<SharedStream, Error> {
        let engine = self.engine()?;
        let (prompt, n) = (request.prompt.ids(engine.tokenizer())?, request.n());
        let options = request.options(engine.sampling_defaults(), any_seed())?;
        let choices = Choices::new(&engine, &prompt, n, &options, cancel)?.retaining(retained);
        let job = ReplyJob::new(choices, n, options.logprobs.is_some(), 0);
        Ok(self.begin(Box::new(job), cancel))
    }

    /// Begins to translate a text.
    ///
    /// # Errors
    /// Contradictory languages, a model that cannot translate, a lost device.
    pub fn translate(&self, request: &TranslateRequest, cancel: &Cancel) -> Result<SharedStream, Error> {
        let engine = self.engine()?;
        let translation = Translation::new(&engine, &request.text, request.direction(), cancel)?;
        Ok(self.begin(Box::new(TranslateJob::one(translation, cancel)), cancel))
    }

    /// Begins to translate texts, as many at once as the device likes, in bounded memory. What is wrong with one of them is told in its
    /// place and stops no other.
    ///
    /// # Errors
    /// None of its own.
    pub fn translate_all(
        &self,
        requests: Vec<TranslateRequest>,
        cancel: &Cancel,
    ) -> Result<SharedStream, Error> {
        Ok(self.begin(Box::new(TranslateJob::new(requests, cancel)), cancel))
    }

    /// As [`Runtime::save`].
    ///
    /// # Errors
    /// As for [`Runtime::save`].
    pub fn save(&self, retained: &Retained, path: &Path) -> Result<(), Error> {
        self.alone(|runtime| block_on(runtime.save(retained, path)))
    }

    /// As [`Runtime::restore`].
    ///
    /// # Errors
    /// As for [`Runtime::restore`].
    pub fn restore(&self, path: &Path) -> Result<Retained, Error> {
        self.alone(|runtime| block_on(runtime.restore(path)))
    }

    /// Does something with the runtime while nobody else works with it; other work waits.
    ///
    /// # Errors
    /// What the work gives; an earlier fault that left the runtime in pieces.
    pub fn alone<T>(&self, work: impl FnOnce(&mut Runtime) -> Result<T, Error>) -> Result<T, Error> {
        self.0.alone(work)
    }

    /// Gives memory back to the system.
    ///
    /// # Errors
    /// A device that is lost for good.
    pub fn trim(&self, trim: Trim) -> Result<(), Error> {
        self.alone(|runtime| block_on(runtime.trim(trim)))
    }

    fn begin(&self, job: Box<dyn Job>, cancel: &Cancel) -> SharedStream {
        SharedStream::new(Arc::clone(&self.0), self.0.begin(job), cancel.clone())
    }
}
