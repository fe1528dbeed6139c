//! A text as sentences and the white space between them, so that a translation can keep its shape.

use std::ops::Range;

use crate::fold::inner;
use crate::sentences;

/// A part of a text; ranges are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// One sentence without white space and invisible marks at either end; never empty.
    Text(Range<usize>),
    /// White space, line breaks and invisible marks, to be kept as they are; never empty.
    Space(Range<usize>),
}

impl Piece {
    /// The bytes of the text that the piece covers.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Text(range) | Self::Space(range) => range.clone(),
        }
    }
}

/// Splits a text into sentences and spaces. The pieces put together are the text; no two spaces follow one
/// another. An empty text has no piece.
#[must_use]
pub fn layout(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut space_start = 0;
    for range in sentences::split(text) {
        let inner = inner(&text[range.clone()]);
        if inner.is_empty() {
            continue;
        }
        let (start, end) = (range.start + inner.start, range.start + inner.end);
        push_space(&mut out, space_start..start);
        out.push(Piece::Text(start..end));
        space_start = end;
    }
    push_space(&mut out, space_start..text.len());
    out
}

fn push_space(out: &mut Vec<Piece>, range: Range<usize>) {
    if !range.is_empty() {
        out.push(Piece::Space(range));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        layout(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(range) => text[range].to_owned(),
                Piece::Space(range) => format!("{:?}", &text[range]),
            })
            .collect()
    }

    #[test]
    fn paragraphs_line_breaks_and_outer_space_are_pieces_of_their_own() {
        assert_eq!(
            shown("  Title\r\n\r\nFirst one. Second!\n\tمرحبا. كيف حالك؟ \n"),
            [
                "\"  \"",
                "Title",
                "\"\\r\\n\\r\\n\"",
                "First one.",
                "\" \"",
                "Second!",
                "\"\\n\\t\"",
                "مرحبا.",
                "\" \"",
                "كيف حالك؟",
                "\" \\n\""
            ]
        );
    }

    #[test]
    fn empty_and_blank_texts_have_no_sentence() {
        assert_eq!(layout(""), []);
        assert_eq!(layout(" \n\n "), [Piece::Space(0..4)]);
    }

    #[test]
    fn the_pieces_put_together_are_the_text() {
        for text in [
            "a",
            " a",
            "a ",
            "a.b",
            "؟؟؟",
            "...",
            "1. a\n2. b",
            "«نعم.» قال. «لا»\u{2029}ثم",
            "😀 😀!",
            "\u{FEFF}x",
        ] {
            let pieces = layout(text);
            assert_eq!(pieces.iter().map(|piece| &text[piece.range()]).collect::<String>(), text);
            let blank = |piece: &Piece| matches!(piece, Piece::Space(_));
            assert!(!pieces.windows(2).any(|pair| blank(&pair[0]) && blank(&pair[1])), "{text:?}");
        }
    }
}
