//! What one character is folded to, by itself and by its neighbours.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::script::{TATWEEL, is_arabic_letter, is_invisible, is_joiner, is_tashkeel};

/// What Persian and Urdu keyboards give for signs that Arabic has too: `ی`, `ک`, `ہ`, `۳`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EasternForms {
    /// They are the Arabic letters and the digits that they stand for in an Arabic text.
    #[default]
    Fold,
    /// They stay, as the letters of a language that has them.
    Keep,
}

/// A character between its neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The last two characters of what was folded, the nearer one last.
    pub(super) before: [Option<char>; 2],
    /// The text behind the character.
    pub(super) after: &'a str,
}

/// How far the neighbour behind is sought past what cannot be seen; more would make a text of marks slow.
const MAX_LOOK_AHEAD_CHARS: usize = 64;

impl Place<'_> {
    /// The next character that `skip` does not pass over.
    fn next(&self, skip: fn(char) -> bool) -> Option<char> {
        self.after.chars().take(MAX_LOOK_AHEAD_CHARS).find(|c| !is_invisible(*c) && !skip(*c))
    }
}

/// Appends what `c` is folded to; nothing where it is none of the words.
pub(super) fn fold_char(c: char, place: Place<'_>, eastern: EasternForms, out: &mut String) {
    match c {
        _ if c.is_ascii() && !matches!(c, '?' | ',' | ';') => out.push(c),
        '?' | ',' | ';' => out.push(if is_arabic_mark(place) { arabic_mark(c) } else { c }),
        TATWEEL => out.extend(is_sign(place).then_some(c)),
        _ if is_invisible(c) => {}
        _ if is_joiner(c) => out.extend(is_inside(place).then_some(c)),
        '\u{2010}' | '\u{2011}' => out.push('-'),
        _ if is_space(c) => out.push(' '),
        _ if is_compatible(c) => out.extend(plain_form(c).map(|c| eastern_form(c, eastern))),
        _ => out.push(eastern_form(c, eastern)),
    }
}

/// Spaces of any width within a line (Unicode's Zs).
fn is_space(c: char) -> bool {
    matches!(c, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

/// Characters that NFKC turns into the letters and signs that they are forms of: Arabic presentation forms, ligatures
/// and mathematical letters, Latin ligatures, small and full-width forms, mathematical letters. NFKC at large would
/// also take `m²` for `m2` and `½` for `1⁄2`.
fn is_compatible(c: char) -> bool {
    matches!(c,
        '\u{0675}'..='\u{0678}' | '\u{FB00}'..='\u{FB06}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE50}'..='\u{FE6B}'
        | '\u{FE70}'..='\u{FEFC}' | '\u{FF01}'..='\u{FF5E}' | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1D400}'..='\u{1D7FF}' | '\u{1EE00}'..='\u{1EEFF}')
}

/// The characters of a compatibility form. A vowel mark that was set by itself comes without the space or stroke that
/// NFKC sets it on.
fn plain_form(c: char) -> impl Iterator<Item = char> {
    let has_mark = c.nfkc().any(is_combining_mark);
    std::iter::once(c).nfkc().filter(move |c| !(*c == TATWEEL || (has_mark && *c == ' ')))
}

fn eastern_form(c: char, eastern: EasternForms) -> char {
    if eastern == EasternForms::Keep {
        return c;
    }
    match c {
        '\u{06CC}' => 'ي',
        '\u{06A9}' | '\u{06AA}' => 'ك',
        '\u{06BE}' | '\u{06C1}' => 'ه',
        '\u{06C3}' => 'ة',
        '\u{06F0}'..='\u{06F9}' => char::from(b'0' + (u32::from(c) - 0x06F0) as u8),
        _ => c,
    }
}

/// Whether an ASCII mark ends Arabic words, as the mark of an Arabic keyboard would.
fn is_arabic_mark(place: Place<'_>) -> bool {
    let ends_word = place.before[1].is_some_and(|c| is_arabic_letter(c) || is_tashkeel(c) || c == '؟');
    let ends = |c: char| {
        c.is_whitespace()
            || is_arabic_letter(c)
            || matches!(c, '?' | '!' | '.' | '؟' | '"' | '\'' | ')' | ']' | '»' | '”' | '’' | '*')
    };
    ends_word && place.next(|_| false).is_none_or(ends)
}

fn arabic_mark(c: char) -> char {
    match c {
        '?' => '؟',
        ',' => '،',
        ';' => '؛',
        _ => c,
    }
}

/// Whether a tatweel draws out no word: a dash, or the sign of the Hijri year (`1445هـ`), which has one of them.
fn is_sign(place: Place<'_>) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| is_arabic_letter(c) || is_tashkeel(c));
    let [second, first] = place.before;
    if joins(place.next(|c| c == TATWEEL)) {
        return false;
    }
    match (second, first) {
        (Some('ه'), Some(TATWEEL)) => false,
        (second, Some('ه')) => !joins(second),
        (_, first) => !joins(first),
    }
}

/// Whether a joiner stands inside a word or an emoji.
fn is_inside(place: Place<'_>) -> bool {
    let joins = |c: Option<char>| {
        c.is_some_and(|c| {
            c.is_alphanumeric()
                || is_combining_mark(c)
                || matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
        })
    };
    joins(place.before[1]) && joins(place.next(is_joiner))
}
