//! Numbers and strings as templates write them.

use crate::template::fault::{Outcome, failed, refused};
use crate::template::token::Token;

/// The number at the start of `text`, and its length. After a dot there are no floats.
pub(crate) fn number(text: &str, after_dot: bool) -> Outcome<(Token, usize)> {
    if let Some(len) = float_len(text).filter(|_| !after_dot) {
        let digits = text[..len].replace('_', "");
        return match digits.parse() {
            Ok(value) => Ok((Token::Float(value), len)),
            Err(_) => failed(format!("the number {digits}")),
        };
    }
    let len = int_len(text);
    let digits = text[..len].replace('_', "").to_ascii_lowercase();
    let (radix, body) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits.as_str()),
    };
    match i128::from_str_radix(body, radix) {
        Ok(value) => Ok((Token::Int(value), len)),
        Err(_) => refused("integers beyond 128 bits"),
    }
}

/// The length of `digits` with single underscores between them: a first part of `first` and then `next`.
fn run_len(text: &str, is_digit: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut n = 0;
    loop {
        let skip = usize::from(n > 0 && bytes.get(n) == Some(&b'_'));
        match bytes.get(n + skip) {
            Some(b) if is_digit(*b) => n += skip + 1,
            _ => return n,
        }
    }
}

fn float_len(text: &str) -> Option<usize> {
    let digits = |text: &str| run_len(text, |b| b.is_ascii_digit());
    let whole = digits(text);
    let fraction = text[whole..].strip_prefix('.').map(digits).filter(|n| *n > 0).map_or(0, |n| n + 1);
    let mut len = whole + fraction;
    let after = &text[len..];
    if let Some(rest) = after.strip_prefix(['e', 'E']) {
        let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let n = digits(unsigned);
        if n > 0 {
            len += 1 + (rest.len() - unsigned.len()) + n;
            return Some(len);
        }
    }
    (fraction > 0).then_some(len)
}

fn int_len(text: &str) -> usize {
    let prefixed = |rest: &str, is_digit: &dyn Fn(u8) -> bool| {
        let skip = usize::from(rest.starts_with('_'));
        let n = run_len(&rest[skip..], is_digit);
        if n > 0 { Some(2 + skip + n) } else { None }
    };
    let found = match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => prefixed(&text[2..], &|b| b.is_ascii_hexdigit()),
        Some("0o") => prefixed(&text[2..], &|b| (b'0'..=b'7').contains(&b)),
        Some("0b") => prefixed(&text[2..], &|b| matches!(b, b'0' | b'1')),
        _ => None,
    };
    found.unwrap_or_else(|| {
        let zero = text.starts_with('0');
        run_len(text, |b| if zero { b == b'0' } else { b.is_ascii_digit() })
    })
}

/// The length of the string literal at the start of `text`, with its quotes.
pub(crate) fn string_len(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// The text of a string literal, by Python's `unicode-escape`.
pub(crate) fn unescaped(literal: &str) -> Outcome<String> {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else { return failed("\\ at end of string") };
        if !c.is_ascii() {
            // Jinja escapes what is beyond ASCII first, so the backslash meets another.
            return refused(format!("the escape \\{c} in a string"));
        }
        rest = &rest[1..];
        let simple = match c {
            '\n' => continue,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => c,
            'x' => hex(&mut rest, 2)?,
            'u' => hex(&mut rest, 4)?,
            'U' => hex(&mut rest, 8)?,
            'N' => return refused("the escape \\N in a string"),
            '0'..='7' => {
                let more = rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let digits = format!("{c}{}", &rest[..more]);
                rest = &rest[more..];
                u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32).unwrap_or_default()
            }
            _ => {
                out.push('\\');
                c
            }
        };
        out.push(simple);
    }
    out.push_str(rest);
    Ok(out)
}

fn hex(rest: &mut &str, n: usize) -> Outcome<char> {
    let Some(digits) = rest.get(..n).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())) else {
        return failed("truncated escape in a string");
    };
    let code = u32::from_str_radix(digits, 16).unwrap_or(u32::MAX);
    *rest = &rest[n..];
    match char::from_u32(code) {
        Some(c) => Ok(c),
        None if (0xD800..0xE000).contains(&code) => refused("halves of surrogate pairs in a string"),
        None => failed("illegal Unicode character in a string"),
    }
}
