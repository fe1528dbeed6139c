//! A text as words and as characters, and the runs of equal n-grams at its end.

/// Words of the longest n-gram that is looked for: a clause.
const MAX_WORDS: usize = 32;

/// Characters of the longest n-gram within a word, or within the marks between two words.
const MAX_CHARS: usize = 16;

/// A word or a character, and where it ends in the text, in bytes.
#[derive(Debug)]
struct Unit<T> {
    value: T,
    end: usize,
}

/// Equal n-grams in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Units of one n-gram.
    pub(crate) n: usize,
    /// Units at the end that are equal to the one `n` before them.
    matched: usize,
}

impl Run {
    /// Whole n-grams of the run.
    pub(crate) fn copies(&self) -> usize {
        self.matched / self.n + 1
    }

    /// Units of the run.
    pub(crate) fn n_units(&self) -> usize {
        self.matched + self.n
    }
}

/// A sequence of units, with the runs at its end.
#[derive(Debug)]
pub(crate) struct Sequence<T> {
    units: Vec<Unit<T>>,
    /// For n-grams of 1, 2, … units: how many units at the end are equal to the one so many before them.
    matched: Vec<usize>,
}

impl<T: PartialEq> Sequence<T> {
    fn new(max_n: usize) -> Self {
        Self { units: Vec::new(), matched: vec![0; max_n] }
    }

    fn clear(&mut self) {
        self.units.clear();
        self.matched.fill(0);
    }

    fn push(&mut self, value: T, end: usize) {
        let units = &self.units;
        for (n, matched) in (1..).zip(&mut self.matched) {
            let is_equal = units.len().checked_sub(n).is_some_and(|i| units[i].value == value);
            *matched = if is_equal { *matched + 1 } else { 0 };
        }
        self.units.push(Unit { value, end });
    }

    /// The runs at the end, the shortest n-grams first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run> {
        (1..).zip(&self.matched).map(|(n, matched)| Run { n, matched: *matched })
    }

    /// Bytes of the text up to the end of the first `copies` n-grams of a run at its end.
    pub(crate) fn end_of(&self, run: &Run, copies: usize) -> usize {
        let n_after = run.n_units() - run.n * copies.min(run.copies());
        self.units.iter().rev().nth(n_after).map_or(0, |unit| unit.end)
    }

    /// Bytes of the text up to where the longest stretch at its end begins that came before.
    pub(crate) fn end_of_new(&self) -> usize {
        let longest = self.matched.iter().copied().max().unwrap_or(0);
        self.units.iter().rev().nth(longest).map_or(0, |unit| unit.end)
    }
}

/// What the characters of an n-gram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Letters,
    Digits,
    Marks,
}

/// A text read character by character.
#[derive(Debug)]
pub(crate) struct Text {
    /// The words that have ended, in lower case.
    pub(crate) words: Sequence<String>,
    /// The characters of the last word, or of the marks after it, without white space.
    pub(crate) chars: Sequence<char>,
    is_in_word: bool,
    n_bytes: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            words: Sequence::new(MAX_WORDS),
            chars: Sequence::new(MAX_CHARS),
            is_in_word: false,
            n_bytes: 0,
        }
    }
}

impl Text {
    /// Takes a character; tells whether a word ended before it.
    pub(crate) fn push(&mut self, c: char) -> bool {
        let is_in_word = c.is_alphanumeric();
        let ends_word = self.is_in_word && !is_in_word && self.end_word();
        if is_in_word && !self.is_in_word {
            self.chars.clear();
        }
        self.is_in_word = is_in_word;
        self.n_bytes += c.len_utf8();
        if !c.is_whitespace() {
            self.chars.push(c, self.n_bytes);
        }
        ends_word
    }

    /// Takes the end of the text for the end of a word; false where it stands after marks.
    pub(crate) fn end_word(&mut self) -> bool {
        if self.is_in_word {
            let word = self.chars.units.iter().flat_map(|unit| unit.value.to_lowercase()).collect();
            self.words.push(word, self.n_bytes);
            self.chars.clear();
            self.is_in_word = false;
            return true;
        }
        false
    }

    /// The kind of the n-grams of a run of characters.
    pub(crate) fn kind(&self, run: &Run) -> Kind {
        let last = self.chars.units.iter().rev().take(run.n).map(|unit| unit.value);
        if !self.is_in_word {
            Kind::Marks
        } else if last.into_iter().all(char::is_numeric) {
            Kind::Digits
        } else {
            Kind::Letters
        }
    }

    /// Characters of the last word of a run of words.
    pub(crate) fn n_chars_of_word(&self) -> usize {
        self.words.units.last().map_or(0, |word| word.value.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Text {
        let mut read = Text::default();
        text.chars().for_each(|c| {
            read.push(c);
        });
        read
    }

    #[test]
    fn words_run_whatever_stands_between_them() {
        let mut text = read("So: no, No - NO");
        assert!(text.end_word() && !text.end_word());
        let run = text.words.runs().next().unwrap();
        assert_eq!((run.copies(), run.n_units()), (3, 3));
        assert_eq!((text.words.end_of(&run, 1), text.words.end_of(&run, 2)), (6, 10));
        assert_eq!(text.words.end_of_new(), 6);
    }

    #[test]
    fn n_grams_of_several_words_run_too() {
        let mut text = read("x a b c a b c a");
        text.end_word();
        let run = text.words.runs().find(|run| run.copies() > 1).unwrap();
        assert_eq!((run.n, run.copies(), run.n_units()), (3, 2, 7));
        assert_eq!(text.words.end_of(&run, 1), "x a b c".len());
    }

    #[test]
    fn characters_run_within_a_word_and_within_marks() {
        for (text, kind, n_units) in
            [("lo abbbb", Kind::Letters, 4), ("7000", Kind::Digits, 3), ("no - - -", Kind::Marks, 3)]
        {
            let text = read(text);
            let run = text.chars.runs().next().unwrap();
            assert_eq!((run.n_units(), text.kind(&run)), (n_units, kind));
        }
    }

    #[test]
    fn a_text_that_never_came_before_is_new_up_to_its_last_word() {
        let text = read("one two three fo");
        assert_eq!(text.words.end_of_new(), "one two three".len());
        assert_eq!(read("one two one tw").words.end_of_new(), "one two".len());
        assert_eq!(read("one").words.end_of_new(), 0);
    }
}
