//! Methods of strings that cut and join them, and those that tell what they are made of.

use crate::template::args::{Args, Signature, flag, index_or, string};
use crate::template::chars;
use crate::template::fault::{Outcome, failed, refused};
use crate::template::length::checked_length;
use crate::template::value::Value;

pub(super) fn call(text: &str, name: &str, args: Args) -> Outcome<Value> {
    match name {
        "split" | "rsplit" => split(text, name == "rsplit", args),
        "splitlines" => {
            let [keep] =
                args.bind(Signature { function: "splitlines", parameters: ["keepends"], n_needed: 0 })?;
            Value::list(splitlines(text, flag(keep.as_ref())).into_iter().map(Value::str).collect())
        }
        "join" => join(text, args),
        _ => {
            let [separator] = args.bind_positional("partition", 1)?;
            let separator = separator.unwrap_or(Value::None);
            partition(text, string(&separator)?, name == "rpartition")
        }
    }
}

fn split(text: &str, from_right: bool, args: Args) -> Outcome<Value> {
    let [separator, max] =
        args.bind(Signature { function: "split", parameters: ["sep", "maxsplit"], n_needed: 0 })?;
    let n = usize::try_from(index_or(max.as_ref(), -1)?).unwrap_or(usize::MAX);
    let separator = separator.filter(|v| !matches!(v, Value::None));
    let mut parts: Vec<&str> = match &separator {
        None if from_right => words_from_right(text, n),
        None => words(text, n),
        Some(separator) => match string(separator)? {
            "" => return failed("empty separator"),
            separator if from_right => text.rsplitn(n.saturating_add(1), separator).collect(),
            separator => text.splitn(n.saturating_add(1), separator).collect(),
        },
    };
    if from_right {
        parts.reverse();
    }
    Value::list(parts.into_iter().map(Value::str).collect())
}

/// Words between white space; what is left after `n` of them keeps its inner white space.
fn words(text: &str, n: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches(chars::is_space);
    while !rest.is_empty() {
        let end = rest.find(chars::is_space).filter(|_| out.len() < n).unwrap_or(rest.len());
        out.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(chars::is_space);
    }
    out
}

/// As [`words`], from the right and in that order.
fn words_from_right(text: &str, n: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text.trim_end_matches(chars::is_space);
    while !rest.is_empty() {
        let cut = rest.char_indices().rev().find(|(_, c)| chars::is_space(*c)).filter(|_| out.len() < n);
        let start = cut.map_or(0, |(at, c)| at + c.len_utf8());
        out.push(&rest[start..]);
        rest = rest[..start].trim_end_matches(chars::is_space);
    }
    out
}

/// `str.splitlines(keepends)`.
pub(crate) fn splitlines(text: &str, keep: bool) -> Vec<&str> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends) {
        let mark = rest[at..].chars().next().map_or(1, char::len_utf8);
        let mark = if rest[at..].starts_with("\r\n") { 2 } else { mark };
        lines.push(&rest[..if keep { at + mark } else { at }]);
        rest = &rest[at + mark..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn join(separator: &str, args: Args) -> Outcome<Value> {
    let [items] = args.bind_positional("join", 1)?;
    let items = items.unwrap_or(Value::None).items()?;
    let mut parts = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(text) => parts.push(text),
            None => {
                let class = item.type_name();
                return failed(format!("sequence item {i}: expected str instance, {class} found"));
            }
        }
    }
    checked_length(separator.len() as i128 * parts.len() as i128)?;
    Ok(Value::str(parts.join(separator)))
}

fn partition(text: &str, separator: &str, from_right: bool) -> Outcome<Value> {
    if separator.is_empty() {
        return failed("empty separator");
    }
    let found = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Value::tuple(parts.into_iter().map(Value::str).collect())
}

/// `isalpha` and its like.
pub(super) fn is(text: &str, name: &str, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("str method", 0)?;
    let all = |test: &dyn Fn(char) -> Outcome<bool>| -> Outcome<bool> {
        for c in text.chars() {
            if !test(c)? {
                return Ok(false);
            }
        }
        Ok(!text.is_empty())
    };
    Ok(Value::Bool(match name {
        "isalpha" => all(&chars::is_alpha)?,
        "isalnum" => all(&chars::is_alnum)?,
        "isdecimal" => all(&|c| Ok(chars::decimal(c).is_some()))?,
        "isdigit" => all(&chars::is_digit)?,
        "isnumeric" => all(&chars::is_numeric)?,
        "isspace" => all(&|c| Ok(chars::is_space(c)))?,
        "isascii" => text.is_ascii(),
        "isprintable" => text.chars().all(chars::is_printable),
        "islower" => is_lower(text),
        "isupper" => is_upper(text),
        "istitle" => is_title(text),
        "isidentifier" if text.is_ascii() => {
            let rest = |c: char| c == '_' || c.is_ascii_alphanumeric();
            text.chars().all(rest) && text.starts_with(|c: char| rest(c) && !c.is_ascii_digit())
        }
        _ => return refused(format!("the method `{name}` of this string")),
    }))
}

/// `str.islower`.
pub(crate) fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase) && !text.chars().any(|c| c.is_uppercase() || chars::is_titlecase(c))
}

/// `str.isupper`.
pub(crate) fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(|c| c.is_lowercase() || chars::is_titlecase(c))
}

fn is_title(text: &str) -> bool {
    let (mut in_word, mut has_case) = (false, false);
    for c in text.chars() {
        let begins = c.is_uppercase() || chars::is_titlecase(c);
        if (begins && in_word) || (c.is_lowercase() && !in_word) {
            return false;
        }
        in_word = chars::is_cased(c);
        has_case |= in_word;
    }
    has_case
}
