//! The two kinds of work that stream: replies and translations, each on whatever backend runs at the moment.

use hala_engine::{EngineError, Generation, Translation};
use hala_plan::Backend;

use crate::reply::{ChatPiece, TokenReport, to_json};
use crate::running::Sessions;

/// Work that gives its result in pieces.
pub(crate) trait Stream {
    /// The next piece, in the words of the page; `None` at the end.
    ///
    /// # Errors
    /// A lost device, after which it can go on with another's sessions.
    async fn next<B: Backend>(&mut self, sessions: &mut Sessions<B>) -> Result<Option<String>, EngineError>;

    /// Notes that the device was lost, and with it all that was computed.
    fn lose(&mut self);
}

impl Stream for Generation {
    async fn next<B: Backend>(&mut self, sessions: &mut Sessions<B>) -> Result<Option<String>, EngineError> {
        let session = sessions.chat().await?;
        let Some(piece) = Generation::next(self, session).await? else { return Ok(None) };
        let tokenizer = session.engine().tokenizer()?;
        let logprobs = piece.logprobs.map(|logprob| TokenReport::new(tokenizer, &logprob));
        let piece = ChatPiece { text: &piece.text, logprobs };
        Ok(Some(to_json(&piece)))
    }

    fn lose(&mut self) {
        self.fall_behind();
    }
}

impl Stream for Translation {
    async fn next<B: Backend>(&mut self, sessions: &mut Sessions<B>) -> Result<Option<String>, EngineError> {
        Translation::next(self, sessions.sentences()?).await
    }

    fn lose(&mut self) {
        // The sentences under way are computed again by whoever is handed them.
    }
}
