//! The same for programs that wait: each call returns when it is done.

use hala_engine::Translated;
use hala_plan::Cancel;
use pollster::block_on;

use crate::error::Error;
#[cfg(any(feature = "built-in", feature = "hub"))]
use crate::event::Event;
use crate::event::Listener;
use crate::loading::RuntimeOptions;
use crate::reply::{ChatPiece, ChatReply};
use crate::request::{ChatRequest, TranslateRequest};
use crate::runtime;
use crate::source::ModelSource;
use crate::streams;

/// A model on a device; see [`Runtime`](crate::Runtime), which this is without futures.
#[derive(Debug)]
pub struct Runtime(runtime::Runtime);

impl Runtime {
    /// The small translator that ships with Hala.
    ///
    /// # Errors
    /// No memory.
    #[cfg(feature = "built-in")]
    pub fn built_in() -> Result<Self, Error> {
        Self::with(ModelSource::BuiltIn, RuntimeOptions::default(), |_: Event<'_>| {})
    }

    /// A folder in Hugging Face layout, a `.safetensors` or GGUF file, or a Hub id `owner/name[@revision][:file]`, on the fastest
    /// device of this machine.
    ///
    /// # Errors
    /// No such model, a damaged or unsupported one, no memory.
    #[cfg(feature = "hub")]
    pub fn load(model: &str) -> Result<Self, Error> {
        Self::with(ModelSource::parse(model)?, RuntimeOptions::default(), |_: Event<'_>| {})
    }

    /// A model with choices; `listener` is told what happens.
    ///
    /// # Errors
    /// As for [`Runtime::load`](crate::Runtime::load).
    pub fn with(
        source: ModelSource,
        options: RuntimeOptions,
        listener: impl Listener + 'static,
    ) -> Result<Self, Error> {
        block_on(runtime::Runtime::load(source, options, listener)).map(Self)
    }

    /// The runtime, for all else.
    pub fn inner(&mut self) -> &mut runtime::Runtime {
        &mut self.0
    }

    /// The runtime, for programs that go on otherwise.
    pub fn into_inner(self) -> runtime::Runtime {
        self.0
    }

    /// Translates a text between Arabic and English, into the language that it is not in.
    ///
    /// # Errors
    /// As for [`Runtime::translate`](crate::Runtime::translate).
    pub fn translate(&mut self, text: &str) -> Result<Translated, Error> {
        block_on(self.0.translate(&TranslateRequest::new(text), &Cancel::new()))
    }

    /// Answers a conversation.
    ///
    /// # Errors
    /// As for [`Runtime::chat`](crate::Runtime::chat).
    pub fn chat(&mut self, request: ChatRequest) -> Result<ChatReply, Error> {
        block_on(self.0.chat(request, &Cancel::new()))
    }

    /// Begins to answer a conversation; the pieces are an iterator's. `cancel` ends it from any thread.
    ///
    /// # Errors
    /// As for [`Runtime::stream_chat`](crate::Runtime::stream_chat).
    pub fn stream_chat(&mut self, request: ChatRequest, cancel: &Cancel) -> Result<ChatStream<'_>, Error> {
        self.0.stream_chat(request, cancel).map(ChatStream)
    }

    /// Begins to translate a text; the pieces are an iterator's. `cancel` ends it from any thread.
    ///
    /// # Errors
    /// As for [`Runtime::stream_translation`](crate::Runtime::stream_translation).
    pub fn stream_translation(
        &mut self,
        request: &TranslateRequest,
        cancel: &Cancel,
    ) -> Result<TranslateStream<'_>, Error> {
        self.0.stream_translation(request, cancel).map(TranslateStream)
    }
}

/// The pieces of an answer.
#[derive(Debug)]
pub struct ChatStream<'a>(streams::ChatStream<'a>);

impl Iterator for ChatStream<'_> {
    type Item = Result<ChatPiece, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next()).transpose()
    }
}

impl ChatStream<'_> {
    /// Ends the replies, wherever they are, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(self) -> Result<ChatReply, Error> {
        self.0.finish()
    }
}

/// The pieces of a translation.
#[derive(Debug)]
pub struct TranslateStream<'a>(streams::TranslateStream<'a>);

impl Iterator for TranslateStream<'_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next()).transpose()
    }
}

impl TranslateStream<'_> {
    /// The whole translation.
    ///
    /// # Errors
    /// The stream was left before its end.
    pub fn finish(self) -> Result<Translated, Error> {
        self.0.finish()
    }
}
