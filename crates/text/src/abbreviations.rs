//! Words that end in a full stop which does not end the sentence, in English and Arabic.

use crate::script::is_arabic_letter;

/// What the full stop after a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It belongs to the word; a sentence never ends here.
    Never,
    /// It belongs to the word only before a number (`p. 5`).
    BeforeNumber,
    /// It belongs to the word only before a number or a letter that numbers something (`Fig. A`, `Vol. II`).
    BeforeLabel,
    /// The word often stands last too: the sentence ends if the next word begins one.
    IfStarterFollows,
    /// A lone capital: an initial, or the name of one of several (`plan B`).
    Initial,
}

/// Titles and words that lead to what follows. Lower case.
const NEVER: &[&str] = &[
    "dr", "mr", "mrs", "ms", "mx", "prof", "rev", "fr", "hon", "gen", "col", "lt", "maj", "capt", "cmdr",
    "sgt", "gov", "sen", "rep", "pres", "messrs", "mme", "mlle", "e.g", "i.e", "eg", "ie", "cf", "vs", "viz",
    "approx", "ca", "resp", "incl", "esp", "mt", "gr", "dipl", "ing", "supt", "cpl", "pvt",
    // Doctor, engineer, professor, lawyer, page, number, volume, telephone and the like.
    "د", "أ", "ا", "م", "ص", "ج", "ط", "ت", "س", "ق", "ع", "ب",
];

/// Words before a number. Lower case.
const BEFORE_NUMBER: &[&str] = &[
    "p", "pp", "ver", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "tel", "ext", "رقم",
];

/// Words before a number or a letter. Lower case.
const BEFORE_LABEL: &[&str] = &[
    "no", "nos", "fig", "figs", "vol", "vols", "ch", "chap", "chs", "sec", "secs", "sect", "art", "eq",
    "eqs", "eqn", "ref", "refs", "tab", "app", "appx", "thm", "def", "prop", "cor", "lem", "ex", "exs",
    "par", "para", "paras", "pt", "pts", "pl", "ser", "bk", "cl", "reg", "op", "alg", "tbl", "div", "subsec",
    "sched", "prob", "rm", "apt", "ste", "bldg", "suppl", "dwg", "ed",
];

/// Words that may close a sentence as well. Lower case.
const EITHER: &[&str] = &[
    "inc", "ltd", "co", "corp", "jr", "sr", "bros", "dept", "univ", "est", "a.m", "p.m", "ph.d", "m.d",
    "b.a", "m.a", "b.sc", "m.sc", "b.c", "a.d", "b.c.e", "c.e", "u.s", "u.k", "u.n", "u.s.a", "e.u", "d.c",
    "a.k.a", "gmbh", "st", "ave", "blvd", "rd", "ln", "sq", "hwy", "pkwy", "ft", "al", "assoc", "intl",
    "mfg",
];

/// What is told apart by a letter or a number behind it. Lower case.
const NUMBERED_NOUNS: &[&str] = &[
    "vitamin",
    "plan",
    "hepatitis",
    "grade",
    "type",
    "class",
    "group",
    "section",
    "appendix",
    "part",
    "option",
    "figure",
    "table",
    "case",
    "phase",
    "point",
    "exhibit",
    "team",
    "chapter",
    "level",
    "category",
    "step",
    "schedule",
    "building",
    "gate",
    "row",
    "side",
    "model",
    "series",
    "factor",
    "stage",
    "zone",
    "unit",
    "block",
    "room",
    "wing",
    "hall",
    "line",
    "track",
    "course",
    "form",
    "question",
    "answer",
    "choice",
    "scenario",
    "variant",
    "version",
    "influenza",
    "drug",
    "patient",
    "subject",
    "sample",
    "site",
    "area",
    "terminal",
    "platform",
    "ward",
    "division",
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

/// Of those, the words that are also names or follow initials for another reason. Lower case.
const UNSURE_STARTERS: &[&str] = &["an", "do", "may", "my", "no", "on", "or", "so", "many", "even", "one"];

/// What the stop after `word` means; `None` for an ordinary word. `word` has no stop at its end; `after_number`
/// tells whether a number stands before it.
pub(crate) fn stop_after(word: &str, after_number: bool) -> Option<Stop> {
    let lower = word.to_lowercase();
    let is = |list: &[&str]| list.contains(&lower.as_str());
    let mut chars = word.chars();
    let is_arabic = is_arabic_letter(chars.next()?);
    // After a number a lone Arabic letter is a unit or an era (`2020م.`), and units close sentences.
    if is_arabic && after_number {
        return None;
    }
    let is_capital = chars.next().is_none() && word.chars().all(char::is_uppercase) && word != "I";
    if is(NEVER) {
        Some(Stop::Never)
    } else if is_capital {
        Some(Stop::Initial)
    } else if is(BEFORE_NUMBER) {
        Some(Stop::BeforeNumber)
    } else if is(BEFORE_LABEL) {
        Some(Stop::BeforeLabel)
    } else if is(EITHER) || is_initialism(word) {
        Some(Stop::IfStarterFollows)
    } else {
        None
    }
}

/// Whether a word is the last of Arabic letters with stops between, together or apart: `ر.س`, `ذ.م.م`, `ر. س`. The
/// stop after them is theirs: Arabic has no capital to show that a sentence begins, and most go on.
pub(crate) fn is_letter_run(before: &str, word: &str) -> bool {
    let is_dotted =
        || word.contains('.') && word.split('.').enumerate().all(|(i, part)| is_lone(part, i == 0));
    let follows_one = || {
        before.strip_suffix('.').is_some_and(|one| is_lone(one.trim_start_matches(char::is_numeric), true))
    };
    is_dotted() || (is_lone(word, false) && follows_one())
}

/// Whether the stop after `word` stands between Arabic letters of such a run; `after` begins behind the gap, if there
/// is one.
pub(crate) fn joins_letters(word: &str, after: &str, has_gap: bool) -> bool {
    let last = word.rsplit('.').next().unwrap_or_default();
    let end = after.find(|c: char| !is_arabic_letter(c)).unwrap_or(after.len());
    let is_next_lone = is_lone(&after[..end], false) && (!has_gap || after[end..].starts_with('.'));
    is_next_lone && is_lone(last, last.len() == word.len())
}

/// One Arabic letter, where `may_lead` with a letter that joins words before it: `وأ.د.`, `بر.س.`
fn is_lone(part: &str, may_lead: bool) -> bool {
    let mut letters = part.chars();
    let first = letters.next();
    let rest = letters.as_str();
    let is_led = may_lead && first.is_some_and(|c| matches!(c, 'و' | 'ف' | 'ب' | 'ل' | 'ك'));
    first.is_some_and(is_arabic_letter) && (rest.is_empty() || (is_led && is_lone(rest, false)))
}

/// Whether a word is told apart by the letter behind it: `plan B`, `Vitamin C`, `Fig. A`.
pub(crate) fn is_numbered_noun(word: &str) -> bool {
    let lower = word.to_lowercase();
    NUMBERED_NOUNS.contains(&lower.as_str())
        || lower.strip_suffix('.').is_some_and(|abbreviation| BEFORE_LABEL.contains(&abbreviation))
}

/// `U.S`, `J.R.R`: single Latin capitals with stops between.
fn is_initialism(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| {
            let mut chars = part.chars();
            chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
        })
}

/// Whether a word begins sentences and is no name.
pub(crate) fn is_firm_starter(word: &str) -> bool {
    is_starter(word) && !UNSURE_STARTERS.contains(&word.to_lowercase().as_str())
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
        for word in ["Dr", "mrs", "e.g", "د", "ص"] {
            assert_eq!(stop_after(word, false), Some(Stop::Never), "{word}");
        }
        assert_eq!(stop_after("J", false), Some(Stop::Initial));
    }

    #[test]
    fn runs_of_arabic_letters_are_words() {
        for (before, word) in
            [("", "ر.س"), ("10", "د.ك"), ("", "ذ.م.م"), ("", "أ.م.د"), ("", "وأ.د"), ("ر.", "س")]
        {
            assert!(is_letter_run(before, word), "{before} {word}");
        }
        for (before, word) in [("", "د"), ("", "ذهب.ثم"), ("ذهب.", "ثم"), ("", "a.b"), ("10", "م")]
        {
            assert!(!is_letter_run(before, word), "{before} {word}");
        }
        assert!(joins_letters("ر", "س. ثم", false) && joins_letters("ر", "س. ثم", true));
        assert!(!joins_letters("ذهب", "ثم", false) && !joins_letters("ر", "س ثم", true));
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
