//! Characters as Python's `str` sees them: classes, digits and the mappings of case.

use crate::template::fault::{Outcome, refused};

/// `str.isspace` of one character, which also is what `\s` matches and `strip` removes.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.isprintable` of one character: `repr` escapes all others. The standard library's escapes follow the same
/// categories, except that they touch a mark which stands first.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}

/// The zeros of Unicode's decimal digits (category Nd); nine more follow each. Those at and after U+1D7CE are the
/// five mathematical alphabets in a row.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
    0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950,
    0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC,
    0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950,
];

/// The value of a decimal digit of any script: `str.isdecimal` holds where there is one.
pub(crate) fn decimal(c: char) -> Option<u32> {
    let code = u32::from(c);
    let extra = [0x1E4F0, 0x1FBF0];
    ZEROS.iter().chain(&extra).find(|&&zero| (zero..zero + 10).contains(&code)).map(|zero| code - zero)
}

/// `str.isdigit` of one character: decimals, and superscripts and the like.
pub(crate) fn is_digit(c: char) -> Outcome<bool> {
    if decimal(c).is_some()
        || matches!(c, '²' | '³' | '¹' | '\u{2070}' | '\u{2074}'..='\u{2079}' | '\u{2080}'..='\u{2089}')
    {
        return Ok(true);
    }
    let sure = !c.is_numeric() || c.is_ascii() || matches!(c, '¼'..='¾' | '\u{2150}'..='\u{2189}');
    if sure { Ok(false) } else { unsure("isdigit", c) }
}

/// `str.isnumeric` of one character.
pub(crate) fn is_numeric(c: char) -> Outcome<bool> {
    if c.is_numeric() {
        return Ok(true);
    }
    // Some ideographs are numbers to Python.
    let ideograph = matches!(u32::from(c), 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF);
    if ideograph { unsure("isnumeric", c) } else { Ok(false) }
}

/// `str.isalpha` of one character: a letter by its category. The standard library knows Unicode's broader property
/// `Alphabetic`, which has marks and circled letters too.
pub(crate) fn is_alpha(c: char) -> Outcome<bool> {
    if !c.is_alphabetic() {
        return Ok(false);
    }
    if c.is_ascii() {
        return Ok(true);
    }
    let letters = match u32::from(c) {
        // Marks of Arabic, Hebrew and combining ones; number forms and enclosed letters.
        0x300..=0x36F
        | 0x591..=0x5C7
        | 0x610..=0x61A
        | 0x64B..=0x65F
        | 0x670
        | 0x6D6..=0x6DC
        | 0x6E1..=0x6E4
        | 0x6E7
        | 0x6E8
        | 0x6ED
        | 0x8CA..=0x8FF
        | 0x897 => false,
        0x2160..=0x2182 | 0x2185..=0x2188 | 0x24B6..=0x24E9 | 0x3007 | 0x3021..=0x3029 | 0x3038..=0x303A => {
            false
        }
        0xAA..=0x5FF | 0x620..=0x6FF | 0x750..=0x77F | 0x8A0..=0x8C9 => true,
        0x1C90..=0x1CBF | 0x1E00..=0x1FFF | 0x2071..=0x2139 | 0x3005..=0x30FF | 0x3400..=0x9FFF => true,
        0x10A0..=0x10FF | 0xAC00..=0xD7A3 | 0xF900..=0xFB06 | 0xFB50..=0xFDFF | 0xFE70..=0xFEFC => true,
        0xFF21..=0xFFDC | 0x20000..=0x3FFFF => true,
        _ => return unsure("isalpha", c),
    };
    Ok(letters)
}

/// `str.isalnum` of one character.
pub(crate) fn is_alnum(c: char) -> Outcome<bool> {
    Ok(c.is_numeric() || is_alpha(c)? || is_numeric(c)?)
}

fn unsure<T>(what: &str, c: char) -> Outcome<T> {
    refused(format!("{what} of the character {c:?}"))
}

/// Whether a character is a titlecase letter (category Lt), such as ǅ.
pub(crate) fn is_titlecase(c: char) -> bool {
    matches!(
        u32::from(c),
        0x1C5 | 0x1C8 | 0x1CB | 0x1F2 | 0x1F88..=0x1F8F | 0x1F98..=0x1F9F | 0x1FA8..=0x1FAF | 0x1FBC | 0x1FCC | 0x1FFC
    )
}

/// Whether a character has a case.
pub(crate) fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_titlecase(c)
}

/// Writes the titlecase of one character.
pub(crate) fn push_title(c: char, out: &mut String) -> Outcome<()> {
    if is_titlecase(c) || matches!(u32::from(c), 0x10D0..=0x10FF | 0x149) {
        // Georgian has no titlecase; ŉ is ʼN in both.
        if c == '\u{149}' {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        return Ok(());
    }
    if let 0x1C4..=0x1CC | 0x1F1..=0x1F3 = u32::from(c) {
        let groups = ['\u{1C5}', '\u{1C8}', '\u{1CB}', '\u{1F2}'];
        let near = groups.into_iter().find(|g| u32::from(*g).abs_diff(u32::from(c)) <= 1);
        out.push(near.unwrap_or(c));
        return Ok(());
    }
    let mut upper = c.to_uppercase();
    let many = upper.len() > 1;
    if many && matches!(u32::from(c), 0x1F80..=0x1FFF) {
        return unsure("the titlecase", c);
    }
    out.extend(upper.next());
    for rest in upper {
        out.extend(rest.to_lowercase());
    }
    Ok(())
}

/// Writes the lower case of one character within a word whose ends are not known.
pub(crate) fn push_lower(c: char, out: &mut String) -> Outcome<()> {
    if c == 'Σ' {
        return refused("the lower case of a capital sigma outside of `lower`");
    }
    out.extend(c.to_lowercase());
    Ok(())
}

/// `str.casefold`: full case folding. It is the lower case of the upper case but for what is listed.
pub(crate) fn casefold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            0x131 | 0x13A0..=0x13F5 => out.push(c),
            0x1E9E => out.push_str("ss"),
            0x13F8..=0x13FD | 0xAB70..=0xABBF => out.extend(c.to_uppercase()),
            _ => c.to_uppercase().for_each(|u| out.extend(u.to_lowercase())),
        }
    }
    out
}
