//! The errors of this crate: each names the file or call, what was found, and the next step.

/// Everything that can go wrong between text and ids.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// `tokenizer.json` is not a tokenizer that can be read.
    #[error(
        "tokenizer.json cannot be read: {reason}. It should be a Hugging Face fast tokenizer; fetch the file again, \
         or save it with transformers' `save_pretrained`"
    )]
    TokenizerFile {
        /// What the reader found.
        reason: String,
    },
    /// One of the small JSON files beside the tokenizer is broken.
    #[error("{file} cannot be read: {reason}. Mend or remove the file")]
    ConfigFile {
        /// The file's name.
        file: &'static str,
        /// What the reader found.
        reason: String,
    },
    /// `tokenizer_config.json` and `tokenizer.json` give one id to two tokens.
    #[error(
        "tokenizer_config.json declares the added token {declared:?} with id {id}, but in tokenizer.json that id is \
         {found}. The two files belong to different checkpoints; take both from the same one"
    )]
    AddedTokenConflict {
        /// The id in question.
        id: u32,
        /// The token that `tokenizer_config.json` wants at this id.
        declared: String,
        /// What `tokenizer.json` has there, in words.
        found: String,
    },
    /// An id that has no token.
    #[error(
        "token id {id} has no token: the tokenizer's vocabulary has {n_vocab} ids (0 to {}). Check that the \
         tokenizer belongs to the model", .n_vocab.saturating_sub(1)
    )]
    IdOutsideVocabulary {
        /// The id asked for.
        id: u32,
        /// One more than the greatest id of the vocabulary.
        n_vocab: usize,
    },
    /// The tokenizer failed on a text.
    #[error("the text of {text_bytes} bytes cannot be turned into token ids: {reason}")]
    Encode {
        /// The length of the text in bytes.
        text_bytes: usize,
        /// What the tokenizer said.
        reason: String,
    },
    /// The tokenizer's decoder failed, or cannot be run token by token.
    #[error("token ids cannot be turned into text: {reason}")]
    Decode {
        /// What the decoder said.
        reason: String,
    },
    /// The checkpoint has no chat template and is not of the family whose template is built in.
    #[error(
        "the checkpoint has no chat template (neither chat_template.jinja nor `chat_template` in \
         tokenizer_config.json), and the built-in one needs the tokens <|im_start|> and <|im_end|>, which its \
         tokenizer does not have. Add a chat_template.jinja beside tokenizer.json"
    )]
    NoChatTemplate,
    /// A message that is not one of the API's.
    #[error("{at} is {found}; it should be {expected}")]
    Message {
        /// Which field of which message, such as `messages[2].content`.
        at: String,
        /// What is there, in words.
        found: String,
        /// What can be there, in words.
        expected: &'static str,
    },
    /// A chat template that is not valid Jinja.
    #[error("the chat template {name:?} is not valid: {reason}. Mend the template in the checkpoint")]
    TemplateSyntax {
        /// Which of the checkpoint's templates.
        name: String,
        /// The parser's message, with the line.
        reason: String,
    },
    /// A chat template called `raise_exception`.
    #[error("the chat template refused the messages: {message}")]
    TemplateRaised {
        /// The template's own words.
        message: String,
    },
    /// A chat template failed while running.
    #[error("the chat template failed: {reason}")]
    TemplateFailed {
        /// The engine's message, with the line.
        reason: String,
    },
    /// A template variable of a name that is the chat's own.
    #[error(
        "the template variable {name:?} is the chat's own; messages, tools and the like are given as such, \
         so choose another name"
    )]
    ReservedVariable {
        /// The name.
        name: String,
    },
    /// A time of day or date that does not exist.
    #[error(
        "{found} is not a date and time such as 2026-03-07T09:05:00; months run from 1 to 12, hours from 0 to 23, \
         and there is no zone"
    )]
    InvalidTime {
        /// The fields as given.
        found: String,
    },
    /// A language that Hala does not know.
    #[error("unknown language {found:?}; known are {known}")]
    UnknownLanguage {
        /// The name or code as given.
        found: String,
        /// Those that are known: `ar (Arabic), en (English)`.
        known: String,
    },
}
