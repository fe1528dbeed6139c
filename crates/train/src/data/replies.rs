//! Which bytes of a rendered conversation are the model's to write: each reply from the end of its prompt through the token that ends it.
//!
//! Nothing is asked of a template but what a server asks of it: a reply begins where the prompt for it ends, and ends where a server would
//! stop. Where a template writes earlier turns in another way once there are later ones, as those do that cut thoughts, each reply is a
//! conversation of its own, so that what is learnt is what a model is shown.

use std::ops::Range;

use hala_engine::TemplateOptions;
use hala_text::{ChatInput, ChatTemplate, TextError, TokenPiece, Tokenizer};

use crate::data::row::ChatRow;
use crate::fault::Fault;

/// A conversation that a template wrote, and what of it is to be learnt.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) pieces: Vec<TokenPiece>,
    /// Bytes of replies with their weights, in order.
    pub(crate) replies: Vec<(Range<usize>, f32)>,
}

/// Writes conversations as a checkpoint's template does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) template: &'a ChatTemplate,
    pub(crate) options: &'a TemplateOptions,
    /// The ids at which a server stops.
    pub(crate) ends: &'a [u32],
}

impl Writer<'_> {
    /// The conversation up to its last reply that counts; or, where the template would write that in another way than it writes each reply's own
    /// conversation, one for each reply.
    ///
    /// # Errors
    /// A template that refuses it, a reply whose beginning or end cannot be told, and nothing that counts.
    pub(crate) fn written(&self, row: &ChatRow) -> Result<Vec<Written>, Fault> {
        let counted = (0..row.messages.len()).filter(|i| row.weights[*i] > 0.0);
        let counted: Vec<usize> = counted.collect();
        let Some(last) = counted.last() else { return Err(Fault::Unsupervised) };
        if let Some(whole) = self.whole(row, &counted, *last)? {
            return Ok(vec![whole]);
        }
        counted.into_iter().map(|i| self.alone(row, i)).collect()
    }

    /// All replies in one conversation; `None` where the template writes one of them in another way.
    fn whole(&self, row: &ChatRow, counted: &[usize], last: usize) -> Result<Option<Written>, Fault> {
        let (text, pieces) = self.pieces(row, last + 1)?;
        let mut replies = Vec::with_capacity(counted.len());
        for &i in counted {
            let prompt = self.text(row, i, true)?;
            if !text.starts_with(&prompt) {
                return Ok(None);
            }
            let Some(end) = self.end(&pieces, prompt.len()) else { return Ok(None) };
            let is_own = i == last || self.text(row, i + 1, false)?.starts_with(&text[..end]);
            if !is_own {
                return Ok(None);
            }
            filled(&text[prompt.len()..], &pieces, prompt.len()..end, i)?;
            replies.push((prompt.len()..end, row.weights[i]));
        }
        Ok(Some(Written { pieces, replies }))
    }

    /// The conversation that ends with one reply.
    fn alone(&self, row: &ChatRow, i: usize) -> Result<Written, Fault> {
        let (text, pieces) = self.pieces(row, i + 1)?;
        let prompt = self.text(row, i, true)?;
        if !text.starts_with(&prompt) {
            let common = common_bytes(&text, &prompt);
            let (found, prompted) = (start_of(&text[common..]), start_of(&prompt[common..]));
            return Err(Fault::NotPrompted { message: i, found, prompted });
        }
        let end = self.end(&pieces, prompt.len()).ok_or(Fault::Endless { message: i })?;
        filled(&text[prompt.len()..], &pieces, prompt.len()..end, i)?;
        Ok(Written { pieces, replies: vec![(prompt.len()..end, row.weights[i])] })
    }

    /// Where a server would stop that reads on from `start`.
    fn end(&self, pieces: &[TokenPiece], start: usize) -> Option<usize> {
        let is_end = |piece: &&TokenPiece| piece.range.start >= start && self.ends.contains(&piece.id);
        pieces.iter().find(is_end).map(|piece| piece.range.end)
    }

    fn pieces(&self, row: &ChatRow, n: usize) -> Result<(String, Vec<TokenPiece>), Fault> {
        let input = self.input(row, n, false);
        self.tokenizer.chat_pieces(self.template, &input).map_err(|error| match error {
            TextError::Encode { .. } => Fault::Encode(error),
            error => Fault::Template(error),
        })
    }

    fn text(&self, row: &ChatRow, n: usize, add_generation_prompt: bool) -> Result<String, Fault> {
        self.template.render(&self.input(row, n, add_generation_prompt)).map_err(Fault::Template)
    }

    /// The first `n` messages.
    fn input<'r>(&'r self, row: &'r ChatRow, n: usize, add_generation_prompt: bool) -> ChatInput<'r> {
        ChatInput { add_generation_prompt, ..self.options.input(&row.messages[..n], &row.tools) }
    }
}

/// Checks that a reply is more than its end: a template that knows nothing of calls, for one, would have the model say nothing where it is to call.
fn filled(text: &str, pieces: &[TokenPiece], reply: Range<usize>, message: usize) -> Result<(), Fault> {
    let last = pieces.iter().find(|piece| piece.range.end == reply.end && piece.range.start >= reply.start);
    let before = last.map_or(0, |piece| piece.range.start - reply.start);
    let is_blank = text.get(..before).is_none_or(|words| words.trim().is_empty());
    if is_blank {
        return Err(Fault::Unwritten { message });
    }
    Ok(())
}

/// The bytes that two texts begin with in common, up to the end of a character.
fn common_bytes(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum()
}

/// As much of a text as a message needs to show.
fn start_of(text: &str) -> String {
    text.chars().take(30).collect()
}
