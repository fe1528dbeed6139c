//! Finds where a translation begins to repeat itself as its source does not: a model that does so rarely comes out of it.

use crate::runs::{Kind, Run, Text};

/// Equal n-grams in a row that a text may have; a longer run is a loop, unless the source has one like it.
const MAX_COPIES: usize = 3;

/// The same for the digits of a number: a thousand million has nine zeros.
const MAX_EQUAL_DIGITS: usize = 9;

/// Characters of the longest word that is taken for a sound, which one language writes apart and the other in one word.
const MAX_SOUND_CHARS: usize = 3;

/// Watches a text for runs of equal n-grams, of words or of characters, that its source does not have.
///
/// Words are compared without regard to case and to the marks between them; characters within one word, or within the
/// marks between two. A character costs the same however long the text is.
#[derive(Debug)]
pub(crate) struct LoopFinder {
    text: Text,
    source: SourceRuns,
}

impl LoopFinder {
    /// A finder for translations of `source`.
    pub(crate) fn new(source: &str) -> Self {
        Self { text: Text::default(), source: SourceRuns::of(source) }
    }

    /// Begins again with another text, of which no part is taken for a loop.
    pub(crate) fn restart(&mut self, text: &str) {
        self.text = Text::default();
        text.chars().for_each(|c| {
            self.text.push(c);
        });
    }

    /// Takes the next part of the text. Where a loop is certain now: bytes of the text up to the end of the first of its
    /// n-grams, or of as many as the source has.
    pub(crate) fn push(&mut self, part: &str) -> Option<usize> {
        part.chars().find_map(|c| {
            let is_word_over = self.text.push(c);
            let in_words = if is_word_over { self.in_words() } else { None };
            in_words.or_else(|| self.in_chars())
        })
    }

    /// As [`LoopFinder::push`], when no more comes.
    pub(crate) fn finish(&mut self) -> Option<usize> {
        if self.text.end_word() { self.in_words() } else { None }
    }

    /// Bytes at the start of the text that stay whatever comes: a loop that is found later has its first n-gram there.
    pub(crate) fn settled(&self) -> usize {
        self.text.words.end_of_new()
    }

    fn in_words(&self) -> Option<usize> {
        let words = &self.text.words;
        let run = words.runs().find(|run| run.copies() > MAX_COPIES.max(self.source.copies_of_words(run)))?;
        let n_in_source = self.source.copies_of_words(&run);
        Some(words.end_of(&run, if n_in_source > MAX_COPIES { n_in_source } else { 1 }))
    }

    fn in_chars(&self) -> Option<usize> {
        let chars = &self.text.chars;
        let may = |run: &Run| match self.text.kind(run) {
            Kind::Digits => MAX_EQUAL_DIGITS,
            Kind::Letters | Kind::Marks => MAX_COPIES,
        };
        let in_source = |run: &Run| self.source.copies_of_chars(run, self.text.kind(run));
        let run = chars.runs().find(|run| run.copies() > may(run).max(in_source(run)))?;
        Some(chars.end_of(&run, if in_source(&run) > may(&run) { in_source(&run) } else { 1 }))
    }
}

/// What the source itself repeats more often than any text may.
#[derive(Debug, Default)]
struct SourceRuns {
    /// Words of the n-grams, and how many there are in a row.
    words: Vec<(usize, usize)>,
    /// Characters of the longest runs of letters, of digits and of marks.
    n_letters: usize,
    n_digits: usize,
    n_marks: usize,
    /// Characters of the longest run of a sound.
    n_of_sounds: usize,
}

impl SourceRuns {
    fn of(source: &str) -> Self {
        let (mut runs, mut text) = (Self::default(), Text::default());
        for c in source.chars() {
            if text.push(c) {
                runs.add_words(&text);
            }
            for run in text.chars.runs().filter(|run| run.copies() > MAX_COPIES) {
                let longest = match text.kind(&run) {
                    Kind::Letters => &mut runs.n_letters,
                    Kind::Digits => &mut runs.n_digits,
                    Kind::Marks => &mut runs.n_marks,
                };
                *longest = run.n_units().max(*longest);
            }
        }
        if text.end_word() {
            runs.add_words(&text);
        }
        runs
    }

    fn add_words(&mut self, text: &Text) {
        for run in text.words.runs().filter(|run| run.copies() > MAX_COPIES) {
            match self.words.iter_mut().find(|(n, _)| *n == run.n) {
                Some((_, copies)) => *copies = run.copies().max(*copies),
                None => self.words.push((run.n, run.copies())),
            }
            let n_chars = text.n_chars_of_word();
            if run.n == 1 && n_chars <= MAX_SOUND_CHARS {
                self.n_of_sounds = self.n_of_sounds.max(n_chars * run.copies());
            }
        }
    }

    /// How often the source repeats n-grams that may be those of a run of the translation: at most three times as long
    /// or as short, since languages put into a word what others need several for.
    fn copies_of_words(&self, run: &Run) -> usize {
        let alike = self.words.iter().filter(|(n, _)| *n <= 3 * run.n && run.n <= 3 * *n);
        let sounds = if run.n == 1 { self.n_letters } else { 0 };
        alike.map(|(_, copies)| *copies).max().unwrap_or(0).max(sounds)
    }

    fn copies_of_chars(&self, run: &Run, kind: Kind) -> usize {
        let n_units = match kind {
            Kind::Letters => self.n_letters.max(self.n_of_sounds),
            Kind::Digits => self.n_digits,
            Kind::Marks => self.n_marks,
        };
        n_units / run.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a text stays where it has a loop, given in parts of any size.
    fn kept<'a>(source: &str, text: &'a str) -> Option<&'a str> {
        let chars: Vec<&str> = text.split_inclusive(|_: char| true).collect();
        let found = [1, 2, 7, usize::MAX].map(|n| {
            let mut finder = LoopFinder::new(source);
            let pushed = chars.chunks(n.min(chars.len().max(1))).find_map(|part| {
                let settled = finder.settled();
                let found = finder.push(&part.concat());
                assert!(found.is_none_or(|keep| keep >= settled), "{text:?}");
                found
            });
            pushed.or_else(|| finder.finish()).map(|keep| &text[..keep])
        });
        assert!(found.iter().all(|kept| *kept == found[0]), "{found:?}");
        found[0]
    }

    #[test]
    fn a_fourth_copy_is_a_loop() {
        assert_eq!(kept("x", "no no no"), None);
        assert_eq!(kept("x", "no no no no"), Some("no"));
        assert_eq!(kept("x", "he said no, no, No, no."), Some("he said no"));
        assert_eq!(kept("x", "a b c a b c a b c a b"), None);
        assert_eq!(kept("x", "to a b c a b c a b c a b c and"), Some("to a b c"));
        assert_eq!(
            kept("x", "قال نعم يا سيدي، نعم يا سيدي، نعم يا سيدي، نعم يا سيدي"),
            Some("قال نعم يا سيدي")
        );
    }

    #[test]
    fn a_whole_clause_may_be_what_is_repeated() {
        let clause = "the man who came to the house in the evening said that he ";
        assert_eq!(kept("x", &clause.repeat(3)), None);
        assert_eq!(kept("x", &clause.repeat(4)), Some(clause.trim_end()));
    }

    #[test]
    fn a_word_that_begins_like_the_others_is_another() {
        assert_eq!(kept("x", "no no no nobody"), None);
        assert_eq!(kept("x", "the cat the cat the cat the category"), None);
    }

    #[test]
    fn characters_in_a_row_are_a_loop_too() {
        assert_eq!(kept("x", "كلاااا"), Some("كلا"));
        assert_eq!(kept("x", "hahahaha"), Some("ha"));
        assert_eq!(kept("x", "so!!!"), None);
        assert_eq!(kept("x", "so!!!!!"), Some("so!"));
        assert_eq!(kept("x", "a - - - - b"), Some("a -"));
        assert_eq!(kept("x", "😀 😀 😀 😀"), Some("😀"));
    }

    #[test]
    fn numbers_have_zeros() {
        assert_eq!(kept("a million", "1000000 and ١٠٠٠٠٠٠"), None);
        assert_eq!(kept("one", &format!("1{}", "0".repeat(10))), Some("10"));
    }

    #[test]
    fn what_the_source_repeats_may_repeat() {
        assert_eq!(kept("no, no, no, no, no", "لا، لا، لا، لا، لا"), None);
        assert_eq!(kept("Nooooo!!!!", "لااااا!!!!"), None);
        assert_eq!(kept("hahahaha", "ههههه"), None);
        assert_eq!(kept("ha ha ha ha", "هاهاهاها"), None);
        assert_eq!(kept("__________", "__________"), None);
        let source = "the cat sat on the mat and ".repeat(12);
        assert_eq!(kept(&source, &"جلس القط على السجادة و ".repeat(12)), None);
    }

    #[test]
    fn what_the_source_repeats_otherwise_may_not() {
        assert_eq!(kept("no no no no", "لا لا لا لا لا لا"), Some("لا لا لا لا"));
        assert_eq!(kept("----", "no no no no"), Some("no"));
        let source = "the cat sat on the mat and ".repeat(12);
        assert_eq!(kept(&source, "القط القط القط القط"), Some("القط"));
    }

    #[test]
    fn text_is_settled_once_it_cannot_be_the_second_copy() {
        let mut finder = LoopFinder::new("x");
        let settled: Vec<usize> = ["one ", "two ", "one ", "two ", "three ", "fo"]
            .map(|part| {
                assert_eq!(finder.push(part), None);
                finder.settled()
            })
            .into();
        assert_eq!(settled, [3, 7, 7, 7, 21, 21]);
        finder.restart("one two");
        assert_eq!(finder.settled(), 3);
        assert_eq!(finder.finish(), None);
    }
}
