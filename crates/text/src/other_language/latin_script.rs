//! Languages in Latin letters, told by words of grammar and by letters that English lacks.

use std::collections::BTreeSet;

use crate::english::is_function_word;
use crate::other_language::named::OtherLanguage;

/// Frequent words of a language, but for those that English has too. Lower case.
struct Profile {
    language: OtherLanguage,
    words: &'static str,
}

const PROFILES: &[Profile] = &[
    Profile {
        language: OtherLanguage::French,
        words: "le la les des est et une dans pour que qui pas vous nous je il elle sont avec sur ce cette au aux \
                mais par ne du se son ses être très bonjour merci où sa mon ma tu de un en c qu ont été leur même",
    },
    Profile {
        language: OtherLanguage::Spanish,
        words: "el la los las de que y en un una es por con para se lo como más pero su al del está muy gracias \
                hola qué usted yo esta este dónde son ha también cómo nos mi han sus le",
    },
    Profile {
        language: OtherLanguage::Portuguese,
        words: "o os de que e em um uma é por com para não se do da dos das na mais mas você muito obrigado isso \
                está são ao foi como eu seu sua pela pelo também bom dia nos onde ele ela",
    },
    Profile {
        language: OtherLanguage::Italian,
        words: "il lo la gli le di che e è un una per non con sono si del della dei nel più questo molto ho ha \
                come dove anche alla delle grazie buongiorno ma io sei mio suo ci dal nella al essere",
    },
    Profile {
        language: OtherLanguage::German,
        words: "der die das und ist nicht ich du sie es ein eine zu mit auf für von den dem im wir sind auch wie \
                haben nach bei oder dass wird aus noch nur über kann einen zum des guten wo sich er hat",
    },
    Profile {
        language: OtherLanguage::Dutch,
        words: "de het een en van dat niet ik je op te met voor zijn er aan maar om wij hebben naar ook deze die \
                bij uit goed goede waar hoe wordt kan heeft",
    },
    Profile {
        language: OtherLanguage::Turkish,
        words: "ve bir bu için ile çok ne değil var ben sen da de mi olarak daha gibi kadar olan en ki nasıl \
                merhaba teşekkür günaydın biz siz şey iyi her nerede",
    },
    Profile {
        language: OtherLanguage::Indonesian,
        words: "yang dan di ini itu untuk tidak dengan saya kamu anda adalah ke dari akan ada bisa pada juga dalam \
                mereka kami sudah apa selamat terima kasih",
    },
    Profile {
        language: OtherLanguage::Swedish,
        words: "och att det som är på för av inte jag med den till har om ett var vi han de en så kan från tack \
                hur men eller här",
    },
    Profile {
        language: OtherLanguage::Polish,
        words: "nie się w na jest że z jak co po ale za od tak dla są czy o jestem bardzo ten ma go dzień dobry \
                dziękuję gdzie pan",
    },
];

/// How few words in twenty are words of grammar in a text of a language.
const MIN_GRAMMAR_IN_TWENTY: usize = 4;

/// So many words without one of English grammar are no English, unless they are a list of names.
const MIN_WORDS_WITHOUT_ENGLISH: usize = 24;

/// What the words of a text tell, as long as there are few English ones.
pub(super) fn guess(words: &[&str]) -> Option<OtherLanguage> {
    let n_english = words.iter().filter(|word| is_function_word(word)).count();
    named(words, n_english).or_else(|| unnamed(words, n_english))
}

/// The language whose words of grammar the text has, more than any other's.
fn named(words: &[&str], n_english: usize) -> Option<OtherLanguage> {
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut scores: Vec<(usize, usize, OtherLanguage)> = PROFILES
        .iter()
        .map(|profile| {
            let known: BTreeSet<&str> = profile.words.split_whitespace().collect();
            let hits = || lower.iter().filter(|word| known.contains(word.as_str()));
            (hits().count(), hits().collect::<BTreeSet<_>>().len(), profile.language)
        })
        .collect();
    scores.sort_by_key(|(n_hits, n_distinct, _)| std::cmp::Reverse((*n_hits, *n_distinct)));
    let [(n_hits, n_distinct, language), second, ..] = scores[..] else { return None };
    let is_enough = n_distinct >= 3 || (n_distinct == 2 && words.len() >= 3 && 2 * n_hits >= words.len());
    let is_share = 20 * n_hits >= MIN_GRAMMAR_IN_TWENTY * words.len() && n_hits > 2 * n_english;
    if !(is_enough && is_share) {
        return None;
    }
    let is_tie = (second.0, second.1) == (n_hits, n_distinct);
    Some(if is_tie { OtherLanguage::LatinScript } else { language })
}

/// Text that has letters which English lacks, or no English word of grammar at length.
fn unnamed(words: &[&str], n_english: usize) -> Option<OtherLanguage> {
    // Names keep their letters in English, and begin with a capital.
    let small = || words.iter().filter(|word| word.starts_with(char::is_lowercase));
    let n_accented = small().filter(|word| !word.is_ascii()).count();
    let is_accented = words.len() >= 5 && n_accented >= 3 && 4 * n_accented >= words.len();
    let is_long = words.len() >= MIN_WORDS_WITHOUT_ENGLISH && 3 * small().count() >= 2 * words.len();
    let few_english = 10 * n_english < words.len();
    ((is_accented && few_english) || (is_long && n_english == 0)).then_some(OtherLanguage::LatinScript)
}

#[cfg(test)]
mod tests {
    use crate::other_language::other_language;

    #[test]
    fn sentences_of_other_languages_are_told_by_their_words() {
        for (text, code) in [
            ("Je suis très content de vous voir.", "fr"),
            ("Où est la gare ?", "fr"),
            ("L'eau est froide mais nous avons nagé dans le lac avec les enfants.", "fr"),
            ("¿Dónde está la estación de tren, por favor?", "es"),
            ("No sé qué decir, pero el libro es muy bueno.", "es"),
            ("Eu não sei onde está o meu livro, mas você sabe.", "pt"),
            ("Non so dove sia la stazione, ma il treno è già arrivato.", "it"),
            ("Ich weiß nicht, wo der Bahnhof ist.", "de"),
            ("Ik weet niet waar het station is.", "nl"),
            ("Bugün hava çok güzel ve ben parka gidiyorum.", "tr"),
            ("Saya tidak tahu di mana stasiun itu.", "id"),
            ("Jag vet inte var stationen är.", "sv"),
            ("Nie wiem, gdzie jest dworzec.", "pl"),
            ("Nevím, kde je nádraží, protože jsem tu poprvé a všechno je nové", "und-Latn"),
        ] {
            assert_eq!(other_language(text).map(|language| language.code()), Some(code), "{text}");
        }
    }

    #[test]
    fn english_with_foreign_words_and_short_texts_are_not_guessed() {
        for text in [
            "She said c'est la vie and left.",
            "The restaurant is called Le Petit Prince de la Mer.",
            "Los Angeles, Las Vegas and San Diego de la Cruz are in the west.",
            "He read Der Spiegel and Die Zeit on the train.",
            "Good morning",
            "Paris",
            "Merci",
            "Hola",
            "José García, Ángel Núñez",
            "Café Ünal résumé naïve",
            "Open file, save, print, close, exit",
            "Je ne sais quoi is a phrase that we use in English too.",
            "",
        ] {
            assert_eq!(other_language(text), None, "{text}");
        }
    }
}
