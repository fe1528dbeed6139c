//! The language of a text, told by the letters of its prose.

use crate::english::is_function_word;
use crate::fold::{EasternForms, fold};
use crate::language::Language;
use crate::prose;
use crate::script::{is_arabic_letter, is_latin_letter};

/// The language of a text: the script that has more letters in its prose, Latin when they tie, `None` when there is
/// no letter of either. Code, tags, addresses, names of files and names as programs have them are no prose, and
/// neither are Latin words in an Arabic line without any that only an English sentence has: they are names and
/// commands. Where nothing is prose, all letters count. Marks, digits and punctuation never do.
#[must_use]
pub fn detect(text: &str) -> Option<Language> {
    let folded = fold(text, EasternForms::Fold);
    let lines = prose::lines(&folded);
    let prose = lines.into_iter().map(Evidence::of_line).fold(Evidence::default(), Evidence::plus);
    prose.language().or_else(|| Evidence::of_words(prose::runs_of_letters(&folded)).language())
}

/// How many letters speak for each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Evidence {
    pub(crate) n_arabic: usize,
    pub(crate) n_latin: usize,
}

impl Evidence {
    /// Of the prose in a folded line or sentence.
    pub(crate) fn of_line(line: &str) -> Self {
        let words: Vec<&str> = prose::words(line).collect();
        let counted = Self::of_words(words.iter().copied());
        if has_only_names(&words) { Self { n_latin: 0, ..counted } } else { counted }
    }

    /// Of words, without a look at what they are.
    pub(crate) fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        words.flat_map(str::chars).fold(Self::default(), |Self { n_arabic, n_latin }, c| Self {
            n_arabic: n_arabic + usize::from(is_arabic_letter(c)),
            n_latin: n_latin + usize::from(is_latin_letter(c)),
        })
    }

    fn plus(self, other: Self) -> Self {
        Self { n_arabic: self.n_arabic + other.n_arabic, n_latin: self.n_latin + other.n_latin }
    }

    fn language(self) -> Option<Language> {
        match self {
            Self { n_arabic: 0, n_latin: 0 } => None,
            Self { n_arabic, n_latin } if n_arabic > n_latin => Some(Language::Arabic),
            Self { .. } => Some(Language::English),
        }
    }

    /// Whether the text is Arabic with a word or two of another language in it.
    pub(crate) fn is_clearly_arabic(self) -> bool {
        self.n_arabic > 0 && self.n_arabic >= 2 * self.n_latin
    }
}

/// Whether the Latin words of a line that begins in Arabic are names or a command. A sentence has words of
/// grammar, and an Arabic line with a few words in brackets or after a verb has none of them.
fn has_only_names(words: &[&str]) -> bool {
    let is_latin = |word: &&str| word.starts_with(is_latin_letter);
    let n_latin = words.iter().copied().filter(|word| is_latin(word)).count();
    let n_others = words.len() - n_latin;
    words.first().is_some_and(|word| word.chars().any(is_arabic_letter))
        && n_latin <= n_others + MAX_COMMAND_WORDS
        && !words.iter().any(|word| is_function_word(word))
}

/// More Latin words than this beyond the Arabic ones are a text of their own.
const MAX_COMMAND_WORDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const AR: Option<Language> = Some(Language::Arabic);
    const EN: Option<Language> = Some(Language::English);

    #[test]
    fn arabic_and_english_are_told_apart() {
        assert_eq!(detect("صباح الخير"), AR);
        assert_eq!(detect("Good morning"), EN);
        assert_eq!(detect("Café Ünal"), EN);
        assert_eq!(detect("\u{FEE3}\u{FEAE}\u{FEA3}\u{FE92}\u{FE8E} is hi"), AR);
        assert_eq!(detect("Ｇｏｏｄ"), EN);
    }

    #[test]
    fn the_script_with_more_letters_of_prose_wins() {
        assert_eq!(detect("أستخدم برنامج Word كل يوم"), AR);
        assert_eq!(detect("The word كتاب means book"), EN);
        assert_eq!(detect("مرحبا. This is the rest of a text in English."), EN);
        assert_eq!(detect("تعني that the"), EN);
    }

    #[test]
    fn text_without_a_letter_of_either_has_no_language() {
        for text in ["", " \n", "12:30", "؟!", "😀", "日本語", "٣٤٥", "\u{064E}\u{0651}", "ـــ"] {
            assert_eq!(detect(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_addresses_and_commands_in_arabic_are_no_english() {
        for text in [
            "راسلنا على info@example.com",
            "زوروا موقعنا www.example.com/contact اليوم",
            "كتاب (Book)",
            "أحب PlayStation",
            "اكتب docker compose up --build ثم انتظر",
            "نفذ npm install express",
            "مُدَرِّسٌ teacher",
            "اقرأ <a href=\"index.html\" class=\"link external\">هنا</a>",
            "انظر `git clone https://example.com/group/project.git`",
            "اضغط {button_name_of_the_form} الآن",
        ] {
            assert_eq!(detect(text), AR, "{text}");
        }
    }

    #[test]
    fn arabic_names_in_english_are_no_arabic() {
        for text in [
            "See https://ar.wikipedia.org/wiki/جمهورية_مصر_العربية",
            "I like #كرة_القدم_السعودية",
            "Run `echo مرحبا بالعالم الجميل` now",
        ] {
            assert_eq!(detect(text), EN, "{text}");
        }
    }

    #[test]
    fn blocks_of_code_do_not_count() {
        let code = "git clone https://example.com/group/project.git\ncd project\nmake install\n";
        assert_eq!(detect(&format!("مرحبا.\n\n```sh\n{code}```\n\nثم")), AR);
        assert_eq!(detect(&format!("مرحبا.\n\n    {}\n\nثم", code.trim().replace('\n', "\n    "))), AR);
        assert_eq!(detect(&format!("Hi.\n~~~\n{}\n~~~", "مرحبا بالعالم".repeat(9))), EN);
    }

    #[test]
    fn where_nothing_is_prose_all_letters_count() {
        assert_eq!(detect("```\nmake install\n```"), EN);
        assert_eq!(detect("https://example.com"), EN);
        assert_eq!(detect("#مرحبا"), AR);
    }
}
