//! Languages in Arabic's script, told by their own letters and by words of grammar.

use std::collections::BTreeSet;

use crate::other_language::named::OtherLanguage;

/// Letters that only some languages have, and frequent words that Arabic has not.
struct Profile {
    language: OtherLanguage,
    letters: &'static str,
    words: &'static str,
    /// Whether Arabic takes the letters too, for words from elsewhere and dialects: then words of grammar decide.
    letters_are_shared: bool,
}

/// Of two with as many words the later one is taken: Uyghur has most of Kurdish's letters and some of its own.
const PROFILES: &[Profile] = &[
    Profile {
        language: OtherLanguage::Persian,
        letters: "پچژگ",
        words: "است هست نیست نيست هستم هستند که كه را از برای این با در شما آنها بود بودند شد کرد کرده کند کنید \
                کنم می های خود باید یک اگر چه دارد دارم خواهد خیلی هیچ همه دیگر چطور کجا کجاست",
        letters_are_shared: true,
    },
    Profile {
        language: OtherLanguage::Urdu,
        letters: "ٹڈڑںے",
        words: "کے کا میں سے کو نے پر یہ وہ ہے ہیں نہیں اور ہو تھا آپ ایک بھی کہ جو کیا",
        letters_are_shared: false,
    },
    Profile {
        language: OtherLanguage::Pashto,
        letters: "ښځڅټډړږګڼېۍ",
        words: "په چې دی کې هغه دې",
        letters_are_shared: false,
    },
    Profile {
        language: OtherLanguage::Uyghur,
        letters: "ۇۈۋڭېەۆ",
        words: "بۇ ۋە بىر بىلەن ئۈچۈن",
        letters_are_shared: false,
    },
    Profile {
        language: OtherLanguage::Kurdish,
        letters: "ەێۆڵڕ",
        words: "لە بە کە ئەم بۆ ئەو هەر",
        letters_are_shared: false,
    },
    Profile {
        language: OtherLanguage::Sindhi,
        letters: "ڄڃٻڀٿڏڌڦڳڱڻٺ",
        words: "۾ آهي جي",
        letters_are_shared: false,
    },
];

/// Frequent words of Arabic.
const ARABIC_WORDS: &[&str] = &[
    "في", "فی", "على", "علی", "إلى", "الى", "عن", "هذا", "هذه", "أن", "إن", "كان", "لا", "هو", "هي", "مع",
    "لم", "قد", "لن", "أو", "ثم", "كل", "عند", "بعد", "قبل", "لكن", "ذلك", "نحن", "أنا",
];

/// What the words of a text tell, as long as those of Arabic are fewer.
pub(super) fn guess(words: &[&str]) -> Option<OtherLanguage> {
    let n_arabic = words.iter().filter(|word| is_arabic(word)).count();
    let (n_hits, language) = PROFILES
        .iter()
        .filter_map(|profile| Some((n_hits(profile, words)?, profile.language)))
        .max_by_key(|(n_hits, _)| *n_hits)?;
    (MIN_SHARE_OF_WORDS * n_hits >= words.len() && n_hits > 2 * n_arabic).then_some(language)
}

/// One word in so many has to be the language's own.
const MIN_SHARE_OF_WORDS: usize = 6;

/// How many words are a language's own; `None` where they are too few to tell.
fn n_hits(profile: &Profile, words: &[&str]) -> Option<usize> {
    let known: BTreeSet<&str> = profile.words.split_whitespace().collect();
    // A prefix or ending that is joined without a space: `می‌روم`, `کتاب‌ها`.
    let is_known = |word: &str| word.split('\u{200C}').any(|part| known.contains(part));
    let hits: BTreeSet<&str> = words
        .iter()
        .copied()
        .filter(|word| is_known(word) || word.chars().any(|c| profile.letters.contains(c)))
        .collect();
    let has_grammar = hits.iter().any(|word| is_known(word));
    let is_enough = hits.len() >= 2 && (has_grammar || !profile.letters_are_shared);
    is_enough.then(|| words.iter().filter(|word| hits.contains(*word)).count())
}

/// Whether a word shows that its language is Arabic: the article, the feminine ending, a word of grammar.
fn is_arabic(word: &str) -> bool {
    let has_article = ["ال", "وال", "بال", "لل", "فال", "كال"].iter().any(|start| word.starts_with(start));
    (has_article && word.chars().count() > 4) || word.ends_with('ة') || ARABIC_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use crate::other_language::other_language;

    #[test]
    fn sentences_of_other_languages_are_told_by_letters_and_words() {
        for (text, code) in [
            ("سلام، حال شما چطور است؟", "fa"),
            ("من به مدرسه می‌روم و کتاب‌ها را می‌خوانم.", "fa"),
            ("این کتاب برای شما خیلی خوب است.", "fa"),
            ("آپ کیسے ہیں؟ میں ٹھیک ہوں۔", "ur"),
            ("یہ کتاب بہت اچھی ہے اور وہ قلم نہیں ہے۔", "ur"),
            ("زه نه پوهېږم چې دا څه شی دی.", "ps"),
            ("من نازانم ئەم کتێبە لە کوێیە.", "ckb"),
            ("مەن بۇ كىتابنى ياخشى كۆرىمەن.", "ug"),
        ] {
            assert_eq!(other_language(text).map(|language| language.code()), Some(code), "{text}");
        }
    }

    #[test]
    fn arabic_of_any_keyboard_and_dialect_is_arabic() {
        for text in [
            "صباح الخير",
            "أین المحطة یا علی؟",
            "ھذا کتاب علی فی المکتبة",
            "شلونك؟ گلت له هاي الگهوة زينة",
            "گال چان گاعد يم البيت",
            "اشتريت پيتزا من المطعم وشربت پيپسي",
            "رأيت پاريس",
            "هو شد الحبل بقوة",
            "دا من زمان",
            "",
        ] {
            assert_eq!(other_language(text), None, "{text}");
        }
    }
}
