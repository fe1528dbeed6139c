//! The two kinds of work that stream: replies and translations, each on whatever backend runs at the moment.

use hala_engine::{EngineError, Generation, Session, Translation};
use hala_plan::Backend;

use crate::reply::{ChatPiece, TokenReport, to_json};

/// Work that gives its result in pieces.
pub(crate) trait Stream {
    /// The next piece, in the words of the page; `None` at the end.
    ///
    /// # Errors
    /// A lost device, after which it can go on with a session of another that was rebuilt from the same tokens.
    async fn next<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<String>, EngineError>;
}

impl Stream for Generation {
    async fn next<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<String>, EngineError> {
        let Some(piece) = Generation::next(self, session).await? else { return Ok(None) };
        let tokenizer = session.engine().tokenizer()?;
        let logprobs = piece.logprobs.map(|logprob| TokenReport::new(tokenizer, &logprob));
        let piece = ChatPiece { text: &piece.text, logprobs };
        Ok(Some(to_json(&piece)))
    }
}

impl Stream for Translation {
    async fn next<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<String>, EngineError> {
        Translation::next(self, session).await
    }
}
