//! Replies and translations, piece by piece or whole.

use std::collections::VecDeque;

use hala_engine::{EngineError, GenerateOptions, Generated, Generation, Piece, Translated, Translation};
use hala_plan::Cancel;
use hala_weights::Reader;

use crate::choices::Choices;
use crate::error::Error;
use crate::loading::NoReader;
use crate::logprobs::TokenReport;
use crate::reply::{ChatPiece, ChatReply};
use crate::request::{ChatRequest, TranslateRequest};
use crate::runtime::Runtime;
use crate::seed::any_seed;
use crate::sessions::Sessions;
use crate::work::{Reply, Text, Translating, Work};

/// A reply on its way, or several.
#[derive(Debug)]
enum Replies {
    One(Box<Reply>),
    Several(Choices),
}

impl Work for Replies {
    type Piece = ChatPiece;

    async fn step(&mut self, sessions: &mut Sessions) -> Result<Option<Vec<ChatPiece>>, EngineError> {
        match self {
            Self::One(reply) => reply.step(sessions).await,
            Self::Several(choices) => choices.step(sessions).await,
        }
    }

    fn lose(&mut self) {
        match self {
            Self::One(reply) => reply.lose(),
            Self::Several(choices) => choices.lose(),
        }
    }
}

/// The answer to a conversation while it comes. Dropping it ends it.
#[derive(Debug)]
pub struct ChatStream<'a, R = NoReader> {
    runtime: &'a mut Runtime<R>,
    replies: Replies,
    n_dropped: usize,
    /// Of each reply's tokens so far, where asked for.
    logprobs: Option<Vec<Vec<TokenReport>>>,
    ready: VecDeque<ChatPiece>,
}

impl<R: Reader> ChatStream<'_, R> {
    /// The next piece; `None` at the end. Cancellation is no error: the stream ends.
    ///
    /// # Errors
    /// A device that is lost for good, or logits that are no numbers.
    pub async fn next(&mut self) -> Result<Option<ChatPiece>, Error> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let Some(pieces) = self.step().await? else { return Ok(None) };
            self.ready.extend(pieces);
        }
    }

    /// One step of the work, for a caller who sees to something else between two: the pieces that came of it, often one, or none.
    ///
    /// # Errors
    /// As for [`ChatStream::next`].
    pub async fn step(&mut self) -> Result<Option<Vec<ChatPiece>>, Error> {
        let pieces = self.runtime.step(&mut self.replies).await?;
        if let Some(all) = &mut self.logprobs {
            for piece in pieces.iter().flatten() {
                all[piece.index].extend(piece.logprobs.clone());
            }
        }
        Ok(pieces)
    }

    /// Ends the replies, wherever they are, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(self) -> Result<ChatReply, Error> {
        let replies = match self.replies {
            Replies::One(reply) => vec![reply.0.finish()?],
            Replies::Several(choices) => choices.finish()?,
        };
        Ok(ChatReply::new(replies, self.logprobs, self.n_dropped))
    }
}

/// A translation while it comes. Dropping it ends it.
#[derive(Debug)]
pub struct TranslateStream<'a, R = NoReader> {
    runtime: &'a mut Runtime<R>,
    translating: Translating,
}

impl<R: Reader> TranslateStream<'_, R> {
    /// The next text; `None` at the end. All of them put together are the translation. Cancellation is no error: the stream ends.
    ///
    /// # Errors
    /// As for [`ChatStream::next`].
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            let Some(texts) = self.step().await? else { return Ok(None) };
            if !texts.is_empty() {
                return Ok(Some(texts.concat()));
            }
        }
    }

    /// As [`ChatStream::step`].
    ///
    /// # Errors
    /// As for [`ChatStream::next`].
    pub async fn step(&mut self) -> Result<Option<Vec<String>>, Error> {
        self.runtime.step(&mut self.translating).await
    }

    /// The whole translation.
    ///
    /// # Errors
    /// The stream was left before its end.
    pub fn finish(self) -> Result<Translated, Error> {
        Ok(self.translating.finish()?)
    }
}

/// Text after a prompt of token ids while it comes. Dropping it ends it.
#[derive(Debug)]
pub struct TextStream<'a, R = NoReader> {
    runtime: &'a mut Runtime<R>,
    text: Text,
}

impl<R: Reader> TextStream<'_, R> {
    /// The next token with its text; `None` at the end. Cancellation is no error: the stream ends.
    ///
    /// # Errors
    /// As for [`ChatStream::next`].
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        Ok(self.runtime.step(&mut self.text).await?.and_then(|pieces| pieces.into_iter().next()))
    }

    /// What was generated so far.
    pub fn so_far(&self) -> &Generated {
        self.text.0.so_far()
    }

    /// Ends the text, wherever it is, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(self) -> Result<Generated, Error> {
        Ok(self.text.0.finish()?)
    }
}

impl<R: Reader> Runtime<R> {
    /// Begins to write after a prompt as it stands, in token ids.
    ///
    /// # Errors
    /// A prompt that is empty or too long, an option outside of its range, a device that is lost for good.
    pub fn generate(
        &mut self,
        prompt: &[u32],
        options: &GenerateOptions,
        cancel: &Cancel,
    ) -> Result<TextStream<'_, R>, Error> {
        let generation = Generation::on(self.engine()?, prompt, options, cancel)?;
        self.is_fresh = true;
        Ok(TextStream { runtime: self, text: Text(generation) })
    }

    /// Begins to answer a conversation, with several replies where so many are asked for.
    ///
    /// # Errors
    /// A prompt that cannot be made or is too long, an option outside of its range, a device that is lost for good.
    pub fn stream_chat(&mut self, request: ChatRequest, cancel: &Cancel) -> Result<ChatStream<'_, R>, Error> {
        let engine = self.engine()?;
        let n = request.n();
        let mut conversation = request.into_conversation(engine.sampling_defaults(), any_seed())?;
        let prompt = conversation.prompt(engine)?;
        let options = &conversation.options.generate;
        let replies = if n == 1 {
            Replies::One(Box::new(Reply(Generation::on(engine, &prompt, options, cancel)?)))
        } else {
            Replies::Several(Choices::new(engine, &prompt, n, options, cancel)?)
        };
        let n_dropped = conversation.n_dropped();
        let logprobs = options.logprobs.map(|_| vec![Vec::new(); n]);
        self.is_fresh = true;
        Ok(ChatStream { runtime: self, replies, n_dropped, logprobs, ready: VecDeque::new() })
    }

    /// Answers a conversation.
    ///
    /// # Errors
    /// As for [`Runtime::stream_chat`] and [`ChatStream::next`].
    pub async fn chat(&mut self, request: ChatRequest, cancel: &Cancel) -> Result<ChatReply, Error> {
        let mut stream = self.stream_chat(request, cancel)?;
        while stream.step().await?.is_some() {}
        stream.finish()
    }

    /// Begins to translate a text.
    ///
    /// # Errors
    /// Contradictory languages, a model that cannot translate, a device that is lost for good.
    pub fn stream_translation(
        &mut self,
        request: &TranslateRequest,
        cancel: &Cancel,
    ) -> Result<TranslateStream<'_, R>, Error> {
        let translation = Translation::new(self.engine()?, &request.text, request.direction(), cancel)?;
        self.is_fresh = true;
        Ok(TranslateStream { runtime: self, translating: Translating::new(translation) })
    }

    /// Translates a text.
    ///
    /// # Errors
    /// As for [`Runtime::stream_translation`] and [`ChatStream::next`].
    pub async fn translate(
        &mut self,
        request: &TranslateRequest,
        cancel: &Cancel,
    ) -> Result<Translated, Error> {
        let mut stream = self.stream_translation(request, cancel)?;
        while stream.step().await?.is_some() {}
        stream.finish()
    }
}
