//! The kinds of work that stream: a reply, several of them, a translation; each on whatever backend runs at the moment.

use hala_engine::{EngineError, Generation, Handed, Translated, Translation, Translations};
use hala_plan::Backend;

use crate::reply::{ChatPiece, to_json};
use crate::running::Sessions;

/// Work that gives its result in pieces.
pub(crate) trait Stream {
    /// Does one step, and gives the pieces that came of it, in the words of the page: often one, or none. `None` at the end.
    ///
    /// # Errors
    /// A lost device, after which it can go on with another's sessions.
    async fn next<B: Backend>(
        &mut self,
        sessions: &mut Sessions<B>,
    ) -> Result<Option<Vec<String>>, EngineError>;

    /// Notes that the device was lost, and with it all that was computed.
    fn lose(&mut self);
}

impl Stream for Generation {
    async fn next<B: Backend>(
        &mut self,
        sessions: &mut Sessions<B>,
    ) -> Result<Option<Vec<String>>, EngineError> {
        let session = sessions.chat().await?;
        let Some(piece) = Generation::next(self, session).await? else { return Ok(None) };
        let piece = ChatPiece::new(session.engine().tokenizer()?, 0, &piece);
        Ok(Some(vec![to_json(&piece)]))
    }

    fn lose(&mut self) {
        self.fall_behind();
    }
}

/// A translation on its way, step by step: the worker sees to its messages between two steps, however long no text is certain.
#[derive(Debug)]
pub(crate) struct Translating {
    translations: Translations,
    translated: Option<Translated>,
}

impl Translating {
    /// Prepares to stream a translation.
    pub(crate) fn new(translation: Translation) -> Self {
        let mut translations = Translations::default();
        translations.push(translation);
        Self { translations, translated: None }
    }

    /// The whole translation.
    ///
    /// # Errors
    /// The stream was left before its end.
    pub(crate) fn finish(self) -> Result<Translated, EngineError> {
        self.translated.ok_or(EngineError::Cancelled)
    }
}

impl Stream for Translating {
    async fn next<B: Backend>(
        &mut self,
        sessions: &mut Sessions<B>,
    ) -> Result<Option<Vec<String>>, EngineError> {
        Ok(match self.translations.step(sessions.scheduler()?).await? {
            Handed::Text(text) => Some(vec![text]),
            Handed::Nothing => Some(Vec::new()),
            Handed::End(translated) => {
                self.translated = Some(*translated);
                None
            }
        })
    }

    fn lose(&mut self) {
        // The sentences under way are computed again by whoever is handed them.
    }
}
