//! How a model is asked for a translation, in the words that it was trained on.

use crate::chat::Message;
use crate::fold::{EasternForms, fold};
use crate::language::Language;
use crate::other_language::{OtherLanguage, other_language};

/// What becomes of eastern forms in the sentences of a text: they stay where the text is in a language that has them.
#[must_use]
pub fn eastern_forms(text: &str) -> EasternForms {
    let keeps = other_language(text).is_some_and(OtherLanguage::is_in_arabic_script);
    if keeps { EasternForms::Keep } else { EasternForms::Fold }
}

/// The message that asks for a sentence in another language: the Hala recipe's prompt (arXiv 2509.14008), with the sentence folded, as a model
/// sees it both in training and in use.
#[must_use]
pub fn translation_request(sentence: &str, to: Language, eastern: EasternForms) -> Message {
    let folded = fold(sentence, eastern);
    Message::user(format!("Translate everything that follows into {}:\n\n{}", to.name(), folded.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_the_language_and_holds_the_folded_sentence() {
        let request = translation_request(" كتـــاب\u{200F} ", Language::English, EasternForms::Fold);
        assert_eq!(request, Message::user("Translate everything that follows into English:\n\nكتاب"));
    }

    #[test]
    fn eastern_forms_stay_in_languages_that_have_them() {
        assert_eq!(eastern_forms("این کتاب خیلی خوب است و من آن را دوست دارم"), EasternForms::Keep);
        for text in ["هذا كتاب مفيد جدا", "a book", ""] {
            assert_eq!(eastern_forms(text), EasternForms::Fold, "{text}");
        }
    }
}
