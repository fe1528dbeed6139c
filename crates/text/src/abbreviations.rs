//! Words that end in a full stop which does not end the sentence, in English and Arabic.

/// What the full stop after a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It belongs to the word; a sentence never ends here.
    Never,
    /// It belongs to the word only before a number (`No. 5`).
    UnlessNumber,
    /// The word often stands last too: the sentence ends if the next word begins one.
    IfStarterFollows,
}

/// Titles and words that lead to what follows. Lower case.
const NEVER: &[&str] = &[
    "dr", "mr", "mrs", "ms", "mx", "prof", "rev", "fr", "hon", "st", "gen", "col", "lt", "maj", "capt",
    "cmdr", "sgt", "gov", "sen", "rep", "pres", "messrs", "mme", "mlle", "e.g", "i.e", "eg", "ie", "cf",
    "vs", "viz", "approx", "ca", "al", "resp", "incl", "esp", "mt", "ft", "ave", "blvd",
    // Doctor, engineer, professor, lawyer, page, number, volume, telephone, PO box and the like.
    "د", "أ", "ا", "م", "ص", "ج", "ط", "ت", "س", "ق", "ع", "ب", "أ.د", "ا.د", "أ.م.د", "ا.م.د", "م.م", "د.م",
    "ص.ب", "س.ت", "ق.م",
];

/// Words before a number. Lower case.
const UNLESS_NUMBER: &[&str] = &[
    "no", "nos", "fig", "figs", "p", "pp", "vol", "vols", "ch", "chap", "sec", "art", "eq", "ver", "jan",
    "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "رقم",
];

/// Words that may close a sentence as well. Lower case.
const EITHER: &[&str] = &[
    "inc", "ltd", "co", "corp", "jr", "sr", "bros", "dept", "univ", "est", "a.m", "p.m", "ph.d", "m.d",
    "b.a", "m.a", "b.sc", "m.sc", "b.c", "a.d", "u.s", "u.k", "u.n", "u.s.a", "e.u", "d.c", "a.k.a", "gmbh",
];

/// English words that begin sentences far more often than they follow an abbreviation. Lower case.
const STARTERS: &[&str] = &[
    "a", "after", "all", "also", "although", "an", "and", "as", "at", "because", "before", "but", "by", "do",
    "does", "during", "each", "even", "for", "from", "he", "her", "his", "how", "however", "i", "if", "in",
    "is", "it", "its", "many", "may", "most", "my", "no", "not", "now", "of", "on", "once", "one", "or",
    "other", "our", "please", "she", "since", "so", "some", "such", "that", "the", "their", "then", "there",
    "these", "they", "this", "those", "to", "we", "what", "when", "where", "which", "while", "who", "why",
    "with", "you", "your",
];

/// What the stop after `word` means; `None` for an ordinary word. `word` has no stop at its end; `after_number`
/// tells whether a number stands before it.
pub(crate) fn stop_after(word: &str, after_number: bool) -> Option<Stop> {
    let lower = word.to_lowercase();
    let is = |list: &[&str]| list.contains(&lower.as_str());
    let mut chars = word.chars();
    let is_arabic = crate::script::is_arabic_letter(chars.next()?);
    // After a number a lone Arabic letter is a unit or an era (`2020م.`), and units close sentences.
    if is_arabic && after_number {
        return None;
    }
    let is_initial = chars.next().is_none() && word.chars().all(char::is_uppercase) && word != "I";
    if is(NEVER) || (is_initial && !is_arabic) {
        Some(Stop::Never)
    } else if is(UNLESS_NUMBER) {
        Some(Stop::UnlessNumber)
    } else if is(EITHER) || is_initialism(word) {
        Some(Stop::IfStarterFollows)
    } else {
        None
    }
}

/// `U.S`, `J.R.R`: single Latin capitals with stops between.
fn is_initialism(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| {
            let mut chars = part.chars();
            chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
        })
}

/// Whether a word begins sentences more often than it goes on with one.
pub(crate) fn is_starter(word: &str) -> bool {
    STARTERS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_initials_never_end_a_sentence() {
        for word in ["Dr", "mrs", "e.g", "J", "د", "أ.د", "ص"] {
            assert_eq!(stop_after(word, false), Some(Stop::Never), "{word}");
        }
    }

    #[test]
    fn some_abbreviations_may_end_one() {
        for word in ["U.S", "p.m", "Ph.D", "J.R.R"] {
            assert_eq!(stop_after(word, false), Some(Stop::IfStarterFollows), "{word}");
        }
    }

    #[test]
    fn ordinary_words_and_units_do_end_one() {
        for (word, after_number) in [("came", false), ("I", false), ("ذهب", false), ("م", true), ("هـ", true)]
        {
            assert_eq!(stop_after(word, after_number), None, "{word}");
        }
    }
}
