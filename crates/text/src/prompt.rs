//! Texts and conversations as ids, in which nothing from outside is a special token.

use std::ops::Range;

use crate::chat::ChatInput;
use crate::clock;
use crate::error::TextError;
use crate::plain::{self, Place};
use crate::provenance::Origins;
use crate::template::ChatTemplate;
use crate::tokenizer::{Bos, TokenPiece, Tokenizer};

impl Tokenizer {
    /// The ids of a text that has no special tokens: what spells one is text as any other.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_plain(&self, text: &str, bos: Bos) -> Result<Vec<u32>, TextError> {
        Ok(self.plain_pieces(text, bos)?.into_iter().map(|piece| piece.id).collect())
    }

    /// The tokens of a text that has no special tokens, with the bytes that each covers.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn plain_pieces(&self, text: &str, bos: Bos) -> Result<Vec<TokenPiece>, TextError> {
        self.pieces_with(text, &[], bos)
    }

    /// The ids of a conversation as a template writes it. Special tokens are those that the template itself wrote, and
    /// those of [`Message::special_tokens`]; what spells one in a message, a tool or a variable is text.
    ///
    /// [`Message::special_tokens`]: crate::Message::special_tokens
    ///
    /// # Errors
    /// As [`ChatTemplate::render`] and [`Tokenizer::encode`].
    pub fn chat_ids(&self, template: &ChatTemplate, input: &ChatInput<'_>) -> Result<Vec<u32>, TextError> {
        Ok(self.chat_pieces(template, input)?.1.into_iter().map(|piece| piece.id).collect())
    }

    /// A conversation as a template writes it and its tokens, which are those of [`Tokenizer::chat_ids`].
    ///
    /// # Errors
    /// As [`Tokenizer::chat_ids`].
    pub fn chat_pieces(
        &self,
        template: &ChatTemplate,
        input: &ChatInput<'_>,
    ) -> Result<(String, Vec<TokenPiece>), TextError> {
        // It is run more than once, and no clock may tick between.
        let input = &ChatInput { now: clock::resolve(input.now)?, ..*input };
        let text = template.render(input)?;
        let places = plain::special_places(self.raw(), &text);
        let words = plain::special_words(self.raw());
        let own = Origins::new(template, input, &words).own(&text, places)?;
        let pieces = self.pieces_with(&text, &own, Bos::Auto)?;
        Ok((text, pieces))
    }

    /// The tokens of a text with special tokens at these places and nowhere else.
    fn pieces_with(&self, text: &str, places: &[Place], bos: Bos) -> Result<Vec<TokenPiece>, TextError> {
        let as_found = places == plain::special_places(self.raw(), text).as_slice();
        let pieces = if as_found { self.pieces(text, bos)? } else { Vec::new() };
        // Some models have the words of special tokens among those of text, and give them for text.
        let is_place = |range: &Range<usize>| places.iter().any(|place| place.range.end == range.end);
        let is_wrong = |piece: &TokenPiece| {
            self.is_special(piece.id) && !piece.range.is_empty() && !is_place(&piece.range)
        };
        if as_found && !pieces.iter().any(is_wrong) {
            return Ok(pieces);
        }
        let encoded = plain::encode(self.raw(), text, places, bos == Bos::Auto)
            .map_err(|e| TextError::Encode { text_bytes: text.len(), reason: e.to_string() })?;
        let ids = encoded.encoding.get_ids();
        let opening = self.missing_bos(ids, bos).map(|id| (id, 0..0));
        let rows = ids.iter().zip(encoded.encoding.get_offsets()).skip(self.surplus_bos(ids, bos));
        let rows = opening.into_iter().chain(rows.map(|(id, offsets)| (*id, encoded.source(*offsets))));
        let piece = |(id, range)| TokenPiece { id, token: self.token_of(id).unwrap_or_default(), range };
        Ok(rows.map(piece).collect())
    }
}
