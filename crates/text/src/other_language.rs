//! Languages other than Arabic and English that a text seems to be in.
//!
//! A guess needs evidence: a script, letters that Arabic or English lacks, words of grammar. It says that a text is
//! not what the models were trained on; it is no identification of the world's languages.

mod arabic_script;
mod latin_script;
mod named;

pub use named::OtherLanguage;

use crate::fold::{EasternForms, fold};
use crate::prose;
use crate::script::{is_arabic_letter, is_latin_letter};

/// The language that the prose of a text seems to be in where that is neither Arabic nor English; `None` where it is
/// one of the two, or there is too little to tell. A text cites other languages, and is not in them: the greater
/// part counts.
#[must_use]
pub fn other_language(text: &str) -> Option<OtherLanguage> {
    let folded = fold(text, EasternForms::Keep);
    let words: Vec<&str> = prose::lines(&folded).into_iter().flat_map(prose::words).collect();
    let letters = || words.iter().flat_map(|word| word.chars()).filter(|c| c.is_alphabetic());
    let n_arabic = letters().filter(|c| is_arabic_letter(*c)).count();
    let n_latin = letters().filter(|c| is_latin_letter(*c)).count();
    let n_others = letters().count() - n_arabic - n_latin;
    if n_others > n_arabic + n_latin {
        let others: Vec<char> = letters().filter(|c| !is_arabic_letter(*c) && !is_latin_letter(*c)).collect();
        return by_script(&others);
    }
    if n_arabic > n_latin { arabic_script::guess(&words) } else { latin_script::guess(&words) }
}

/// Blocks of the Unicode charts and what is written in them.
const SCRIPTS: &[(char, char, OtherLanguage)] = &[
    ('\u{0370}', '\u{03FF}', OtherLanguage::Greek),
    ('\u{0400}', '\u{052F}', OtherLanguage::CyrillicScript),
    ('\u{0590}', '\u{05FF}', OtherLanguage::Hebrew),
    ('\u{0900}', '\u{097F}', OtherLanguage::DevanagariScript),
    ('\u{3040}', '\u{30FF}', OtherLanguage::Japanese),
    ('\u{3400}', '\u{9FFF}', OtherLanguage::Chinese),
    ('\u{AC00}', '\u{D7A3}', OtherLanguage::Korean),
];

/// Fewer letters of neither script are a name or a sign.
const MIN_LETTERS: usize = 4;

/// What the script of most letters tells.
fn by_script(letters: &[char]) -> Option<OtherLanguage> {
    if letters.len() < MIN_LETTERS {
        return None;
    }
    let n_in = |(first, last, _): &&(char, char, OtherLanguage)| {
        letters.iter().filter(|c| (first..=last).contains(c)).count()
    };
    let found = SCRIPTS.iter().max_by_key(n_in).filter(|script| n_in(script) > 0);
    let has = |tells: fn(char) -> bool| letters.iter().copied().any(tells);
    Some(match found.map_or(OtherLanguage::OtherScript, |(_, _, language)| *language) {
        // Japanese is of both, Chinese has no kana.
        OtherLanguage::Chinese if has(|c| matches!(c, '\u{3040}'..='\u{30FF}')) => OtherLanguage::Japanese,
        OtherLanguage::CyrillicScript
            if has(|c| matches!(c, 'ы' | 'э' | 'Ы' | 'Э'))
                && !has(|c| matches!(c, 'і' | 'ї' | 'ў' | 'ә')) =>
        {
            OtherLanguage::Russian
        }
        language => language,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_of_another_script_is_told_by_its_letters() {
        for (text, code) in [
            ("Добрый день, как вы поживаете?", "ru"),
            ("Доброго ранку, як справи? Її тут немає", "und-Cyrl"),
            ("今天天气很好，我们去公园吧。", "zh"),
            ("今日は天気がいいですね。", "ja"),
            ("오늘 날씨가 좋습니다.", "ko"),
            ("בוקר טוב, מה שלומך?", "he"),
            ("Καλημέρα, τι κάνετε;", "el"),
            ("आज मौसम अच्छा है", "und-Deva"),
            ("วันนี้อากาศดี", "und"),
        ] {
            assert_eq!(other_language(text).map(OtherLanguage::code), Some(code), "{text}");
        }
    }

    #[test]
    fn a_few_letters_of_another_script_are_no_language() {
        for text in [
            "π",
            "日本",
            "The word 你好 means hello.",
            "كلمة 你好 تعني مرحبا",
            "α + β = γ",
            "",
            "12:30",
            "😀",
        ] {
            assert_eq!(other_language(text), None, "{text}");
        }
    }

    #[test]
    fn code_and_addresses_are_no_evidence() {
        assert_eq!(other_language("Hello.\n\n```\nle la les des est et une dans pour que\n```\n"), None);
        assert_eq!(other_language("`der die das und ist nicht ich für`"), None);
    }
}
