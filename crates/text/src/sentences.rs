//! Where sentences end, in Arabic and English: Unicode's rules, mended for abbreviations and Arabic marks.

mod stops;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::fold::{EasternForms, Folded};
use crate::script::{is_closer, is_opener, is_terminator, needs_no_gap};

/// The byte ranges of a text's sentences. They follow one another without a gap and cover the text whole: a
/// sentence keeps its closing quotes and brackets and the white space after it, and an empty line belongs to the
/// sentence before.
///
/// A sentence ends at `. ! ? ؟ ۔ ؛` and at an ellipsis before a capital, as Unicode's rules (UAX 29) have it, and
/// at every line break. `؛` parts clauses rather than sentences, but what follows can be translated on its own.
/// Abbreviations, initials, decimals, web addresses and numbers of list items end nothing. Texts that read the same
/// ([`fold`](crate::fold::fold)) are cut at the same places. An empty text has no sentence. The time is linear in the
/// length.
#[must_use]
pub fn split(text: &str) -> Vec<Range<usize>> {
    let folded = Folded::new(text, EasternForms::Fold);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in split_folded(folded.text()) {
        let start = out.last().map_or(0, |last| last.end);
        out.push(start..folded.source_offset(range.end));
    }
    match out.last_mut() {
        Some(last) => last.end = text.len(),
        None if text.is_empty() => {}
        None => out.push(0..text.len()),
    }
    out
}

fn split_folded(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut checked = 0;
    let mut only_marks = true;
    for candidate in candidates(text) {
        // Marks that the last look passed over: they must not be read over and over.
        if candidate <= checked {
            continue;
        }
        let end = candidate + emphasis_len(&text[..candidate], &text[candidate..]);
        only_marks &= is_leftover(&text[checked..end]);
        checked = end;
        let (before, after) = (&text[start..end], &text[end..]);
        let stranded = out.is_empty() && only_marks;
        if !after.is_empty() && !ends_line(before) && (stranded || !is_boundary(before, after)) {
            continue;
        }
        match out.last_mut() {
            Some(last) if only_marks && (before.trim().is_empty() || !ends_line(&text[last.clone()])) => {
                last.end = end;
            }
            _ => out.push(start..end),
        }
        (start, only_marks) = (end, true);
    }
    absorb_leading_space(text, &mut out);
    out
}

/// White space before the first sentence belongs to it.
fn absorb_leading_space(text: &str, ranges: &mut Vec<Range<usize>>) {
    if ranges.len() > 1 && text[ranges[0].clone()].trim().is_empty() {
        ranges.remove(0);
        ranges[0].start = 0;
    }
}

/// Ends of segments by Unicode's rules, and of what those rules pass over.
fn candidates(text: &str) -> impl Iterator<Item = usize> {
    text.split_sentence_bound_indices().flat_map(|(offset, segment)| {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at == segment.len() {
                return None;
            }
            let rest = &segment[at..];
            let mut marks = rest.char_indices().filter(|(i, c)| is_extra_mark(*c, &rest[i + c.len_utf8()..]));
            at += match marks.next() {
                Some((mark, c)) => mark + c.len_utf8() + tail_len(&rest[mark + c.len_utf8()..]),
                None => rest.len(),
            };
            Some(offset + at)
        })
    })
}

/// The Arabic semicolon, the ellipsis, and a full stop before a number.
fn is_extra_mark(c: char, after: &str) -> bool {
    let mut next = after.chars();
    matches!(c, '؛' | '…')
        || (c == '.' && next.next() == Some(' ') && next.next().is_some_and(char::is_numeric))
}

/// The length in bytes of the marks, closers and blanks that still belong to the sentence before.
fn tail_len(rest: &str) -> usize {
    let after_marks = rest.trim_start_matches(|c: char| is_terminator(c) || is_closer(c));
    rest.len() - after_marks.trim_start_matches(|c: char| c.is_whitespace() && !is_line_break(c)).len()
}

/// What of `after` closes Markdown emphasis around the sentence before; Unicode's rules do not know it.
fn emphasis_len(before: &str, after: &str) -> usize {
    if before.ends_with(is_terminator) && after.starts_with(['*', '_', '`']) { tail_len(after) } else { 0 }
}

fn is_boundary(before: &str, after: &str) -> bool {
    let sentence = before.trim_end();
    let has_gap = sentence.len() < before.len();
    let bare = sentence.trim_end_matches(is_closer);
    let Some(mark) = bare.chars().next_back() else { return false };
    let next = after.chars().find(|c| !is_opener(*c));
    // `a.b/c?d=1`, `3.5`, `why?!x`: no gap and no Arabic letter or its like after the mark.
    if !has_gap && mark.is_ascii() && !next.is_some_and(needs_no_gap) {
        return false;
    }
    match mark {
        '…' => starts_sentence_after_pause(after),
        '.' if bare.ends_with("..") => starts_sentence_after_pause(after),
        // `"Really?" he asked.`
        '.' | '!' | '?' if bare.len() < sentence.len() && next.is_some_and(char::is_lowercase) => false,
        '.' => stops::end_sentence(&bare[..bare.len() - 1], after, has_gap),
        _ => true,
    }
}

/// After an ellipsis only a capital begins a new sentence; Arabic has none, and there it is mostly a pause.
fn starts_sentence_after_pause(after: &str) -> bool {
    after.chars().find(|c| !is_opener(*c)).is_some_and(char::is_uppercase)
}

/// Marks or blanks alone are no sentence.
fn is_leftover(segment: &str) -> bool {
    segment.chars().all(|c| c.is_whitespace() || is_terminator(c) || is_closer(c))
}

fn ends_line(segment: &str) -> bool {
    segment.chars().rev().take_while(|c| c.is_whitespace()).any(is_line_break)
}

pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
