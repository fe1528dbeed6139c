//! What a full stop is: the end of a sentence, or a part of a word, by the words on both sides.

use crate::abbreviations::{
    Stop, is_firm_starter, is_letter_run, is_numbered_noun, is_starter, joins_letters, stop_after,
};
use crate::script::is_opener;

/// Whether the full stop after `text` ends a sentence. `text` begins where the sentence does, and `after` behind the
/// gap, if there is one.
pub(super) fn end_sentence(text: &str, after: &str, has_gap: bool) -> bool {
    if is_list_number(text) {
        return false;
    }
    let n_skipped = text.char_indices().rev().nth(MAX_LOOK_BACK_CHARS).map_or(0, |(at, _)| at);
    let mut words = text[n_skipped..]
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '/' | '،' | ','))
        .map(|word| word.trim_start_matches(is_opener))
        .filter(|word| !word.is_empty());
    let token = words.next().unwrap_or_default();
    let before = words.next().unwrap_or_default();
    // A number may be glued on: `2020م`.
    let word = token.trim_start_matches(char::is_numeric);
    let after_number = word.len() < token.len() || before.ends_with(char::is_numeric);
    // `2020م. د. أحمد`: a year, and a title.
    let is_year = has_gap && after_number && word == "م";
    if is_letter_run(before, word) || (!is_year && joins_letters(word, after, has_gap)) {
        return false;
    }
    let before_number = after.starts_with(char::is_numeric);
    let is_short_latin = word.is_ascii() && (1..=MAX_UNKNOWN_ABBREVIATION_CHARS).contains(&word.len());
    match stop_after(word, after_number) {
        None => !(before_number && is_short_latin),
        Some(Stop::Never) => false,
        Some(Stop::BeforeNumber) => !before_number,
        Some(Stop::BeforeLabel) => !is_label(first_word(after), word),
        Some(Stop::IfStarterFollows) => is_starter(first_word(after)),
        Some(Stop::Initial) => is_numbered_noun(before) || is_starter_after_initial(after),
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

/// Whether a word numbers what `abbreviation` stands for: `Fig. A`, `Vol. II`, `Eq. 3`, `Table S1`. `A` and `I`
/// are words too, and number only what is written as a name is: not `I ate a fig. A dog came.`
fn is_label(word: &str, abbreviation: &str) -> bool {
    let is_name = abbreviation.starts_with(char::is_uppercase) && !abbreviation.eq_ignore_ascii_case("no");
    let is_capital = word.len() == 1 && word.starts_with(char::is_uppercase);
    word.contains(char::is_numeric)
        || (word.len() >= 2 && is_roman(word))
        || (is_capital && (is_name || !matches!(word, "A" | "I")))
}

fn is_roman(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X' | 'L' | 'C' | 'D' | 'M'))
}

/// `plan B. We`: a name goes on after an initial, and nobody is called `We`.
fn is_starter_after_initial(after: &str) -> bool {
    let after = after.trim_start_matches(is_opener);
    let word = first_word(after);
    is_firm_starter(word) && !after[word.len()..].starts_with('.')
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
