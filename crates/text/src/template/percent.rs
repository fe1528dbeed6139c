//! Python's `%` on strings: printf-style formatting.

use crate::template::digits::{self, Align, FloatStyle, Padding};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::length::checked_length;
use crate::template::number::truncated;
use crate::template::show;
use crate::template::value::Value;

/// `format % values`.
pub(crate) fn format(format: &str, values: &Value) -> Outcome<String> {
    let mut source = Source::new(values);
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        if let Some(after) = rest[at + 1..].strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (field, after) = Field::read(&rest[at + 1..], &mut source)?;
        out.push_str(&field.write(&mut source)?);
        rest = after;
    }
    out.push_str(rest);
    source.finish()?;
    Ok(out)
}

/// Where the values of fields come from.
struct Source<'a> {
    values: &'a Value,
    used: usize,
    /// The value that a key in parentheses named.
    keyed: Option<Value>,
}

impl<'a> Source<'a> {
    fn new(values: &'a Value) -> Self {
        Self { values, used: 0, keyed: None }
    }

    fn next(&mut self) -> Outcome<Value> {
        if let Some(value) = self.keyed.take() {
            return Ok(value);
        }
        let value = match self.values {
            Value::Tuple(seq) | Value::Group(seq) => seq.items.get(self.used).cloned(),
            single => (self.used == 0).then(|| single.clone()),
        };
        self.used += 1;
        value.map_or_else(|| failed("not enough arguments for format string"), Ok)
    }

    fn key(&mut self, key: &str) -> Outcome<()> {
        let Value::Dict(dict) = self.values else { return failed("format requires a mapping") };
        match dict.get_str(key) {
            Some(value) => {
                self.keyed = Some(value.clone());
                // The dict itself is no value any more.
                self.used = 1;
            }
            None => return failed(format!("KeyError: '{key}'")),
        }
        Ok(())
    }

    /// A number given by `*`.
    fn star(&mut self) -> Outcome<i128> {
        match self.next()? {
            Value::Int(n) => Ok(n),
            Value::Bool(b) => Ok(i128::from(b)),
            _ => failed("* wants int"),
        }
    }

    fn finish(&self) -> Outcome<()> {
        let n_values = match self.values {
            Value::Tuple(seq) | Value::Group(seq) => seq.items.len(),
            // What can be looked up by key may go unused.
            Value::Dict(_) | Value::List(_) | Value::Range(_) | Value::Undefined(_) => return Ok(()),
            Value::Object(object) if object.class() == "Namespace" => return refused("`%` with a namespace"),
            _ => 1,
        };
        if self.used < n_values {
            return failed("not all arguments converted during string formatting");
        }
        Ok(())
    }
}

#[derive(Default)]
struct Field {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Field {
    /// Reads a field after its `%`, and gives what follows it.
    fn read<'t>(mut text: &'t str, source: &mut Source<'_>) -> Outcome<(Self, &'t str)> {
        let mut field = Self::default();
        if let Some(keyed) = text.strip_prefix('(') {
            let Some(end) = closing(keyed) else { return failed("incomplete format key") };
            source.key(&keyed[..end])?;
            text = &keyed[end + 1..];
        }
        while let Some(c) = text.chars().next() {
            match c {
                '-' => field.left = true,
                '+' => field.plus = true,
                ' ' => field.space = true,
                '#' => field.alternate = true,
                '0' => field.zero = true,
                _ => break,
            }
            text = &text[1..];
        }
        if let Some(rest) = text.strip_prefix('*') {
            let width = source.star()?;
            field.left |= width < 0;
            field.width = checked_length(width.abs())?;
            text = rest;
        } else {
            let (width, rest) = digits::leading_number(text)?;
            (field.width, text) = (width.unwrap_or(0), rest);
        }
        if let Some(rest) = text.strip_prefix('.') {
            if let Some(rest) = rest.strip_prefix('*') {
                field.precision = Some(checked_length(source.star()?)?);
                text = rest;
            } else {
                let (precision, rest) = digits::leading_number(rest)?;
                (field.precision, text) = (Some(precision.unwrap_or(0)), rest);
            }
        }
        text = text.strip_prefix(['h', 'l', 'L']).unwrap_or(text);
        let Some(kind) = text.chars().next() else { return failed("incomplete format") };
        field.kind = kind;
        Ok((field, &text[kind.len_utf8()..]))
    }

    fn write(&self, source: &mut Source<'_>) -> Outcome<String> {
        let value = source.next()?;
        match self.kind {
            's' | 'r' | 'a' => {
                let mut text = if self.kind == 's' { show::text(&value)? } else { show::repr(&value)? };
                if self.kind == 'a' && !text.is_ascii() {
                    return refused("`%a` of what is not ASCII");
                }
                if let Some(n) = self.precision {
                    text = text.chars().take(n).collect();
                }
                Ok(self.text(&text))
            }
            'c' => character(&value).map(|c| self.text(c.encode_utf8(&mut [0; 4]))),
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => self.integer(&value),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.float(&value),
            kind => failed(format!("unsupported format character '{kind}'")),
        }
    }

    fn text(&self, text: &str) -> String {
        let align = if self.left { Align::Left } else { Align::Right };
        Padding { fill: ' ', align, width: self.width }.apply("", text)
    }

    fn integer(&self, value: &Value) -> Outcome<String> {
        let number = match value {
            Value::Float(x) if matches!(self.kind, 'd' | 'i' | 'u') && x.is_finite() => truncated(*x)?,
            Value::Float(_) if matches!(self.kind, 'd' | 'i' | 'u') => {
                return failed("cannot convert float infinity or NaN to integer");
            }
            _ => match value.as_int() {
                Some(n) => n,
                None => {
                    let (kind, class) = (self.kind, value.type_name());
                    return failed(format!("%{kind} format: a real number is required, not {class}"));
                }
            },
        };
        let Some((mut digits, prefix)) = digits::integer(number.unsigned_abs(), self.kind) else {
            return failed(format!("unsupported format character '{}'", self.kind));
        };
        while digits.len() < self.precision.unwrap_or(0) {
            digits.insert(0, '0');
        }
        let prefix = if self.alternate { prefix } else { "" };
        Ok(self.number(&format!("{}{prefix}", self.sign(number < 0)), &digits))
    }

    fn float(&self, value: &Value) -> Outcome<String> {
        let Some(number) = value.as_f64() else {
            return failed(format!("must be real number, not {}", value.type_name()));
        };
        let style = FloatStyle { kind: self.kind, precision: self.precision, alternate: self.alternate };
        let digits = digits::float(number.abs(), style)?;
        Ok(self.number(self.sign(number.is_sign_negative() && !number.is_nan()), &digits))
    }

    fn sign(&self, negative: bool) -> &'static str {
        match negative {
            true => "-",
            false if self.plus => "+",
            false if self.space => " ",
            false => "",
        }
    }

    fn number(&self, prefix: &str, digits: &str) -> String {
        let (fill, align) = match (self.left, self.zero) {
            (true, _) => (' ', Align::Left),
            (false, true) => ('0', Align::AfterSign),
            (false, false) => (' ', Align::Right),
        };
        Padding { fill, align, width: self.width }.apply(prefix, digits)
    }
}

/// Where the parenthesis that is open at the start closes.
fn closing(text: &str) -> Option<usize> {
    let mut n_open = 1;
    for (i, c) in text.char_indices() {
        match c {
            '(' => n_open += 1,
            ')' => n_open -= 1,
            _ => {}
        }
        if n_open == 0 {
            return Some(i);
        }
    }
    None
}

fn character(value: &Value) -> Outcome<char> {
    let found = match value.as_str() {
        Some(text) => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
        None => value.as_int().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32),
    };
    found.map_or_else(|| failed("%c requires an int in range(0x110000) or a unicode character"), Ok)
}
