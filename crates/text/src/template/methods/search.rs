//! Methods of strings that look for another string.

use crate::template::args::{Args, index, string};
use crate::template::fault::{Outcome, failed};
use crate::template::value::Value;

pub(super) fn call(text: &str, name: &str, args: Args) -> Outcome<Value> {
    let [wanted, start, end] = args.bind_positional("find", 1)?;
    let wanted = wanted.unwrap_or(Value::None);
    let part = Part::of(text, start.as_ref(), end.as_ref())?;
    if matches!(name, "startswith" | "endswith") {
        return affix(&part, name, &wanted).map(Value::Bool);
    }
    let wanted = string(&wanted)?;
    if name == "count" {
        return Ok(Value::count(match part.text {
            None => 0,
            Some(text) if wanted.is_empty() => text.chars().count() + 1,
            Some(text) => text.matches(wanted).count(),
        }));
    }
    let from_right = name.starts_with('r');
    let found = part.text.and_then(|text| {
        let at = if from_right { text.rfind(wanted) } else { text.find(wanted) }?;
        Some(part.start + text[..at].chars().count())
    });
    match found {
        Some(place) => Ok(Value::count(place)),
        None if name.ends_with("index") => failed("substring not found"),
        None => Ok(Value::Int(-1)),
    }
}

fn affix(part: &Part<'_>, name: &str, wanted: &Value) -> Outcome<bool> {
    let any = match wanted {
        Value::Tuple(seq) | Value::Group(seq) => seq.items.clone(),
        single => vec![single.clone()],
    };
    for affix in &any {
        let Some(affix) = affix.as_str() else {
            return failed(format!(
                "{name} first arg must be str or a tuple of str, not {}",
                affix.type_name()
            ));
        };
        let found = part.text.is_some_and(|text| {
            if name == "startswith" { text.starts_with(affix) } else { text.ends_with(affix) }
        });
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A part of a text between two places.
struct Part<'t> {
    /// Nothing, not even the empty text, where the start is behind the end.
    text: Option<&'t str>,
    /// Where it starts, in characters.
    start: usize,
}

impl<'t> Part<'t> {
    fn of(text: &'t str, start: Option<&Value>, end: Option<&Value>) -> Outcome<Self> {
        let n_chars = text.chars().count() as i128;
        let place = |value: Option<&Value>, default: i128| match value {
            None | Some(Value::None) => Ok(default),
            Some(value) => index(value).map(|i| if i < 0 { (i + n_chars).max(0) } else { i }),
        };
        let (start, end) = (place(start, 0)?, place(end, n_chars)?.min(n_chars));
        if start > end {
            return Ok(Self { text: None, start: 0 });
        }
        let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
        let byte = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
        Ok(Self { text: text.get(byte(start)..byte(end)), start })
    }
}
