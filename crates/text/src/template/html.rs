//! HTML as markupsafe writes and strips it.

use crate::template::chars::is_space;
use crate::template::fault::{Outcome, refused};
use crate::template::show;
use crate::template::value::Value;

/// `escape(value)`: text that is escaped already stays.
pub(crate) fn escaped(value: &Value) -> Outcome<String> {
    match value {
        Value::Markup(text) => Ok(text.to_string()),
        _ => Ok(escape(&show::text(value)?)),
    }
}

/// The five characters of HTML as entities.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `Markup(text).striptags()`: without comments and tags, white space as single spaces, entities as characters.
pub(crate) fn striptags(text: &str) -> Outcome<String> {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = if tag.starts_with("<!--") {
            tag.get(4..).and_then(|t| t.find("-->")).map(|i| i + 7)
        } else {
            tag.find('>').map(|i| i + 1)
        };
        let Some(end) = end else { break };
        kept.push_str(&rest[..at]);
        rest = &tag[end..];
    }
    kept.push_str(rest);
    let words: Vec<&str> = kept.split(is_space).filter(|word| !word.is_empty()).collect();
    unescape(&words.join(" "))
}

/// Python's `html.unescape` for the entities that matter; an entity that is not known here is refused, because
/// Python knows some two thousand.
fn unescape(text: &str) -> Outcome<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let entity = &rest[at..];
        let name = entity[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '#')
            .map_or(entity.len(), |i| i + 1);
        let (body, closed) = (&entity[1..name], entity[name..].starts_with(';'));
        let known = match body {
            "amp" => Some("&"),
            "lt" => Some("<"),
            "gt" => Some(">"),
            "quot" => Some("\""),
            "apos" if closed => Some("'"),
            "nbsp" => Some("\u{a0}"),
            _ => None,
        };
        match known {
            Some(text) => out.push_str(text),
            None if body.starts_with('#') && closed => match numeric(&body[1..]) {
                Some(c) => out.push(c),
                None => return refused(format!("the entity &{body};")),
            },
            None if body.is_empty() || (!closed && body.starts_with(|c: char| c.is_ascii_digit())) => {
                out.push('&');
                out.push_str(body);
                rest = &entity[name..];
                continue;
            }
            None => return refused(format!("the entity &{body};")),
        }
        rest = &entity[name + usize::from(closed)..];
    }
    out.push_str(rest);
    Ok(out)
}

fn numeric(digits: &str) -> Option<char> {
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    // Below 160 Python maps some codes to Windows' characters and drops others.
    let plain = matches!(code, 0x20..=0x7E | 0xA0..=0xD7FF | 0xE000..=0xFDCF | 0xFDF0..=0xFFFD);
    char::from_u32(code).filter(|_| plain)
}
