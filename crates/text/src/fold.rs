//! One spelling for texts that read the same: what a model sees and what rules look at.
//!
//! The same words come as presentation forms, ligatures, full-width letters, drawn out by tatweel, with spaces of
//! any width, with marks that nobody sees. Models know one of the spellings.

mod characters;

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{UnicodeNormalization, is_nfc};

pub use characters::EasternForms;
use characters::{Place, fold_char};

use crate::script::{is_bidi_closer, is_bidi_opener, is_blank, is_invisible};

/// A text in the spelling that texts that read the same have in common: NFC, with compatibility forms of letters (NFKC
/// of Arabic presentation forms, ligatures, full-width and mathematical letters), spaces within lines, Arabic
/// marks typed as ASCII, and eastern forms made one, and with tatweel and invisible marks gone.
///
/// What means something stays: superscripts, fractions, circled numbers, Arabic-Indic digits, the joiners inside
/// words and emoji, line breaks.
#[must_use]
pub fn fold(text: &str, eastern: EasternForms) -> Cow<'_, str> {
    Folded::new(text, eastern).text
}

/// The bytes of `text` without the white space and invisible marks at both ends, which are no part of a sentence. A
/// direction mark at an end stays where its counterpart is inside, so that neither is left alone.
#[must_use]
pub fn inner(text: &str) -> Range<usize> {
    let kept = text.trim_matches(is_blank);
    let start = text.len() - text.trim_start_matches(is_blank).len();
    if kept.is_empty() {
        return start..start;
    }
    let (n_closers, n_openers) = unpaired(kept);
    let end = start + kept.len();
    let nth =
        |n: usize, places: &mut dyn Iterator<Item = usize>| n.checked_sub(1).and_then(|n| places.nth(n));
    let mut openers =
        text[..start].char_indices().rev().filter(|(_, c)| is_bidi_opener(*c)).map(|(at, _)| at);
    let mut closers =
        text[end..].char_indices().filter(|(_, c)| is_bidi_closer(*c)).map(|(at, c)| end + at + c.len_utf8());
    nth(n_closers, &mut openers).unwrap_or(start)..nth(n_openers, &mut closers).unwrap_or(end)
}

/// How many closing direction marks lack their opening one, and the other way round.
fn unpaired(text: &str) -> (usize, usize) {
    text.chars().fold((0, 0), |(closers, openers), c| {
        if is_bidi_opener(c) {
            (closers, openers + 1)
        } else if is_bidi_closer(c) {
            if openers == 0 { (closers + 1, 0) } else { (closers, openers - 1) }
        } else {
            (closers, openers)
        }
    })
}

/// A folded text that knows where each of its places is in the text that it was made of.
#[derive(Debug)]
pub(crate) struct Folded<'a> {
    source: &'a str,
    text: Cow<'a, str>,
    /// In the order of the text.
    changes: Vec<Change>,
}

/// Bytes of a folded text that are not those of the source.
#[derive(Debug)]
struct Change {
    folded: Range<usize>,
    source: Range<usize>,
}

impl<'a> Folded<'a> {
    pub(crate) fn new(source: &'a str, eastern: EasternForms) -> Self {
        let is_same = source.is_ascii();
        if is_same {
            return Self { source, text: Cow::Borrowed(source), changes: Vec::new() };
        }
        let mut folding = Folding { source, out: String::new(), changes: Vec::new() };
        // A letter and the marks on it, which NFC may make one character.
        let (mut cluster, mut start) = (String::new(), 0);
        let mut piece = String::new();
        for (at, c) in source.char_indices() {
            piece.clear();
            let after = &source[at + c.len_utf8()..];
            fold_char(c, Place { before: folding.last_two(&cluster), after }, eastern, &mut piece);
            let goes_on = piece.chars().next().is_none_or(|c| canonical_combining_class(c) != 0);
            if !goes_on {
                folding.take(&cluster, start..at);
                cluster.clear();
                start = at;
            }
            cluster.push_str(&piece);
        }
        folding.take(&cluster, start..source.len());
        let Folding { out, changes, .. } = folding;
        let text = if changes.is_empty() { Cow::Borrowed(source) } else { Cow::Owned(out) };
        Self { source, text, changes }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the source that an offset of the folded text stands for. What vanished there stays with what is
    /// before, but for marks that open a direction.
    pub(crate) fn source_offset(&self, at: usize) -> usize {
        let n = self
            .changes
            .partition_point(|c| c.folded.end < at || (c.folded.end == at && !c.folded.is_empty()));
        let same = match n.checked_sub(1).map(|n| &self.changes[n]) {
            Some(change) => change.source.end + (at - change.folded.end),
            None => at,
        };
        let start = self.source[..same].trim_end_matches(is_invisible).len();
        let run = &self.source[start..];
        let run = &run[..run.len() - run.trim_start_matches(is_invisible).len()];
        start + run.find(is_bidi_opener).unwrap_or(run.len())
    }
}

/// A folded text while it is made.
struct Folding<'a> {
    source: &'a str,
    out: String,
    changes: Vec<Change>,
}

impl Folding<'_> {
    /// The last two characters of the text with the cluster that is under way.
    fn last_two(&self, cluster: &str) -> [Option<char>; 2] {
        let mut last = self.out.chars().rev();
        let mut inside = cluster.chars().rev();
        let first = inside.next().or_else(|| last.next());
        let second = inside.next().or_else(|| last.next());
        [second, first]
    }

    /// Takes in a cluster that stands for `range` of the source.
    fn take(&mut self, cluster: &str, range: Range<usize>) {
        let start = self.out.len();
        if is_nfc(cluster) {
            self.out.push_str(cluster);
        } else {
            self.out.extend(cluster.nfc());
        }
        if self.out[start..] != self.source[range.clone()] {
            self.changes.push(Change { folded: start..self.out.len(), source: range });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Cow<'_, str> {
        fold(text, EasternForms::Fold)
    }

    #[test]
    fn texts_that_read_the_same_become_one() {
        for (plain, same) in [
            ("صباح الخير", "\u{FEBB}\u{FE92}\u{FE8E}\u{FEA3} \u{FE8D}\u{FEDF}\u{FEA8}\u{FEF4}\u{FEAE}"),
            ("السلام لأن", "الس\u{FEFB}م \u{FEF7}ن"),
            ("الله", "\u{FDF2}"),
            ("صلى الله عليه وسلم", "\u{FDFA}"),
            ("كتابٌ", "كتاب\u{FE72}"),
            ("أحمد قرآن", "ا\u{0654}حمد قرا\u{0653}ن"),
            ("شكرا هـ", "شكـــرا هــــ"),
            ("Good morning", "Good\u{A0}morning"),
            ("a b c d e", "a\u{2009}b\u{202F}c\u{3000}d\u{2007}e"),
            ("Good morning", "\u{FEFF}Go\u{AD}od\u{200B} \u{2060}mor\u{200E}ning"),
            ("Good morning (1)!", "Ｇｏｏｄ　ｍｏｒｎｉｎｇ　（１）！"),
            ("find the office", "\u{FB01}nd the o\u{FB03}ce"),
            ("bold", "𝐛𝐨𝐥𝐝"),
            ("e-mail café", "e\u{2011}mail cafe\u{301}"),
            ("أين علي؟ هذا، عندي 3 كتب", "أین علی? ھذا, عندي ۳ کتب"),
            ("1445ه\u{640}.", "1445ه\u{640}\u{200D}."),
        ] {
            assert_eq!(folded(same), plain, "{same:?}");
            assert_eq!(folded(plain), plain);
        }
    }

    #[test]
    fn what_means_something_stays() {
        for text in [
            "5 m² ½ ™ ① x₂ ℝ",
            "عندي ٣ كتب، 20٪",
            "می\u{200C}خواهم 👨\u{200D}👩\u{200D}👧 ❤\u{FE0F}\u{200D}🔥",
            "a\tb\r\nc\u{2029}d",
            "مُدَرِّسٌ",
            "ـ بند",
            "عام 1445هـ، هـ)",
            "why? a, b; c",
            "x?مرحبا=1",
            "你好。",
        ] {
            assert_eq!(folded(text).replace('ي', "ی"), text.replace('ي', "ی"), "{text:?}");
        }
        assert_eq!(fold("کتاب علی ۳", EasternForms::Keep), "کتاب علی ۳");
        assert!(matches!(folded("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn joiners_at_the_edges_of_words_go() {
        assert_eq!(folded("\u{200C}كتاب\u{200D} a\u{200C}, \u{200D}"), "كتاب a, ");
    }

    #[test]
    fn blanks_and_marks_at_both_ends_are_outside() {
        for (text, inner_text) in [
            (" \u{200F}\tHello. \u{FEFF}", "Hello."),
            ("\u{2067}كيف؟\u{2069} ", "كيف؟"),
            ("\u{2068}Ahmed\u{2069} came.", "\u{2068}Ahmed\u{2069} came."),
            ("He is \u{202B}هنا.\u{202C} ", "He is \u{202B}هنا.\u{202C}"),
            ("\u{200C}a\u{200C}b\u{200D}", "a\u{200C}b"),
            ("\u{FEFF}", ""),
            (" \u{2068} ", ""),
        ] {
            assert_eq!(&text[inner(text)], inner_text, "{text:?}");
        }
    }

    #[test]
    fn places_are_found_again_in_the_source() {
        let source = "\u{FEFF}Ｇo. \u{200F}\u{2068}Ye\u{AD}s\u{2069}!";
        let folded = Folded::new(source, EasternForms::Fold);
        assert_eq!(folded.text(), "Go. Yes!");
        for (at, rest) in [
            (1, "o. \u{200F}\u{2068}Ye\u{AD}s\u{2069}!"),
            (4, "\u{2068}Ye\u{AD}s\u{2069}!"),
            (7, "!"),
            (8, ""),
        ] {
            assert_eq!(&source[folded.source_offset(at)..], rest, "{at}");
        }
    }

    #[test]
    fn texts_of_marks_alone_are_folded_in_linear_time() {
        for shape in
            ["\u{200B}", "ـ", "a\u{200D}", "\u{200D}", "\u{0651}", "\u{FEFB}", "ب?", "\u{2068}", "ه\u{200B}ـ"]
        {
            let text = shape.repeat(1_000_000 / shape.len());
            let folded = Folded::new(&text, EasternForms::Fold);
            assert!(folded.source_offset(folded.text().len()) <= text.len());
            assert!(inner(&text).end <= text.len());
        }
    }
}
