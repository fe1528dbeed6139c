//! The two languages and telling them apart by counting letters of each script.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::TextError;

/// A language that Hala translates from and to. In JSON: `"ar"` and `"en"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Arabic.
    #[serde(rename = "ar")]
    Arabic,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Every language, in the order in which help texts list them.
    pub const ALL: [Self; 2] = [Self::Arabic, Self::English];

    /// The ISO 639-1 code: `ar` or `en`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
        }
    }

    /// The English name, as prompts use it: `Arabic` or `English`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arabic => "Arabic",
            Self::English => "English",
        }
    }

    /// The other of the two.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Arabic => Self::English,
            Self::English => Self::Arabic,
        }
    }

    /// The known languages for messages: `ar (Arabic), en (English)`.
    pub(crate) fn known() -> String {
        Self::ALL.map(|language| format!("{} ({})", language.code(), language.name())).join(", ")
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = TextError;

    /// Reads a code or an English or Arabic name, in any case; `ar-EG` and `en_GB` count as `ar` and `en`.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let lower = text.trim().to_lowercase();
        let primary = lower.split(['-', '_']).next().unwrap_or_default();
        match primary {
            "ar" | "ara" | "arb" | "arabic" | "العربية" | "عربي" => Ok(Self::Arabic),
            "en" | "eng" | "english" | "الإنجليزية" | "إنجليزي" => Ok(Self::English),
            _ => Err(TextError::UnknownLanguage { found: text.to_owned() }),
        }
    }
}

/// The language of a text: the script that has more letters, Latin when they tie, `None` when there is no
/// letter of either. Marks, digits and punctuation do not count.
#[must_use]
pub fn detect(text: &str) -> Option<Language> {
    let (n_arabic, n_latin) =
        text.chars().filter(|c| c.is_alphabetic()).fold((0usize, 0usize), |(a, l), c| {
            (a + usize::from(is_arabic_letter(c)), l + usize::from(is_latin_letter(c)))
        });
    match (n_arabic, n_latin) {
        (0, 0) => None,
        (a, l) if a > l => Some(Language::Arabic),
        _ => Some(Language::English),
    }
}

/// Whether a character is a letter of the Arabic script, presentation forms included. Vowel marks are
/// alphabetic to Unicode, but would let one vocalised word outweigh several Latin ones.
pub(crate) fn is_arabic_letter(c: char) -> bool {
    c.is_alphabetic()
        && !crate::normalise::is_tashkeel(c)
        && matches!(c,
            '\u{0620}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{0870}'..='\u{08FF}'
            | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

fn is_latin_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (c.is_alphabetic()
            && matches!(c, '\u{00AA}'..='\u{024F}' | '\u{1E00}'..='\u{1EFF}' | '\u{FF21}'..='\u{FF5A}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_and_english_are_told_apart() {
        assert_eq!(detect("صباح الخير"), Some(Language::Arabic));
        assert_eq!(detect("Good morning"), Some(Language::English));
        assert_eq!(detect("Café Ünal"), Some(Language::English));
    }

    #[test]
    fn the_script_with_more_letters_wins() {
        assert_eq!(detect("أستخدم برنامج Word كل يوم"), Some(Language::Arabic));
        assert_eq!(detect("The word كتاب means book"), Some(Language::English));
    }

    #[test]
    fn text_without_a_letter_of_either_has_no_language() {
        for text in ["", " \n", "12:30", "؟!", "😀", "日本語", "٣٤٥", "\u{064E}\u{0651}"] {
            assert_eq!(detect(text), None, "{text:?}");
        }
    }

    #[test]
    fn presentation_forms_are_arabic() {
        assert_eq!(detect("\u{FEE3}\u{FEAE}\u{FEA3}\u{FE92}\u{FE8E} hi"), Some(Language::Arabic));
    }

    #[test]
    fn vowel_marks_do_not_count_as_letters() {
        assert_eq!(detect("مُدَرِّسٌ teacher"), Some(Language::English));
    }

    #[test]
    fn codes_and_names_are_read_and_written() {
        for (text, language) in [
            ("ar", Language::Arabic),
            (" AR ", Language::Arabic),
            ("Arabic", Language::Arabic),
            ("en-GB", Language::English),
        ] {
            assert_eq!(text.parse::<Language>().unwrap(), language);
        }
        assert_eq!(Language::Arabic.to_string(), "ar");
        assert_eq!(Language::English.other().name(), "Arabic");
        assert_eq!(serde_json::to_string(&Language::English).unwrap(), "\"en\"");
        assert_eq!(serde_json::from_str::<Language>("\"ar\"").unwrap(), Language::Arabic);
    }

    #[test]
    fn an_unknown_language_is_an_error_that_lists_the_known() {
        let message = "fr".parse::<Language>().unwrap_err().to_string();
        assert_eq!(message, "unknown language \"fr\"; known are ar (Arabic), en (English)");
    }
}
