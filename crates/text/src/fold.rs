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
