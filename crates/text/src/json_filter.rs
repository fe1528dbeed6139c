//! The `tojson` filter as transformers defines it: Python's `json.dumps` without escaping of other scripts.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind};
use serde_json::Value;

/// How JSON is written, in the words of `json.dumps`.
#[derive(Debug)]
struct Style {
    ensure_ascii: bool,
    sort_keys: bool,
    /// One level of indentation; `None` is everything on one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
}

/// `value | tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over by value")]
pub(crate) fn tojson(
    value: &minijinja::Value,
    ensure_ascii: Option<minijinja::Value>,
    indent: Option<minijinja::Value>,
    separators: Option<minijinja::Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::InvalidOperation, "tojson got an undefined value"));
    }
    let argument = |positional: Option<minijinja::Value>, name: &str| match positional {
        Some(given) => Ok(Some(given)),
        None => kwargs.get::<Option<minijinja::Value>>(name),
    };
    let ensure_ascii = argument(ensure_ascii, "ensure_ascii")?.is_some_and(|v| v.is_true());
    let indent = argument(indent, "indent")?.map(|v| indent_of(&v)).transpose()?.flatten();
    let separators = argument(separators, "separators")?.filter(|v| !v.is_none());
    let sort_keys = argument(None, "sort_keys")?.is_some_and(|v| v.is_true());
    kwargs.assert_all_used()?;
    let (item_separator, key_separator) = match separators {
        Some(pair) => (pair.get_item_by_index(0)?.to_string(), pair.get_item_by_index(1)?.to_string()),
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
    };
    let json = serde_json::to_value(value)
        .map_err(|e| Error::new(ErrorKind::BadSerialization, format!("tojson: {e}")))?;
    let style = Style { ensure_ascii, sort_keys, indent, item_separator, key_separator };
    let mut out = String::new();
    style.write(&json, 0, &mut out);
    Ok(out)
}

/// Python takes a number of spaces or the indentation itself.
fn indent_of(value: &minijinja::Value) -> Result<Option<String>, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Ok(None),
        ValueKind::String => Ok(value.as_str().map(str::to_owned)),
        _ => {
            let n_spaces = value.as_i64().and_then(|n| usize::try_from(n.max(0)).ok());
            n_spaces.filter(|n| *n <= MAX_INDENT).map(|n| Some(" ".repeat(n))).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidOperation,
                    format!("tojson: indent={value} is no number of spaces"),
                )
            })
        }
    }
}

/// A template from outside must not fill the memory with one argument.
const MAX_INDENT: usize = 64;

impl Style {
    fn write(&self, value: &Value, depth: usize, out: &mut String) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => match n.as_f64().filter(|_| n.is_f64()) {
                Some(float) => out.push_str(&python_float(float)),
                None => out.push_str(&n.to_string()),
            },
            Value::String(s) => self.write_string(s, out),
            Value::Array(items) => {
                self.write_container(['[', ']'], items.iter(), (depth, out), |item, depth, out| {
                    self.write(item, depth, out);
                });
            }
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                if self.sort_keys {
                    entries.sort_by_key(|(key, _)| *key);
                }
                self.write_container(
                    ['{', '}'],
                    entries.into_iter(),
                    (depth, out),
                    |(key, item), depth, out| {
                        self.write_string(key, out);
                        out.push_str(&self.key_separator);
                        self.write(item, depth, out);
                    },
                );
            }
        }
    }

    fn write_container<T>(
        &self,
        brackets: [char; 2],
        items: impl ExactSizeIterator<Item = T>,
        (depth, out): (usize, &mut String),
        write_item: impl Fn(T, usize, &mut String),
    ) {
        let empty = items.len() == 0;
        out.push(brackets[0]);
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push_str(&self.item_separator);
            }
            self.break_line(depth + 1, out);
            write_item(item, depth + 1, out);
        }
        if !empty {
            self.break_line(depth, out);
        }
        out.push(brackets[1]);
    }

    fn break_line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn write_string(&self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{08}' => out.push_str("\\b"),
                '\u{0C}' => out.push_str("\\f"),
                c if u32::from(c) < 0x20 || (self.ensure_ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// A float as Python's `repr` writes it: shortest digits, an exponent below 1e-4 and from 1e16 on.
fn python_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, expected) in [
            (1.0, "1.0"),
            (-0.5, "-0.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(python_float(value), expected);
        }
    }
}
