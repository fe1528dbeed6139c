//! Arabic-aware clean-up of text: NFC, vowel marks, elongation and invisible direction marks.

use unicode_normalization::UnicodeNormalization;

use crate::script::{TATWEEL, is_arabic_letter, is_bidi_control, is_tashkeel};

/// What [`normalise`] changes. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NormaliseOptions {
    /// Compose letters and marks (Unicode form NFC), so that `أ` is one character however it was typed.
    pub nfc: bool,
    /// Remove vowel marks: see [`strip_tashkeel`].
    pub strip_tashkeel: bool,
    /// Remove elongation strokes: see [`strip_tatweel`].
    pub strip_tatweel: bool,
    /// Remove invisible direction marks: see [`strip_bidi_controls`].
    pub strip_bidi_controls: bool,
}

/// Applies the chosen steps, NFC first, so that the stripping sees composed letters.
#[must_use]
pub fn normalise(text: &str, options: NormaliseOptions) -> String {
    let mut out = if options.nfc { nfc(text) } else { text.to_owned() };
    if options.strip_tashkeel {
        out = strip_tashkeel(&out);
    }
    if options.strip_bidi_controls {
        out = strip_bidi_controls(&out);
    }
    if options.strip_tatweel {
        out = strip_tatweel(&out);
    }
    out
}

/// Composes letters and marks (Unicode form NFC).
#[must_use]
pub fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// Removes the vowel marks (fatha, damma, kasra, their doubled forms, shadda, sukun, the small alef) and the
/// marks of Quranic spelling. Hamza and madda stay, also where they stand as marks of their own, since they
/// make another letter.
#[must_use]
pub fn strip_tashkeel(text: &str) -> String {
    text.chars().filter(|c| !is_tashkeel(*c)).collect()
}

/// Removes the elongation stroke `ـ` (U+0640), except in a lone `هـ`, where it is part of the sign: the
/// year of the Hijra (`1445هـ`) and the fifth choice of a list.
#[must_use]
pub fn strip_tatweel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = [' ', ' '];
    while let Some(c) = chars.next() {
        let next_joins = chars.peek().is_some_and(|next| *next == TATWEEL || is_arabic_letter(*next));
        let follows_letter = before[0] == TATWEEL || is_arabic_letter(before[0]);
        let lone_heh = before[1] == 'ه' && !follows_letter && !next_joins;
        if c != TATWEEL || lone_heh {
            out.push(c);
        }
        before = [before[1], c];
    }
    out
}

/// Removes the invisible marks that steer writing direction (U+061C, U+200E, U+200F, U+202A to U+202E,
/// U+2066 to U+2069). Joiners (U+200C, U+200D) stay: they change the letters' shapes and hold emoji together.
#[must_use]
pub fn strip_bidi_controls(text: &str) -> String {
    text.chars().filter(|c| !is_bidi_control(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_changes_nothing() {
        let text = "مُحَمَّــدٌ\u{200F} e\u{0301}";
        assert_eq!(normalise(text, NormaliseOptions::default()), text);
    }

    #[test]
    fn nfc_composes_hamza_and_accents() {
        assert_eq!(nfc("ا\u{0654}حمد"), "أحمد");
        assert_eq!(nfc("ا\u{0653}ن"), "آن");
        assert_eq!(nfc("cafe\u{0301}"), "café");
    }

    #[test]
    fn vowel_marks_go_and_letters_stay() {
        assert_eq!(strip_tashkeel("السَّلَامُ عَلَيْكُمْ"), "السلام عليكم");
        assert_eq!(strip_tashkeel("مُدَرِّسٌ، كِتَابًا، هٰذَا"), "مدرس، كتابا، هذا");
        assert_eq!(strip_tashkeel("بِسْمِ ٱللَّهِ ٱلرَّحْمَـٰنِ"), "بسم ٱلله ٱلرحمـن");
        assert_eq!(strip_tashkeel("café 123"), "café 123");
    }

    #[test]
    fn hamza_and_madda_survive_even_when_decomposed() {
        assert_eq!(strip_tashkeel("ا\u{0654}كل القرا\u{0653}ن"), "ا\u{0654}كل القرا\u{0653}ن");
        let options = NormaliseOptions { nfc: true, strip_tashkeel: true, ..NormaliseOptions::default() };
        assert_eq!(normalise("ا\u{0654}َكَلَ", options), "أكل");
    }

    #[test]
    fn elongation_goes() {
        assert_eq!(strip_tatweel("جمـــيـــل"), "جميل");
        assert_eq!(strip_tatweel("هـــذا كتابـه"), "هذا كتابه");
    }

    #[test]
    fn the_sign_of_the_hijri_year_keeps_its_stroke() {
        assert_eq!(strip_tatweel("عام 1445هـ. هـ) لا"), "عام 1445هـ. هـ) لا");
    }

    #[test]
    fn direction_marks_go_and_joiners_stay() {
        assert_eq!(strip_bidi_controls("\u{202B}مرحبا\u{202C} \u{200E}ok\u{2069}"), "مرحبا ok");
        assert_eq!(strip_bidi_controls("می\u{200C}خواهم 👨\u{200D}👩"), "می\u{200C}خواهم 👨\u{200D}👩");
    }

    #[test]
    fn empty_text_stays_empty() {
        let all = NormaliseOptions {
            nfc: true,
            strip_tashkeel: true,
            strip_tatweel: true,
            strip_bidi_controls: true,
        };
        assert_eq!(normalise("", all), "");
        assert_eq!(normalise("\u{200F}ـ\u{064E}", all), "");
    }
}
