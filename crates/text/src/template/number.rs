//! Numbers as Python prints, reads and rounds them.

use crate::template::chars::{decimal, is_space};
use crate::template::fault::{Outcome, refused};

/// A float as Python's `repr` writes it: shortest digits, an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// The integer part of a float, as `int()` takes it.
pub(crate) fn truncated(value: f64) -> Outcome<i128> {
    if value.abs() < 1e38 { Ok(value.trunc() as i128) } else { refused("integers beyond 128 bits") }
}

/// The text of a number without the white space around it, with digits of all scripts as ASCII. `None` where an
/// underscore does not stand between two digits.
fn plain(text: &str) -> Option<String> {
    let trimmed = text.trim_matches(is_space);
    let ascii: String = trimmed
        .chars()
        .map(|c| if c.is_ascii() { c } else { decimal(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c) })
        .collect();
    let bytes = ascii.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric);
    let sound =
        bytes.iter().enumerate().all(|(i, b)| *b != b'_' || (digit(i.checked_sub(1)) && digit(Some(i + 1))));
    sound.then(|| ascii.replace('_', ""))
}

/// `int(text, base)`; `None` where Python raises a `ValueError`. A base of 0 goes by the prefix.
///
/// # Errors
/// A refusal where the number needs more than 128 bits.
pub(crate) fn parse_int(text: &str, base: u32) -> Outcome<Option<i128>> {
    let Some(text) = plain(text) else { return Ok(None) };
    let (sign, mut digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text.as_str()),
    };
    let mut radix = base;
    for (prefixes, value) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let (true, Some(rest)) =
            (base == 0 || base == value, prefixes.iter().find_map(|p| digits.strip_prefix(p)))
        {
            (digits, radix) = (rest, value);
        }
    }
    if radix == 0 {
        radix = 10;
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0') {
            return Ok(None);
        }
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    match i128::from_str_radix(digits, radix) {
        Ok(number) => Ok(Some(sign * number)),
        Err(_) => refused("integers beyond 128 bits"),
    }
}

/// `float(text)`; `None` where Python raises a `ValueError`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = plain(text)?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let known = ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
    if !known && !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok()
}

/// `round(value, digits)`: to the nearest decimal, and of two as near ones to the even.
pub(crate) fn rounded(value: f64, n_digits: i128) -> f64 {
    if !value.is_finite() || n_digits > 323 {
        return value;
    }
    match usize::try_from(n_digits) {
        // Formatting works on the exact binary value and rounds half to even, as Python's does.
        Ok(n) => format!("{value:.n$}").parse().unwrap_or(value),
        Err(_) if n_digits < -308 => 0.0_f64.copysign(value),
        Err(_) => {
            let exact = format!("{value:.0}");
            let unit = 10_f64.powi(i32::try_from(-n_digits).unwrap_or(308));
            let scaled = value / unit;
            let mut whole = scaled.round();
            if (scaled - whole).abs() == 0.5 || (scaled.fract().abs() == 0.5) {
                whole = 2.0 * (scaled / 2.0).round();
            }
            if exact == "0" || exact == "-0" { 0.0_f64.copysign(value) } else { whole * unit }
        }
    }
}
