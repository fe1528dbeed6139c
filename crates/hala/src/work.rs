//! The kinds of work that give their result in pieces: a reply, several of them, a translation; each on whatever device runs at the moment.

use hala_engine::{EngineError, Generation, Handed, Piece, Translated, Translation, Translations};
use hala_plan::MaybeSend;

use crate::reply::ChatPiece;
use crate::sessions::Sessions;

/// Work that gives its result in pieces.
pub(crate) trait Work: MaybeSend {
    /// What comes of it.
    type Piece;

    /// Does one step, and gives the pieces that came of it: often one, or none. `None` at the end.
    ///
    /// # Errors
    /// A lost device, after which it can go on with another's sessions.
    fn step(
        &mut self,
        sessions: &mut Sessions,
    ) -> impl Future<Output = Result<Option<Vec<Self::Piece>>, EngineError>> + MaybeSend;

    /// Notes that the device was lost, and with it all that was computed.
    fn lose(&mut self);
}

/// Text after a prompt.
#[derive(Debug)]
pub(crate) struct Text(pub(crate) Generation);

impl Work for Text {
    type Piece = Piece;

    async fn step(&mut self, sessions: &mut Sessions) -> Result<Option<Vec<Piece>>, EngineError> {
        Ok(self.0.next(sessions.chat().await?).await?.map(|piece| vec![piece]))
    }

    fn lose(&mut self) {
        self.0.fall_behind();
    }
}

/// One reply to a conversation.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) Generation);

impl Work for Reply {
    type Piece = ChatPiece;

    async fn step(&mut self, sessions: &mut Sessions) -> Result<Option<Vec<ChatPiece>>, EngineError> {
        let session = sessions.chat().await?;
        let Some(piece) = self.0.next(session).await? else { return Ok(None) };
        Ok(Some(vec![ChatPiece::new(session.engine().tokenizer()?, 0, piece)]))
    }

    fn lose(&mut self) {
        self.0.fall_behind();
    }
}

/// A translation on its way, step by step: whoever waits can do something else between two steps, however long no text is certain.
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

impl Work for Translating {
    type Piece = String;

    async fn step(&mut self, sessions: &mut Sessions) -> Result<Option<Vec<String>>, EngineError> {
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
