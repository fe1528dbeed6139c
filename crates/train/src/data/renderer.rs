//! Rows as documents: the ids that a model would be shown, and which of them it would have to write.

use std::ops::Range;

use hala_engine::TemplateOptions;
use hala_text::{Bos, TokenPiece, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::data::document::Document;
use crate::data::replies::{Writer, Written};
use crate::data::row::{ChatRow, Row};
use crate::error::TrainError;
use crate::fault::Fault;

/// Which of a conversation's replies are labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replies {
    /// Each.
    #[default]
    All,
    /// The last one.
    Last,
}

/// What makes documents of rows.
#[derive(Debug, Clone)]
pub struct Renderer {
    tokenizer: Tokenizer,
    template: TemplateOptions,
    ends: Vec<u32>,
    replies: Replies,
}

impl Renderer {
    /// By a checkpoint's tokenizer; `ends` are the ids at which a server stops ([`hala_engine::EndIds`]), of which the first ends plain texts.
    ///
    /// # Errors
    /// No id that ends a text, and a template that writes the date where none is given: every run would see other texts.
    pub fn new(
        tokenizer: Tokenizer,
        template: TemplateOptions,
        ends: Vec<u32>,
        replies: Replies,
    ) -> Result<Self, TrainError> {
        if ends.is_empty() {
            return Err(TrainError::Setting {
                setting: "the checkpoint's token that ends a text",
                found: "missing".to_owned(),
                expected: "named by `eos_token` in tokenizer_config.json or `eos_token_id` in generation_config.json",
            });
        }
        let renderer = Self { tokenizer, template, ends, replies };
        renderer.check_clock()?;
        Ok(renderer)
    }

    fn check_clock(&self) -> Result<(), TrainError> {
        // Plain texts need no template.
        let Ok(template) = self.template.template(&self.tokenizer) else { return Ok(()) };
        let reads_clock = template.source(&self.template.input(&[], &[])).contains("strftime_now");
        if reads_clock && self.template.now.is_none() {
            return Err(TrainError::Setting {
                setting: "the time that the chat template writes (now)",
                found: "missing".to_owned(),
                expected: "a date such as 2026-03-07, so that every run sees the same texts",
            });
        }
        Ok(())
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The documents of a row: one, or one for each reply where the template writes earlier turns in another way once there are later ones.
    ///
    /// # Errors
    /// What keeps the row from being trained on.
    pub fn documents(&self, row: &Row) -> Result<Vec<Document>, Fault> {
        let documents = match row {
            Row::Chat(row) => self.chat(row)?,
            Row::Text(text) => vec![self.text(text)?],
        };
        match documents.iter().all(|document| document.n_supervised() > 0) {
            true => Ok(documents),
            false => Err(Fault::Unsupervised),
        }
    }

    fn chat(&self, row: &ChatRow) -> Result<Vec<Document>, Fault> {
        let template = self.template.template(&self.tokenizer).map_err(Fault::Template)?;
        let writer =
            Writer { tokenizer: &self.tokenizer, template, options: &self.template, ends: &self.ends };
        let mut row = std::borrow::Cow::Borrowed(row);
        if self.replies == Replies::Last
            && let Some(last) = row.weights.iter().rposition(|weight| *weight > 0.0)
        {
            row.to_mut().weights[..last].fill(0.0);
        }
        Ok(writer.written(&row)?.iter().map(labelled).collect())
    }

    /// A text with the token that ends it; every id is a label.
    fn text(&self, text: &str) -> Result<Document, Fault> {
        let mut ids = self.tokenizer.encode_plain(text, Bos::Auto).map_err(Fault::Encode)?;
        ids.push(self.ends[0]);
        Ok(Document { weights: vec![1.0; ids.len()], ids })
    }
}

/// Labels are the tokens that lie in a reply with all their bytes.
fn labelled(written: &Written) -> Document {
    let weight = |piece: &TokenPiece| {
        let Range { start, end } = piece.range;
        let holds = |reply: &Range<usize>| start < end && reply.start <= start && end <= reply.end;
        written.replies.iter().find(|(reply, _)| holds(reply)).map_or(0.0, |(_, weight)| *weight)
    };
    let weights = written.pieces.iter().map(weight).collect();
    Document { ids: written.pieces.iter().map(|piece| piece.id).collect(), weights }
}
