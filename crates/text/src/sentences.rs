//! Where sentences end, in Arabic and English: Unicode's rules, mended for abbreviations and Arabic marks.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::abbreviations::{Stop, is_starter, stop_after};
use crate::fold::{EasternForms, Folded};
use crate::script::needs_no_gap;

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
        '.' if bare.len() == sentence.len() => stop_ends_sentence(&bare[..bare.len() - 1], after),
        // `"Really?" he asked.`
        '.' | '!' | '?' if bare.len() < sentence.len() => !next.is_some_and(char::is_lowercase),
        _ => true,
    }
}

/// After an ellipsis only a capital begins a new sentence; Arabic has none, and there it is mostly a pause.
fn starts_sentence_after_pause(after: &str) -> bool {
    after.chars().find(|c| !is_opener(*c)).is_some_and(char::is_uppercase)
}

/// Whether the full stop after `text` ends a sentence, by the words on both sides.
fn stop_ends_sentence(text: &str, after: &str) -> bool {
    if is_list_number(text) {
        return false;
    }
    let n_skipped = text.char_indices().rev().nth(MAX_LOOK_BACK_CHARS).map_or(0, |(at, _)| at);
    let mut words =
        text[n_skipped..].rsplit(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '/' | '،' | ','));
    let token = words.next().unwrap_or_default().trim_start_matches(is_opener);
    // A number may be glued on: `2020م`.
    let word = token.trim_start_matches(char::is_numeric);
    let after_number = word.len() < token.len()
        || words.next().is_some_and(|before| before.chars().next_back().is_some_and(char::is_numeric));
    let before_number = after.chars().next().is_some_and(char::is_numeric);
    let is_short_latin = word.is_ascii() && (1..=MAX_UNKNOWN_ABBREVIATION_CHARS).contains(&word.len());
    match stop_after(word, after_number) {
        None => !(before_number && is_short_latin),
        Some(Stop::Never) => false,
        Some(Stop::UnlessNumber) => !before_number,
        Some(Stop::IfStarterFollows) => is_starter(first_word(after)),
    }
}

/// How far back the words before a stop are sought; more would make a text without spaces slow.
const MAX_LOOK_BACK_CHARS: usize = 48;

/// Before a number a short word is taken for an abbreviation that the lists lack (`para. 3`).
const MAX_UNKNOWN_ABBREVIATION_CHARS: usize = 4;

fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches(is_opener);
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// `12`, `iv`, `B`, `أ` and nothing else: the number of a list item, whose text follows.
fn is_list_number(text: &str) -> bool {
    let label = text.trim_start().trim_start_matches(is_opener);
    let n_chars = label.chars().take(MAX_LIST_NUMBER_CHARS + 1).count();
    let all = |test: fn(char) -> bool| label.chars().all(test);
    (1..=MAX_LIST_NUMBER_CHARS).contains(&n_chars)
        && (all(char::is_numeric)
            || all(|c| matches!(c, 'i' | 'v' | 'x' | 'I' | 'V' | 'X'))
            || (n_chars == 1 && all(char::is_alphabetic)))
}

/// A longer number at the start of a line is a year or a quantity.
const MAX_LIST_NUMBER_CHARS: usize = 3;

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

fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '؟' | '؛' | '۔' | '।' | '。' | '！' | '？')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '›' | '*' | '_' | '`')
}

fn is_opener(c: char) -> bool {
    matches!(c, '"' | '\'' | '(' | '[' | '{' | '«' | '“' | '‘' | '‹' | '*' | '_' | '`' | '¿' | '¡')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|range| text[range].trim_end()).collect()
    }

    #[test]
    fn every_sentence_mark_of_both_languages_ends_one() {
        for (text, n_sentences) in [
            ("I came. I saw! Did you? Yes.", 4),
            ("كيف حالك؟ أنا بخير. شكرا! نعم", 4),
            ("هو مريض؛ لذلك لم يأت. نعم.", 3),
            ("یہ کتاب ہے۔ وہ قلم ہے۔", 2),
            ("ماذا؟! لا أعرف!! حقا", 3),
            ("He left… Then she came.", 2),
        ] {
            assert_eq!(sentences(text).len(), n_sentences, "{:?}", sentences(text));
        }
    }

    #[test]
    fn what_follows_a_mark_without_a_space_is_a_sentence_only_in_arabic() {
        assert_eq!(sentences("كيف حالك؟أنا بخير.شكرا"), ["كيف حالك؟", "أنا بخير.", "شكرا"]);
        assert_eq!(sentences("why?!no one knows.ok"), ["why?!no one knows.ok"]);
    }

    #[test]
    fn abbreviations_and_initials_do_not_end_a_sentence() {
        for text in [
            "Dr. Smith met Mrs. Jones vs. Prof. X.",
            "See e.g. Chapter 3, i.e. Figure 2.",
            "J. R. R. Tolkien and George W. Bush",
            "The U.S. Army and the U.K. Parliament",
            "Apple Inc. Chairman Smith",
            "It is no. 5 on p. 12 of vol. 3.",
            "قال د. أحمد إن أ.د. محمد غائب",
            "انظر ص. 15 من ج. 2",
            "صندوق البريد ص.ب. 123",
        ] {
            assert_eq!(sentences(text), [text]);
        }
    }

    #[test]
    fn an_abbreviation_before_a_new_sentence_ends_the_old_one() {
        assert_eq!(sentences("He lives in the U.S. He works."), ["He lives in the U.S.", "He works."]);
        assert_eq!(sentences("At 5 p.m. The shop closes."), ["At 5 p.m.", "The shop closes."]);
        assert_eq!(sentences("I said no. Then I left."), ["I said no.", "Then I left."]);
        assert_eq!(
            sentences("ولد عام 1990م. وتوفي عام 1445هـ. رحمه الله"),
            ["ولد عام 1990م.", "وتوفي عام 1445هـ.", "رحمه الله"]
        );
    }

    #[test]
    fn decimals_addresses_and_pauses_do_not_end_a_sentence() {
        for text in [
            "Pi is 3.14 and e is 2.71.",
            "العدد ٣.١٤ تقريبا",
            "See http://a.b/c.d?x=1&y=2 now",
            "Mail a.b@example.com or visit www.example.org/x.html today",
            "Wait... what is that... really",
            "انتظر... ماذا تقول",
            "لا أعرف… ربما غدا",
            "file.txt and v1.2.3 are here",
        ] {
            assert_eq!(sentences(text), [text]);
        }
    }

    #[test]
    fn closing_quotes_and_brackets_stay_with_the_sentence() {
        assert_eq!(
            sentences("He said \"Go.\" Then (he left.) Yes."),
            ["He said \"Go.\"", "Then (he left.)", "Yes."]
        );
        assert_eq!(
            sentences("قال: «نعم.» ثم خرج. (انتهى.) تم"),
            ["قال: «نعم.»", "ثم خرج.", "(انتهى.)", "تم"]
        );
        assert_eq!(
            sentences("\"Really?\" he asked. \"Yes!\" She laughed."),
            ["\"Really?\" he asked.", "\"Yes!\"", "She laughed."]
        );
        assert_eq!(sentences("**Stop.** Go on."), ["**Stop.**", "Go on."]);
    }

    #[test]
    fn numbers_of_list_items_stay_with_their_text() {
        assert_eq!(
            sentences("1. First item.\n2. Second\niv. Fourth\nأ. أولا"),
            ["1. First item.", "2. Second", "iv. Fourth", "أ. أولا"]
        );
        assert_eq!(sentences("It was 1990. Then came 1991."), ["It was 1990.", "Then came 1991."]);
        assert_eq!(sentences("A pandemic. 10 countries"), ["A pandemic.", "10 countries"]);
        assert_eq!(sentences("See Para. 10 of it"), ["See Para. 10 of it"]);
    }

    #[test]
    fn every_line_is_a_sentence_of_its_own() {
        assert_eq!(
            sentences("a title\nthe text\r\n\r\nmore\u{2029}end"),
            ["a title", "the text", "more", "end"]
        );
        assert_eq!(sentences("\n\n a\n"), ["\n\n a"]);
    }

    #[test]
    fn marks_alone_are_no_sentence() {
        assert_eq!(sentences("ماذا؟ ! ؟ نعم."), ["ماذا؟ ! ؟", "نعم."]);
        assert_eq!(sentences("... Hello."), ["... Hello."]);
        assert_eq!(sentences("؟؟"), ["؟؟"]);
    }

    #[test]
    fn long_texts_of_any_shape_are_split_in_linear_time() {
        let shapes = [
            "'. ", "؟ ", ".", "…", "…!", "؛", "\n", " ", "a. ", "ب.", "Dr. ", "1. ", ".*", "((", "a.1) ",
            "«.» ", "x", "؟أ",
        ];
        for shape in shapes {
            // At this length an algorithm that goes over the text again for each mark takes hours.
            let text = shape.repeat(2_000_000 / shape.len());
            assert_eq!(split(&text).last().map(|range| range.end), Some(text.len()), "{shape:?}");
        }
    }

    #[test]
    fn ranges_cover_every_text_without_a_gap() {
        for text in [
            "",
            " ",
            "\n",
            "a",
            "؟",
            "a.\n\n\nb. ",
            "…",
            "…؛…؛",
            "؛a",
            "\u{FEFF}x. y",
            "😀! 😀",
            "a\u{200F}. ب",
        ] {
            let ranges = split(text);
            let ends: Vec<usize> = ranges.iter().map(|range| range.end).collect();
            let starts: Vec<usize> = ranges.iter().map(|range| range.start).collect();
            assert_eq!([&[0], &ends[..]].concat(), [&starts[..], &[text.len()]].concat(), "{text:?}");
            assert!(ranges.iter().all(|range| !range.is_empty()));
        }
    }
}
