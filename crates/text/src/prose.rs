//! What of a text is prose: neither code nor tags, addresses, names of files, or names as programs have them.

mod blocks;
mod names;
mod spans;

use blocks::prose_lines;
use names::pieces;
use spans::tokens;

/// The lines of a text that are no code, whole: see [`words`] for what is in them.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    prose_lines(text)
}

/// The words of prose in a line or a sentence: runs of letters with the marks on them.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    tokens(line).flat_map(pieces).flat_map(runs_of_letters)
}

/// Every run of letters, in code and addresses too.
pub(crate) fn runs_of_letters(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphabetic() || is_mark(c)))
        .filter(|word| word.chars().any(char::is_alphabetic))
}

/// A mark on a letter, or a joiner between two.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c) || crate::script::is_joiner(c)
}
