//! What shared work gives.

use std::ops::Range;

use hala_engine::Translated;

use crate::error::Error;
use crate::reply::{ChatPiece, ChatReply};

/// What comes of shared work, in the order of its texts.
#[derive(Debug)]
pub enum Output {
    /// A piece of a reply, in whole characters.
    Reply(ChatPiece),
    /// All replies: the end.
    Replied(Box<ChatReply>),
    /// A piece of a translation.
    Translating(TranslatedText),
    /// A whole translation.
    Translated {
        /// Which text, from 0.
        index: usize,
        /// Its translation.
        translated: Box<Translated>,
    },
    /// One of several texts could not be translated; the others go on.
    Failed {
        /// Which text, from 0.
        index: usize,
        /// Why.
        error: Error,
    },
}

impl Output {
    /// Whether it is the last of its text; of replies, of all of them.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Replied(_) | Self::Translated { .. } | Self::Failed { .. } => true,
            Self::Reply(_) | Self::Translating(_) => false,
        }
    }
}

/// A piece of a translation, in whole characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslatedText {
    /// Which text, from 0.
    pub index: usize,
    /// The piece; it follows the one before.
    pub text: String,
    /// The sentence, or the white space, that it is the translation of, in bytes of the source.
    pub source: Range<usize>,
    /// Where it is in the translation, in bytes.
    pub target: Range<usize>,
}
