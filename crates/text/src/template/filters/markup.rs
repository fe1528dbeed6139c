//! Filters for HTML and addresses.

use crate::template::args::{Args, Signature, flag};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::html;
use crate::template::show;
use crate::template::value::Value;

pub(super) fn escape(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("escape", 0)?;
    html::escaped(value).map(|text| Value::Markup(text.into()))
}

pub(super) fn forceescape(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_forceescape", 0)?;
    Ok(Value::Markup(html::escape(&show::text(value)?).into()))
}

pub(super) fn safe(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_mark_safe", 0)?;
    Ok(Value::Markup(show::text(value)?.into()))
}

pub(super) fn striptags(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_striptags", 0)?;
    html::striptags(&show::text(value)?).map(Value::str)
}

pub(super) fn xmlattr(value: &Value, args: Args) -> Outcome<Value> {
    let [autospace] =
        args.bind(Signature { function: "do_xmlattr", parameters: ["autospace"], n_needed: 0 })?;
    let Value::Dict(dict) = value else {
        return failed(format!("'{}' object has no attribute 'items'", value.type_name()));
    };
    let mut out = String::new();
    for (key, item) in dict.iter() {
        if matches!(item, Value::None | Value::Undefined(_)) {
            continue;
        }
        let Some(name) = key.as_str() else { return failed("expected string or bytes-like object") };
        if name.contains(['/', '>', '=', ' ', '\t', '\n', '\r', '\u{b}', '\u{c}']) {
            return failed(format!("Invalid character in attribute name: {}", show::repr(key)?));
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&format!("{}=\"{}\"", html::escaped(key)?, html::escaped(item)?));
    }
    if autospace.as_ref().is_none_or(|v| flag(Some(v))) && !out.is_empty() {
        out.insert(0, ' ');
    }
    Ok(Value::str(out))
}

pub(super) fn urlencode(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_urlencode", 0)?;
    if value.as_str().is_some() || !value.is_iterable() {
        return Ok(Value::str(quoted(&show::text(value)?, "/")));
    }
    let pairs = match value {
        Value::Dict(dict) => dict.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        _ => value.items()?.iter().map(pair).collect::<Outcome<Vec<_>>>()?,
    };
    let mut parts = Vec::with_capacity(pairs.len());
    for (key, item) in pairs {
        let form = |value: &Value| Ok(quoted(&show::text(value)?, "").replace("%20", "+"));
        parts.push(format!("{}={}", form(&key)?, form(&item)?));
    }
    Ok(Value::str(parts.join("&")))
}

fn pair(item: &Value) -> Outcome<(Value, Value)> {
    match <[Value; 2]>::try_from(item.items()?) {
        Ok([key, value]) => Ok((key, value)),
        Err(items) => failed(format!("expected 2 values to unpack, got {}", items.len())),
    }
}

/// Python's `quote`: bytes that are not letters, digits, `_.-~` or in `safe` as `%XX`.
fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || safe.as_bytes().contains(&byte);
        if plain { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
    out
}

/// The width of a line of `pprint`, behind which it breaks what it prints.
const LINE: usize = 80;

pub(super) fn pprint(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_pprint", 0)?;
    let text = show::repr(&ordered(value)?)?;
    if text.chars().count() > LINE {
        return refused(format!("the filter `pprint` of more than {LINE} characters"));
    }
    Ok(Value::str(text))
}

/// A value with the keys of its dicts in order, as `pprint` shows them.
fn ordered(value: &Value) -> Outcome<Value> {
    let all = |items: &[Value]| items.iter().map(ordered).collect::<Outcome<Vec<_>>>();
    match value {
        Value::List(seq) => Value::list(all(&seq.items)?),
        Value::Tuple(seq) => Value::tuple(all(&seq.items)?),
        Value::Dict(dict) => {
            let mut pairs = Vec::new();
            for (key, item) in dict.iter() {
                if key.as_str().is_none() {
                    return refused("the filter `pprint` of a dict whose keys are no strings");
                }
                pairs.push((key.clone(), ordered(item)?));
            }
            pairs.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
            Value::dict(pairs)
        }
        Value::View(..) | Value::Object(_) | Value::Group(_) => {
            refused(format!("the filter `pprint` of a {}", value.type_name()))
        }
        _ => Ok(value.clone()),
    }
}
