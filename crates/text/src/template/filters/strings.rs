//! Filters of strings.

use crate::template::args::{Args, Signature, flag, index, index_or, string as text_of};
use crate::template::chars;
use crate::template::fault::{Outcome, failed, refused};
use crate::template::length::checked_length;
use crate::template::methods;
use crate::template::percent;
use crate::template::show;
use crate::template::value::Value;

/// A text in place of a value: escaped where the value was.
fn like(value: &Value, text: String) -> Value {
    match value {
        Value::Markup(_) => Value::Markup(text.into()),
        _ => Value::str(text),
    }
}

/// `upper`, `lower` and `capitalize`, which are methods of Python's strings.
pub(super) fn cased(value: &Value, name: &str, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("str filter", 0)?;
    let done = methods::call(&Value::str(show::text(value)?), name, Args::default())?;
    Ok(like(value, show::text(&done)?))
}

/// `title`: words begin after white space and some brackets, and are otherwise in lower case.
pub(super) fn title(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_title", 0)?;
    let text = show::text(value)?;
    let splits = |c: char| matches!(c, '-' | '(' | '{' | '[' | '<') || chars::is_space(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let in_word = !splits(c);
        let end = rest.find(|c| splits(c) == in_word).unwrap_or(rest.len());
        let first = c.len_utf8();
        out.push_str(&rest[..first].to_uppercase());
        out.push_str(&rest[first..end].to_lowercase());
        rest = &rest[end..];
    }
    Ok(Value::str(out))
}

pub(super) fn center(value: &Value, args: Args) -> Outcome<Value> {
    let [width] = args.bind(Signature { function: "do_center", parameters: ["width"], n_needed: 0 })?;
    let width = checked_length(index_or(width.as_ref(), 80)?)?;
    Ok(like(value, methods::centred(&show::text(value)?, width)))
}

pub(super) fn trim(value: &Value, args: Args) -> Outcome<Value> {
    let [chars] = args.bind(Signature { function: "do_trim", parameters: ["chars"], n_needed: 0 })?;
    Ok(like(value, methods::stripped(&show::text(value)?, "strip", chars.as_ref())?))
}

pub(super) fn string(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("soft_str", 0)?;
    match value {
        Value::Str(_) | Value::Markup(_) => Ok(value.clone()),
        _ => show::text(value).map(Value::str),
    }
}

pub(super) fn replace(value: &Value, args: Args) -> Outcome<Value> {
    let [old, new, count] =
        args.bind(Signature { function: "do_replace", parameters: ["old", "new", "count"], n_needed: 2 })?;
    let text = |value: Option<Value>| value.map_or(Ok(String::new()), |v| show::text(&v));
    let count = count.filter(|v| !matches!(v, Value::None));
    let (old, new) = (text(old)?, text(new)?);
    let given = Args::of(vec![Value::str(old), Value::str(new), Value::Int(index_or(count.as_ref(), -1)?)]);
    methods::call(&Value::str(show::text(value)?), "replace", given)
}

pub(super) fn format(value: &Value, args: Args) -> Outcome<Value> {
    if matches!(value, Value::Markup(_)) {
        return refused("the filter `format` of escaped text");
    }
    let values = match (args.positional.is_empty(), args.keyword.is_empty()) {
        (false, false) => return failed("can't handle positional and keyword arguments at the same time"),
        (_, true) => Value::tuple(args.positional)?,
        (true, false) => {
            Value::dict(args.keyword.into_iter().map(|(name, value)| (Value::Str(name), value)))?
        }
    };
    percent::format(&show::text(value)?, &values).map(Value::str)
}

pub(super) fn indent(value: &Value, args: Args) -> Outcome<Value> {
    let [width, first, blank] =
        args.bind(Signature { function: "do_indent", parameters: ["width", "first", "blank"], n_needed: 0 })?;
    let indention = match width.unwrap_or(Value::Int(4)) {
        Value::Str(text) | Value::Markup(text) => text.to_string(),
        width => " ".repeat(checked_length(index(&width)?)?),
    };
    let text = match value {
        Value::Undefined(message) => return failed(message.to_string()),
        _ => text_of(value)?.to_owned() + "\n",
    };
    let lines = methods::splitlines(&text, false);
    checked_length((indention.len() as i128).saturating_mul(lines.len() as i128))?;
    let blank = flag(blank.as_ref());
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let indented = if i == 0 { flag(first.as_ref()) } else { blank || !line.is_empty() };
        if indented {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(like(value, out))
}

/// How much longer than asked for a text may be and still stay whole.
const LEEWAY: i128 = 5;

pub(super) fn truncate(value: &Value, args: Args) -> Outcome<Value> {
    let [length, killwords, end, leeway] = args.bind(Signature {
        function: "do_truncate",
        parameters: ["length", "killwords", "end", "leeway"],
        n_needed: 0,
    })?;
    let end = end.unwrap_or_else(|| Value::str("..."));
    let (length, n_end) = (index_or(length.as_ref(), 255)?, end.len()? as i128);
    let leeway = index_or(leeway.filter(|v| !matches!(v, Value::None)).as_ref(), LEEWAY)?;
    if length < n_end {
        return failed(format!("expected length >= {n_end}, got {length}"));
    }
    if leeway < 0 {
        return failed(format!("expected leeway >= 0, got {leeway}"));
    }
    if (value.len()? as i128) <= length + leeway {
        return Ok(value.clone());
    }
    let (text, end) = (text_of(value)?, text_of(&end)?);
    if matches!(value, Value::Markup(_)) {
        return refused("the filter `truncate` of escaped text");
    }
    let cut: String = text.chars().take(usize::try_from(length - n_end).unwrap_or(0)).collect();
    let kept =
        if flag(killwords.as_ref()) { &cut } else { cut.rsplit_once(' ').map_or(&*cut, |(kept, _)| kept) };
    Ok(Value::str(format!("{kept}{end}")))
}

/// `wordcount`: runs of what `\w` matches.
pub(super) fn wordcount(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_wordcount", 0)?;
    let mut n_words = 0;
    let mut in_word = false;
    for c in show::text(value)?.chars() {
        let is_word = c == '_' || chars::is_alnum(c)?;
        n_words += usize::from(is_word && !in_word);
        in_word = is_word;
    }
    Ok(Value::count(n_words))
}
