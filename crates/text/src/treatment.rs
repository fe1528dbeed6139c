//! Which sentences are translated and which are copied, and why.

use serde::{Deserialize, Serialize};

use crate::detection::Evidence;
use crate::fold::{EasternForms, fold};
use crate::language::Language;
use crate::prose;
use crate::script::{is_arabic_letter, is_latin_letter};

/// What becomes of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// It is translated.
    Translate,
    /// It stays as it is.
    Copy(CopyReason),
}

/// Why a sentence stays as it is. In JSON: `"no-letters"`, `"not-prose"`, `"target-language"`, `"other-script"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyReason {
    /// It is of digits, marks and signs.
    NoLetters,
    /// All that is in the language to translate from are addresses, code, tags and names.
    NotProse,
    /// It is in the language to translate into.
    TargetLanguage,
    /// Its letters are of neither language's script.
    OtherScript,
}

impl CopyReason {
    /// The reason in words that go on with "a sentence was copied: ".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoLetters => "it has no letters",
            Self::NotProse => "it has only addresses, code, tags or names",
            Self::TargetLanguage => "it is in the language wanted",
            Self::OtherScript => "its letters are neither Arabic nor Latin",
        }
    }
}

/// What becomes of a sentence on its way into a language. `named_from` is the language that the user said the text is
/// in, and `None` where it was found out.
///
/// Into English, everything with an Arabic letter is translated. Into Arabic, everything with a Latin word that is
/// no address, code, tag or name, unless nobody said that the text is English and the sentence clearly is Arabic.
#[must_use]
pub fn treatment(sentence: &str, named_from: Option<Language>, to: Language) -> Treatment {
    let folded = fold(sentence, EasternForms::Fold);
    let has_word = |is_letter: fn(char) -> bool| prose::words(&folded).any(|word| word.contains(is_letter));
    let stays = match to {
        Language::English => !folded.contains(is_arabic_letter),
        Language::Arabic if !has_word(is_latin_letter) => true,
        Language::Arabic => named_from.is_none() && Evidence::of_line(&folded).is_clearly_arabic(),
    };
    if !stays {
        return Treatment::Translate;
    }
    let is_target = match to {
        Language::English => is_latin_letter,
        Language::Arabic => is_arabic_letter,
    };
    Treatment::Copy(if has_word(is_target) {
        CopyReason::TargetLanguage
    } else if folded.contains(|c| is_arabic_letter(c) || is_latin_letter(c)) {
        CopyReason::NotProse
    } else if folded.contains(char::is_alphabetic) {
        CopyReason::OtherScript
    } else {
        CopyReason::NoLetters
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AR: Language = Language::Arabic;
    const EN: Language = Language::English;

    #[test]
    fn into_english_everything_with_an_arabic_letter_is_translated() {
        for text in [
            "راسلنا على info@example.com",
            "زوروا موقعنا www.example.com/contact اليوم",
            "كتاب (Book)",
            "أحب PlayStation",
            "اكتب docker compose up --build ثم انتظر",
            "The word كتاب means book",
            "#وسم",
            "و",
            "\u{FEB7}\u{FEDC}\u{FEAE}\u{FE8D}",
        ] {
            for from in [None, Some(AR)] {
                assert_eq!(treatment(text, from, EN), Treatment::Translate, "{text}");
            }
        }
    }

    #[test]
    fn into_arabic_everything_with_a_latin_word_is_translated_where_english_was_named() {
        for text in [
            "كتاب (Book)",
            "Hello",
            "أستخدم برنامج Word كل يوم",
            "See https://example.com",
            "Ｈｅｌｌｏ",
            "I",
        ] {
            assert_eq!(treatment(text, Some(EN), AR), Treatment::Translate, "{text}");
        }
        assert_eq!(treatment("The word كتاب means book", None, AR), Treatment::Translate);
    }

    #[test]
    fn into_arabic_what_clearly_is_arabic_stays_where_no_language_was_named() {
        for text in ["كتاب (Book)", "أستخدم برنامج Word كل يوم", "اكتب docker compose up --build ثم انتظر"]
        {
            assert_eq!(treatment(text, None, AR), Treatment::Copy(CopyReason::TargetLanguage), "{text}");
        }
    }

    #[test]
    fn the_reason_tells_what_a_copied_sentence_is() {
        for (text, to, reason) in [
            ("12:30 → 14:00 😀", AR, CopyReason::NoLetters),
            ("؟!", EN, CopyReason::NoLetters),
            ("https://example.com", AR, CopyReason::NotProse),
            ("`npm install`", AR, CopyReason::NotProse),
            ("<br>", AR, CopyReason::NotProse),
            ("file.rs @user #tag GitHub", AR, CopyReason::NotProse),
            ("README.md", EN, CopyReason::NotProse),
            ("صباح الخير", AR, CopyReason::TargetLanguage),
            ("أحب PlayStation و`npm install`", AR, CopyReason::TargetLanguage),
            ("Good morning", EN, CopyReason::TargetLanguage),
            ("日本語", EN, CopyReason::OtherScript),
            ("Привет", AR, CopyReason::OtherScript),
        ] {
            assert_eq!(treatment(text, Some(to.other()), to), Treatment::Copy(reason), "{text}");
        }
        assert_eq!(serde_json::to_string(&CopyReason::NotProse).unwrap(), "\"not-prose\"");
    }
}
