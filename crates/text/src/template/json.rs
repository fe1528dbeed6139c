//! JSON: values made of it, and the `tojson` filter as transformers has it, Python's `json.dumps`.

use std::sync::Arc;

use crate::template::args::{Args, Signature, flag};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::number::float_repr;
use crate::template::value::Value;

/// The value of a JSON text that was read.
pub(crate) fn value_of(json: &serde_json::Value) -> Outcome<Value> {
    Ok(match json {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i128() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Str(Arc::from(text.as_str())),
        serde_json::Value::Array(items) => Value::list(items.iter().map(value_of).collect::<Outcome<_>>()?)?,
        serde_json::Value::Object(map) => {
            let pairs: Outcome<Vec<_>> = map.iter().map(|(k, v)| Ok((Value::str(k), value_of(v)?))).collect();
            Value::dict(pairs?)?
        }
    })
}

/// How JSON is written, in the words of `json.dumps`.
struct Style {
    ensure_ascii: bool,
    sort_keys: bool,
    /// One level of indentation; `None` is everything on one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
}

/// `value | tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
pub(crate) fn tojson(value: &Value, args: Args) -> Outcome<String> {
    let [ensure_ascii, indent, separators, sort_keys] = args.bind(Signature {
        function: "tojson",
        parameters: ["ensure_ascii", "indent", "separators", "sort_keys"],
        n_needed: 0,
    })?;
    let indent = indent.as_ref().map(indent_of).transpose()?.flatten();
    let (item_separator, key_separator) = match separators.filter(|v| !matches!(v, Value::None)) {
        Some(pair) => separators_of(&pair)?,
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
    };
    let style = Style {
        ensure_ascii: flag(ensure_ascii.as_ref()),
        sort_keys: flag(sort_keys.as_ref()),
        indent,
        item_separator,
        key_separator,
    };
    let mut out = String::new();
    style.write(value, 0, &mut out)?;
    Ok(out)
}

fn separators_of(pair: &Value) -> Outcome<(String, String)> {
    match pair.items()?.as_slice() {
        [item, key] => match (item.as_str(), key.as_str()) {
            (Some(item), Some(key)) => Ok((item.to_owned(), key.to_owned())),
            _ => failed("tojson: separators must be two strings"),
        },
        _ => failed("tojson: separators must be two strings"),
    }
}

/// A template from outside must not fill the memory with one argument.
const MAX_INDENT: usize = 64;
const MAX_BYTES: usize = 64 << 20;

/// Python takes a number of spaces or the indentation itself.
fn indent_of(value: &Value) -> Outcome<Option<String>> {
    match value {
        Value::None => Ok(None),
        Value::Str(text) | Value::Markup(text) => Ok(Some(text.to_string())),
        _ => match value.as_int() {
            Some(n) => match usize::try_from(n.max(0)) {
                Ok(n) if n <= MAX_INDENT => Ok(Some(" ".repeat(n))),
                _ => {
                    refused(format!("tojson with an indent of {n}; at most {MAX_INDENT} spaces are written"))
                }
            },
            None => failed(format!("tojson: an indent cannot be a {}", value.type_name())),
        },
    }
}

impl Style {
    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Outcome<()> {
        if out.len() > MAX_BYTES {
            return refused("JSON of more than 64 MB");
        }
        match value {
            Value::None => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Float(x) => out.push_str(&json_float(*x)),
            Value::Str(text) | Value::Markup(text) => self.write_string(text, out),
            Value::List(seq) | Value::Tuple(seq) | Value::Group(seq) => {
                self.open('[', seq.items.is_empty(), depth, out);
                for (i, item) in seq.items.iter().enumerate() {
                    self.separate(i, depth, out);
                    self.write(item, depth + 1, out)?;
                }
                self.close(']', seq.items.is_empty(), depth, out);
            }
            Value::Dict(dict) => {
                let mut entries: Vec<(&Value, &Value)> = dict.iter().collect();
                if self.sort_keys {
                    let keyed = entries.into_iter().map(|entry| (entry.0.clone(), entry)).collect();
                    entries = crate::template::compare::sorted(keyed, false)?;
                }
                self.open('{', entries.is_empty(), depth, out);
                for (i, (key, item)) in entries.iter().enumerate() {
                    self.separate(i, depth, out);
                    self.write_string(&key_text(key)?, out);
                    out.push_str(&self.key_separator);
                    self.write(item, depth + 1, out)?;
                }
                self.close('}', entries.is_empty(), depth, out);
            }
            _ => return failed(format!("Object of type {} is not JSON serializable", value.type_name())),
        }
        Ok(())
    }

    fn open(&self, bracket: char, empty: bool, depth: usize, out: &mut String) {
        out.push(bracket);
        if !empty {
            self.break_line(depth + 1, out);
        }
    }

    fn separate(&self, i: usize, depth: usize, out: &mut String) {
        if i > 0 {
            out.push_str(&self.item_separator);
            self.break_line(depth + 1, out);
        }
    }

    fn close(&self, bracket: char, empty: bool, depth: usize, out: &mut String) {
        if !empty {
            self.break_line(depth, out);
        }
        out.push(bracket);
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

fn json_float(value: f64) -> String {
    match value {
        x if x.is_nan() => "NaN".to_owned(),
        x if x.is_infinite() => if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        x => float_repr(x),
    }
}

/// Keys that are no strings are written as some.
fn key_text(key: &Value) -> Outcome<String> {
    match key {
        Value::Str(text) | Value::Markup(text) => Ok(text.to_string()),
        Value::None => Ok("null".to_owned()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Int(n) => Ok(n.to_string()),
        Value::Float(x) => Ok(json_float(*x)),
        _ => failed(format!("keys must be str, int, float, bool or None, not {}", key.type_name())),
    }
}
