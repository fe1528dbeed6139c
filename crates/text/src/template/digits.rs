//! The digits of numbers in Python's formats, and how they are padded; `%` and `str.format` share them.

use crate::template::fault::{Outcome, failed, refused};
use crate::template::length::checked_length;
use crate::template::number::float_repr;

/// Where the padding of a field goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
    Centre,
    /// Between the sign and the digits.
    AfterSign,
}

/// A field's width, and what fills it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padding {
    pub(crate) fill: char,
    pub(crate) align: Align,
    pub(crate) width: usize,
}

impl Padding {
    /// Pads `prefix` (a sign, `0x`) and `body` to the width in characters.
    pub(crate) fn apply(self, prefix: &str, body: &str) -> String {
        let missing = self.width.saturating_sub(prefix.chars().count() + body.chars().count());
        let fill = |n: usize| String::from(self.fill).repeat(n);
        match self.align {
            Align::Left => format!("{prefix}{body}{}", fill(missing)),
            Align::Right => format!("{}{prefix}{body}", fill(missing)),
            Align::AfterSign => format!("{prefix}{}{body}", fill(missing)),
            Align::Centre => {
                let left = missing / 2;
                format!("{}{prefix}{body}{}", fill(left), fill(missing - left))
            }
        }
    }
}

/// How a float is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatStyle {
    /// `e`, `f`, `g` or their capitals, or `r` for what `str()` writes.
    pub(crate) kind: char,
    pub(crate) precision: Option<usize>,
    /// The flag `#`: a point always, and zeros stay.
    pub(crate) alternate: bool,
}

/// The most decimals that a format may ask for.
const MAX_PRECISION: usize = 1000;

/// The digits of a number that is not negative.
pub(crate) fn float(value: f64, style: FloatStyle) -> Outcome<String> {
    let kind = style.kind.to_ascii_lowercase();
    let capital = style.kind.is_ascii_uppercase();
    let precision = style.precision.unwrap_or(6);
    if precision > MAX_PRECISION {
        return refused(format!("a precision of {precision}; at most {MAX_PRECISION} digits are written"));
    }
    let text = match kind {
        _ if !value.is_finite() => float_repr(value),
        'f' => with_point(format!("{value:.precision$}"), style.alternate),
        'e' => exponent(value, precision, style.alternate),
        'r' if style.precision.is_none() => float_repr(value),
        'g' | 'r' => general(value, precision.max(1), style),
        _ => return failed(format!("unknown format code '{}' for a float", style.kind)),
    };
    Ok(if capital { text.to_uppercase() } else { text })
}

fn with_point(digits: String, always: bool) -> String {
    if always && !digits.contains('.') { digits + "." } else { digits }
}

fn exponent(value: f64, precision: usize, point: bool) -> String {
    let scientific = format!("{value:.precision$e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{}e{sign}{exponent:0>2}", with_point(digits.to_owned(), point))
}

fn general(value: f64, precision: usize, style: FloatStyle) -> String {
    let scientific = format!("{:.*e}", precision - 1, value);
    let power: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or_default();
    // What `str()` would write keeps a digit behind the point, so one digit less fits before an exponent is needed.
    let limit = i32::try_from(precision).unwrap_or(i32::MAX) - i32::from(style.kind == 'r');
    if (-4..limit).contains(&power) {
        let n_decimals =
            usize::try_from(i32::try_from(precision).unwrap_or(i32::MAX) - 1 - power).unwrap_or(0);
        let digits = with_point(format!("{value:.n_decimals$}"), style.alternate);
        let short = if style.alternate { digits } else { without_zeros(&digits).to_owned() };
        return if style.kind == 'r' && !short.contains('.') { short + ".0" } else { short };
    }
    let text = exponent(value, precision - 1, style.alternate);
    match text.split_once('e') {
        Some((digits, power)) if !style.alternate => format!("{}e{power}", without_zeros(digits)),
        _ => text,
    }
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// The digits of a whole number's size in base 2, 8, 10 or 16, after the letter of a format, and its prefix.
pub(crate) fn integer(size: u128, kind: char) -> Option<(String, &'static str)> {
    Some(match kind {
        'd' | 'i' | 'u' => (size.to_string(), ""),
        'b' => (format!("{size:b}"), "0b"),
        'o' => (format!("{size:o}"), "0o"),
        'x' => (format!("{size:x}"), "0x"),
        'X' => (format!("{size:X}"), "0X"),
        _ => return None,
    })
}

/// Digits in groups of `every`, counted from the right of what stands before the point, to at least `width`.
pub(crate) fn grouped(digits: &str, mark: char, every: usize, zero_width: usize) -> String {
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let mut whole = whole.to_owned();
    let length = |n: usize| n + n.saturating_sub(1) / every;
    while length(whole.len()) + rest.len() < zero_width {
        whole.insert(0, '0');
    }
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % every == 0 {
            out.push(mark);
        }
        out.push(c);
    }
    out + rest
}

/// Reads a number at the start of a format: its value and what follows.
pub(crate) fn leading_number(text: &str) -> Outcome<(Option<usize>, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((None, text));
    }
    let number = text[..end].parse::<i128>().unwrap_or(i128::MAX);
    Ok((Some(checked_length(number)?), &text[end..]))
}
