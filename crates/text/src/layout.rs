//! A text as sentences and the white space between them, so that a translation can keep its shape.

use std::ops::Range;

use crate::fold::inner;
use crate::sentences::{self, is_line_break};

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
///
/// No sentence goes on past the end of a cell: a tab, a form feed, a vertical tab, or so many spaces that they set
/// columns apart.
#[must_use]
pub fn layout(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut space_start = 0;
    for cell in cells(text) {
        for range in sentences::split(&text[cell.clone()]) {
            let at = cell.start + range.start;
            let inner = inner(&text[at..cell.start + range.end]);
            if inner.is_empty() {
                continue;
            }
            let (start, end) = (at + inner.start, at + inner.end);
            push_space(&mut out, space_start..start);
            out.push(Piece::Text(start..end));
            space_start = end;
        }
    }
    push_space(&mut out, space_start..text.len());
    out
}

/// Spaces in a row that set columns apart; two are as often a habit of those who type.
const MIN_COLUMN_SPACES: usize = 3;

/// The byte ranges of what lies between the white space that parts cells, columns and pages.
fn cells(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + gap_len(&text[at..]);
        let mut end = start;
        while end < text.len() && gap_len(&text[end..]) == 0 {
            end += step_len(&text[end..]);
        }
        at = end;
        (start < text.len()).then_some(start..end)
    })
}

/// The length in bytes of the gap between cells at the start of `rest`, with the spaces around it; 0 where there is
/// none.
fn gap_len(rest: &str) -> usize {
    let blanks = rest.chars().take_while(|c| is_blank(*c));
    let (n_bytes, n_chars, has_stop) = blanks.fold((0, 0, false), |(n_bytes, n_chars, has_stop), c| {
        (n_bytes + c.len_utf8(), n_chars + 1, has_stop || is_cell_stop(c))
    });
    if has_stop || n_chars >= MIN_COLUMN_SPACES { n_bytes } else { 0 }
}

/// The length in bytes of what no gap begins in: a run of blanks, or of anything else.
fn step_len(rest: &str) -> usize {
    let starts_blank = rest.starts_with(is_blank);
    rest.find(|c| is_blank(c) != starts_blank).unwrap_or(rest.len())
}

fn is_cell_stop(c: char) -> bool {
    matches!(c, '\t' | '\u{0B}' | '\u{0C}')
}

/// White space within a line, and what parts pages.
fn is_blank(c: char) -> bool {
    is_cell_stop(c) || (c.is_whitespace() && !is_line_break(c))
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
    fn tabs_part_cells_and_form_feeds_part_pages() {
        assert_eq!(
            shown("id\tDr. No\t\tthe end\n1.\ta b\t\n\u{0C}page two\u{0B}x"),
            [
                "id",
                "\"\\t\"",
                "Dr. No",
                "\"\\t\\t\"",
                "the end",
                "\"\\n\"",
                "1.",
                "\"\\t\"",
                "a b",
                "\"\\t\\n\\u{c}\"",
                "page two",
                "\"\\u{b}\"",
                "x"
            ]
        );
        assert_eq!(shown("a \t b"), ["a", "\" \\t \"", "b"]);
    }

    #[test]
    fn three_spaces_set_columns_apart_and_two_do_not() {
        assert_eq!(
            shown("Name   Age\u{A0}\u{A0}\u{A0}x"),
            ["Name", "\"   \"", "Age", "\"\\u{a0}\\u{a0}\\u{a0}\"", "x"]
        );
        assert_eq!(shown("one  and two"), ["one  and two"]);
    }

    #[test]
    fn the_pieces_put_together_are_the_text() {
        let parts = [
            "a",
            "Dr.",
            "1.",
            "يوم",
            "؟",
            "...",
            "«نعم.»",
            " ",
            "  ",
            "    ",
            "\t",
            "\r\n",
            "\n",
            "\u{0B}",
            "\u{0C}",
            "\u{A0}",
            "\u{2029}",
            "\u{FEFF}",
            "😀",
            "!",
            "B. C",
        ];
        // Numbers of a linear congruential generator (Knuth's MMIX): the same texts in every run.
        let mut state = 1_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % n
        };
        for _ in 0..3000 {
            let text: String = (0..next(12)).map(|_| parts[next(parts.len())]).collect();
            check_pieces(&text);
        }
    }

    fn check_pieces(text: &str) {
        let pieces = layout(text);
        assert_eq!(pieces.iter().map(|piece| &text[piece.range()]).collect::<String>(), text);
        let blank = |piece: &Piece| matches!(piece, Piece::Space(_));
        assert!(!pieces.windows(2).any(|pair| blank(&pair[0]) && blank(&pair[1])), "{text:?}");
        for piece in &pieces {
            let part = &text[piece.range()];
            match piece {
                Piece::Space(_) => assert!(inner(part).is_empty() && !part.is_empty(), "{text:?}"),
                Piece::Text(_) => assert!(part.trim() == part && !part.contains(is_cell_stop), "{text:?}"),
            }
        }
    }

    #[test]
    fn long_texts_of_any_shape_are_laid_out_in_linear_time() {
        for shape in ["\t", " ", "  a", "   a", "a\t", " \n", "\u{0C}a "] {
            // At this length an algorithm that looks at the blanks again for each of them takes hours.
            let text = shape.repeat(1_000_000 / shape.len());
            assert_eq!(layout(&text).last().map(|piece| piece.range().end), Some(text.len()), "{shape:?}");
        }
    }
}
