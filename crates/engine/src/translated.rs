//! A translated text: what came of it, sentence by sentence.

use hala_text::{Language, OtherLanguage};
use serde::Serialize;

use crate::generated::FinishReason;
use crate::segment::Segment;
use crate::usage::{Timings, Usage};

/// A translated text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Translated {
    /// The translation; paragraphs, line breaks and surrounding white space are the source's.
    pub text: String,
    /// The language of the translation.
    pub to: Language,
    /// The language that the text seems to be in, where that is neither Arabic nor English.
    pub other_language: Option<OtherLanguage>,
    /// Which sentence became which, those that were copied included.
    pub segments: Vec<Segment>,
    /// Why it ended: `Length` where a sentence ran into its token limit.
    pub finish: FinishReason,
    /// Tokens.
    pub usage: Usage,
    /// Times.
    pub timings: Timings,
}
