//! Values as text: Python's `str` and `repr`.

use crate::template::chars::is_printable;
use crate::template::fault::{Outcome, refused};
use crate::template::number::float_repr;
use crate::template::value::{Dict, Value, View};

/// A template must not fill the memory with the text of one value.
const MAX_BYTES: usize = 64 << 20;

/// Python's `str()`.
pub(crate) fn text(value: &Value) -> Outcome<String> {
    match value {
        Value::Undefined(_) => Ok(String::new()),
        Value::Str(text) | Value::Markup(text) => Ok(text.to_string()),
        _ => repr(value),
    }
}

/// Python's `repr()`.
pub(crate) fn repr(value: &Value) -> Outcome<String> {
    let mut out = String::new();
    push_repr(value, 0, &mut out)?;
    Ok(out)
}

/// Writes `repr(value)` for a value that stands `depth` levels deep in another.
pub(crate) fn push_repr(value: &Value, depth: usize, out: &mut String) -> Outcome<()> {
    if out.len() > MAX_BYTES || depth > 300 {
        return refused("the text of a value of more than 64 MB, or that holds itself");
    }
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(n) => out.push_str(&n.to_string()),
        Value::Float(x) => out.push_str(&float_repr(*x)),
        Value::Str(text) => push_quoted(text, out),
        Value::Markup(text) => {
            out.push_str("Markup(");
            push_quoted(text, out);
            out.push(')');
        }
        Value::List(seq) => push_items(["[", "]"], &seq.items, depth, out)?,
        Value::Tuple(seq) | Value::Group(seq) => {
            let close = if seq.items.len() == 1 { ",)" } else { ")" };
            push_items(["(", close], &seq.items, depth, out)?;
        }
        Value::Dict(dict) => push_dict(dict, depth, out)?,
        Value::Range(span) => {
            out.push_str(&format!("range({}, {}", span.start, span.stop));
            let step = if span.step == 1 { ")".to_owned() } else { format!(", {})", span.step) };
            out.push_str(&step);
        }
        Value::View(view, dict) => {
            let open = match view {
                View::Keys => "dict_keys([",
                View::Values => "dict_values([",
                View::Items => "dict_items([",
            };
            let items = Value::View(*view, std::rc::Rc::clone(dict)).items()?;
            push_items([open, "])"], &items, depth, out)?;
        }
        Value::Stream(_) => return refused("printing a generator, which shows an address (use `| list`)"),
        Value::Method(method) => {
            return refused(format!("printing the method `{}`, which shows an address", method.1));
        }
        Value::Function(name) => return refused(format!("printing the function `{name}`")),
        Value::Object(object) => match object.printed(depth) {
            Some(text) => out.push_str(&text?),
            None => return refused(format!("printing a {}, which shows an address", object.class())),
        },
    }
    Ok(())
}

fn push_items(brackets: [&str; 2], items: &[Value], depth: usize, out: &mut String) -> Outcome<()> {
    out.push_str(brackets[0]);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_repr(item, depth + 1, out)?;
    }
    out.push_str(brackets[1]);
    Ok(())
}

/// Writes `{key: value, …}`.
pub(crate) fn push_dict(dict: &Dict, depth: usize, out: &mut String) -> Outcome<()> {
    out.push('{');
    for (i, (key, value)) in dict.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_repr(key, depth + 1, out)?;
        out.push_str(": ");
        push_repr(value, depth + 1, out)?;
    }
    out.push('}');
    Ok(())
}

/// A string literal: single quotes, but where the text has those and no double ones.
fn push_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => out.push_str(&match u32::from(c) {
                code @ 0..=0xFF => format!("\\x{code:02x}"),
                code @ 0x100..=0xFFFF => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    out.push(quote);
}

/// How Jinja2 names an object in its messages.
pub(crate) fn object_name(value: &Value) -> String {
    match value {
        Value::None => "None".to_owned(),
        _ => format!("{} object", value.type_name()),
    }
}

/// What looking up `name` in `owner` gives where it has none.
pub(crate) fn missing(owner: &Value, name: &Value) -> Value {
    let object = object_name(owner);
    Value::undefined(match name.as_str() {
        Some(name) => format!("'{object}' has no attribute '{name}'"),
        None => format!("{object} has no element {}", repr(name).unwrap_or_default()),
    })
}
