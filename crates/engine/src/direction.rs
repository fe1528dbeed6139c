//! From which language a text is translated, and into which.

use hala_text::Language;
use hala_text::detection::detect;

use crate::error::EngineError;

/// From which language into which; what is not given is found out from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Direction {
    /// The language of the text.
    pub from: Option<Language>,
    /// The language wanted.
    pub to: Option<Language>,
}

impl Direction {
    /// Into this language, from the other one.
    pub fn to(language: Language) -> Self {
        Self { from: None, to: Some(language) }
    }

    /// The language to translate `text` into: as given, or the other one than the text's.
    ///
    /// # Errors
    /// Both languages are given and the same.
    pub fn target(&self, text: &str) -> Result<Language, EngineError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from == to => Err(EngineError::SameLanguage(to)),
            (_, Some(to)) => Ok(to),
            (Some(from), None) => Ok(from.other()),
            (None, None) => Ok(detect(text).unwrap_or(Language::English).other()),
        }
    }
}
