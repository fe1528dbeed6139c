//! The languages other than Arabic and English that have a name here.

use std::fmt;

use serde::{Serialize, Serializer};

/// A language, or what is known of one. In JSON its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the languages are named as they are named")]
pub enum OtherLanguage {
    Persian,
    Urdu,
    Pashto,
    Kurdish,
    Uyghur,
    Sindhi,
    French,
    Spanish,
    Portuguese,
    Italian,
    German,
    Dutch,
    Turkish,
    Indonesian,
    Swedish,
    Polish,
    Russian,
    Chinese,
    Japanese,
    Korean,
    Hebrew,
    Greek,
    /// Another language in Latin letters.
    LatinScript,
    /// One in Cyrillic letters that does not look like Russian.
    CyrillicScript,
    /// One in Devanagari: Hindi, Marathi, Nepali.
    DevanagariScript,
    /// One in letters of another script.
    OtherScript,
}

impl OtherLanguage {
    /// The tag of BCP 47: `fa`, `und-Cyrl`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.facts().0
    }

    /// In words that go on with "in": `Persian`, `a language in Cyrillic letters`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().1
    }

    /// Whether the language is written in Arabic's script, with letters of its own.
    #[must_use]
    pub fn is_in_arabic_script(self) -> bool {
        matches!(
            self,
            Self::Persian | Self::Urdu | Self::Pashto | Self::Kurdish | Self::Uyghur | Self::Sindhi
        )
    }

    fn facts(self) -> (&'static str, &'static str) {
        match self {
            Self::Persian => ("fa", "Persian"),
            Self::Urdu => ("ur", "Urdu"),
            Self::Pashto => ("ps", "Pashto"),
            Self::Kurdish => ("ckb", "Kurdish"),
            Self::Uyghur => ("ug", "Uyghur"),
            Self::Sindhi => ("sd", "Sindhi"),
            Self::French => ("fr", "French"),
            Self::Spanish => ("es", "Spanish"),
            Self::Portuguese => ("pt", "Portuguese"),
            Self::Italian => ("it", "Italian"),
            Self::German => ("de", "German"),
            Self::Dutch => ("nl", "Dutch"),
            Self::Turkish => ("tr", "Turkish"),
            Self::Indonesian => ("id", "Indonesian"),
            Self::Swedish => ("sv", "Swedish"),
            Self::Polish => ("pl", "Polish"),
            Self::Russian => ("ru", "Russian"),
            Self::Chinese => ("zh", "Chinese"),
            Self::Japanese => ("ja", "Japanese"),
            Self::Korean => ("ko", "Korean"),
            Self::Hebrew => ("he", "Hebrew"),
            Self::Greek => ("el", "Greek"),
            Self::LatinScript => ("und-Latn", "a language other than English"),
            Self::CyrillicScript => ("und-Cyrl", "a language in Cyrillic letters"),
            Self::DevanagariScript => ("und-Deva", "a language in Devanagari letters"),
            Self::OtherScript => ("und", "a language that is neither Arabic nor English"),
        }
    }
}

impl fmt::Display for OtherLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for OtherLanguage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
