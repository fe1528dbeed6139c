//! The two languages that Hala translates between.

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
    fn known() -> String {
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
            _ => Err(TextError::UnknownLanguage { found: text.to_owned(), known: Self::known() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
