//! Why a row cannot be trained on.

use hala_text::TextError;
use serde::{Deserialize, Serialize};

/// What is wrong with a row; its file and line are told beside it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Bytes that are no text.
    #[error(
        "it is not valid UTF-8: byte {at} of the line is 0x{byte:02X}; convert the file, for example with iconv"
    )]
    NotUtf8 {
        /// The first bad byte's place in the line.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// Not JSON.
    #[error("it is no JSON: {reason}; each line should be one object")]
    NotJson {
        /// What the parser says.
        reason: String,
    },
    /// The file is one long list.
    #[error("it begins a JSON list; write one object a line, for example with `jq -c '.[]' IN > OUT`")]
    List,
    /// JSON in a form that is not known.
    #[error(
        "its fields are {found}; known are `messages`, `conversations`, `instruction` with `output`, and `text`"
    )]
    Form {
        /// The names of the fields, or what the row is instead of an object.
        found: String,
    },
    /// A field with something else than belongs there.
    #[error("{at} is {found}; it should be {expected}")]
    Field {
        /// Which field, such as `conversations[1].value`.
        at: String,
        /// What is there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Nothing to learn from.
    #[error("{at} is empty; fill it, or leave the row out")]
    Empty {
        /// Which field.
        at: String,
    },
    /// A message that is none of the API's.
    #[error(transparent)]
    Message(TextError),
    /// Too few columns.
    #[error("it has {n_columns} of 2 columns; put a tab between the {first} and the {second} text")]
    Columns {
        /// How many there are.
        n_columns: usize,
        /// The language of the first column.
        first: &'static str,
        /// The language of the second.
        second: &'static str,
    },
    /// The template refuses the conversation, or fails on it.
    #[error(transparent)]
    Template(TextError),
    /// The tokenizer fails.
    #[error(transparent)]
    Encode(TextError),
    /// A reply whose beginning cannot be told, since the prompt for it is not the beginning of the conversation with it.
    #[error(
        "the template writes the reply in messages[{message}] in another way than its prompt begins: {found:?} instead of {prompted:?}; \
         give the reply what the template expects, such as `reasoning_content`, or set the template's variables"
    )]
    NotPrompted {
        /// Which message.
        message: usize,
        /// How the conversation goes on where the two part.
        found: String,
        /// How the prompt does.
        prompted: String,
    },
    /// A reply of which the template writes nothing.
    #[error(
        "the template writes nothing of the reply in messages[{message}], so a model would learn to say nothing there: it may not know `tool_calls`; \
         write the call into `content` as the model does, or take another template"
    )]
    Unwritten {
        /// Which message.
        message: usize,
    },
    /// A reply without an end.
    #[error(
        "the template ends the reply in messages[{message}] with no token that ends a text, so a model trained on it would never stop; mend the \
         template, or name the token in `eos_token` or `eos_token_id`"
    )]
    Endless {
        /// Which message.
        message: usize,
    },
    /// No id is a label.
    #[error("nothing in it is supervised: it has no reply of the assistant with a weight above 0")]
    Unsupervised,
    /// Longer than is trained on.
    #[error(
        "it takes {n_rows} rows and at most {max_rows} are allowed; raise the limit, or shorten the text"
    )]
    TooLong {
        /// Rows of the document ([`Document::n_rows`](crate::data::Document::n_rows)).
        n_rows: usize,
        /// The most that is allowed.
        max_rows: usize,
    },
}

/// Kinds of faults, as they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Not a text, not JSON, or a form that is not known.
    Form,
    /// A field or column that is missing, or holds something else.
    Field,
    /// A text that is empty.
    Empty,
    /// What the template or the tokenizer refuses, or makes no trainable text of.
    Template,
    /// No label.
    Unsupervised,
    /// Longer than is trained on.
    TooLong,
}

impl FaultKind {
    /// The kind in words, for lists of counts.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Form => "of no known form",
            Self::Field => "with a wrong or missing field",
            Self::Empty => "with an empty text",
            Self::Template => "refused by the template or tokenizer",
            Self::Unsupervised => "with nothing supervised",
            Self::TooLong => "too long",
        }
    }
}

impl Fault {
    /// What it is counted as.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::NotUtf8 { .. } | Self::NotJson { .. } | Self::List | Self::Form { .. } => FaultKind::Form,
            Self::Field { .. } | Self::Message(_) | Self::Columns { .. } => FaultKind::Field,
            Self::Empty { .. } => FaultKind::Empty,
            Self::Template(_)
            | Self::Encode(_)
            | Self::NotPrompted { .. }
            | Self::Unwritten { .. }
            | Self::Endless { .. } => FaultKind::Template,
            Self::Unsupervised => FaultKind::Unsupervised,
            Self::TooLong { .. } => FaultKind::TooLong,
        }
    }
}
