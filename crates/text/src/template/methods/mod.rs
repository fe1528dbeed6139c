//! Python's methods on strings, lists, tuples, dicts and numbers.

mod containers;
mod lines;
mod search;
mod text;

use crate::template::args::Args;
use crate::template::braces;
use crate::template::fault::{Outcome, refused};
use crate::template::value::Value;

pub(crate) use lines::{is_lower, is_upper, splitlines};
pub(crate) use text::{centred, stripped};

/// `owner.name(args)`, for a name that the owner has.
pub(crate) fn call(owner: &Value, name: &str, args: Args) -> Outcome<Value> {
    match owner {
        Value::Str(text) => of_text(text, name, args),
        Value::Markup(text) => of_markup(text, name, args),
        _ => containers::call(owner, name, args),
    }
}

fn of_text(text: &str, name: &str, args: Args) -> Outcome<Value> {
    match name {
        "format" => braces::format(text, &args).map(Value::str),
        "encode" | "maketrans" | "translate" | "format_map" => {
            refused(format!("the method `{name}` of strings"))
        }
        "split" | "rsplit" | "splitlines" | "partition" | "rpartition" | "join" => {
            lines::call(text, name, args)
        }
        "count" | "find" | "rfind" | "index" | "rindex" | "startswith" | "endswith" => {
            search::call(text, name, args)
        }
        _ if name.starts_with("is") => lines::is(text, name, args),
        _ => text::call(text, name, args),
    }
}

/// Methods of escaped text: those that only change it as they would plain text.
fn of_markup(text: &str, name: &str, args: Args) -> Outcome<Value> {
    let escapes = ["format", "format_map", "join", "replace", "ljust", "rjust", "center", "translate"];
    if escapes.contains(&name) {
        return refused(format!("the method `{name}` of escaped text"));
    }
    let markup = |value: Value| match value {
        Value::Str(text) => Value::Markup(text),
        other => other,
    };
    Ok(match of_text(text, name, args)? {
        Value::List(seq) => Value::list(seq.items.iter().cloned().map(markup).collect())?,
        Value::Tuple(seq) => Value::tuple(seq.items.iter().cloned().map(markup).collect())?,
        other => markup(other),
    })
}
