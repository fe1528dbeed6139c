//! The scripts of letters, and the marks that are no letters.

/// Whether a character is a letter of the Arabic script, presentation forms included. Vowel marks are
/// alphabetic to Unicode, but would let one vocalised word outweigh several Latin ones.
pub(crate) fn is_arabic_letter(c: char) -> bool {
    c.is_alphabetic()
        && !is_tashkeel(c)
        && matches!(c,
            '\u{0620}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{0870}'..='\u{08FF}'
            | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{1EE00}'..='\u{1EEBB}')
        && c != TATWEEL
}

/// Whether a character is a letter of the Latin script.
pub(crate) fn is_latin_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (c.is_alphabetic()
            && matches!(c,
                '\u{00AA}'..='\u{024F}' | '\u{1E00}'..='\u{1EFF}' | '\u{FB00}'..='\u{FB06}'
                | '\u{FF21}'..='\u{FF5A}'))
}

/// The stroke that draws a word out: a letter to Unicode, and none to a reader.
pub(crate) const TATWEEL: char = '\u{0640}';

/// Vowel marks and marks of Quranic spelling.
///
/// Ranges from the Unicode charts of Arabic, Arabic Extended-A and Arabic Presentation Forms-B. U+0653 to
/// U+0655 (madda, hamza above and below) are left out on purpose, U+06DD (end of ayah) is no mark on a letter.
pub(crate) fn is_tashkeel(c: char) -> bool {
    matches!(c,
        '\u{064B}'..='\u{0652}' | '\u{0656}'..='\u{065F}' | '\u{0670}' | '\u{0610}'..='\u{061A}'
        | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}' | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}'
        | '\u{08D3}'..='\u{08E1}' | '\u{08E3}'..='\u{08FF}'
        | '\u{FE70}'..='\u{FE72}' | '\u{FE74}' | '\u{FE76}'..='\u{FE7F}')
}

/// Invisible marks that steer writing direction.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}') || is_bidi_opener(c) || is_bidi_closer(c)
}

/// Marks that open a stretch of another direction: LRE, RLE, LRO, RLO, LRI, RLI, FSI.
pub(crate) fn is_bidi_opener(c: char) -> bool {
    matches!(c, '\u{202A}' | '\u{202B}' | '\u{202D}' | '\u{202E}' | '\u{2066}'..='\u{2068}')
}

/// Marks that close one: PDF, PDI.
pub(crate) fn is_bidi_closer(c: char) -> bool {
    matches!(c, '\u{202C}' | '\u{2069}')
}

/// Characters that a reader does not see and a word does not need: direction marks, the spaces of no width, the byte
/// order mark, the soft hyphen, the word joiner and its kind.
pub(crate) fn is_invisible(c: char) -> bool {
    is_bidi_control(c)
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2064}'
            | '\u{206A}'..='\u{206F}' | '\u{FEFF}')
}

/// ZWNJ and ZWJ: inside words they choose the shapes of letters, and hold emoji together.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// White space and what cannot be seen: no sentence begins or ends with it.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c) || is_joiner(c)
}

/// Whether words of a character's script may follow a sentence mark without a space, and have no capitals to show
/// where a sentence begins: Arabic and the scripts of East Asia.
pub(crate) fn needs_no_gap(c: char) -> bool {
    is_arabic_letter(c)
        || matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Marks that may end a sentence.
pub(crate) fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '؟' | '؛' | '۔' | '।' | '。' | '！' | '？')
}

/// Marks that close a quotation, a bracket or emphasis.
pub(crate) fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '›' | '*' | '_' | '`')
}

/// Marks that open one.
pub(crate) fn is_opener(c: char) -> bool {
    matches!(c, '"' | '\'' | '(' | '[' | '{' | '«' | '“' | '‘' | '‹' | '*' | '_' | '`' | '¿' | '¡')
}
