//! Attributes, items and slices: `value.name`, `value[key]`, `value[a:b:c]`.

use std::rc::Rc;
use std::sync::Arc;

use crate::template::args::index;
use crate::template::fault::{Outcome, failed, refused};
use crate::template::show::missing;
use crate::template::span::Span;
use crate::template::value::{Seq, Value, View};

/// The attributes of Python's types that do not begin with an underscore.
const STR: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];
const LIST: &[&str] = &["copy", "count", "index"];
const LIST_CHANGING: &[&str] = &["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];
const DICT: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];
const DICT_CHANGING: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];
const INT: &[&str] = &[
    "as_integer_ratio",
    "bit_count",
    "bit_length",
    "conjugate",
    "denominator",
    "from_bytes",
    "imag",
    "is_integer",
    "numerator",
    "real",
    "to_bytes",
];
const FLOAT: &[&str] =
    &["as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real", "from_number"];

/// What an attribute of a value is.
enum Found {
    Nothing,
    Method,
    Value(Value),
}

/// `owner.name`: an attribute, else an item.
///
/// # Errors
/// Any name of what is undefined.
pub(crate) fn attribute(owner: &Value, name: &str) -> Outcome<Value> {
    if let Value::Undefined(message) = owner {
        let is_pythons_own = name.starts_with("__") && name.ends_with("__");
        return if is_pythons_own {
            refused(format!("the attribute `{name}`"))
        } else {
            failed(message.to_string())
        };
    }
    if let Some(found) = own_attribute(owner, name)? {
        return Ok(found);
    }
    let key = Value::str(name);
    Ok(subscript(owner, &key)?.unwrap_or_else(|| missing(owner, &key)))
}

/// `owner[key]`: an item, else an attribute of that name.
pub(crate) fn item(owner: &Value, key: &Value) -> Outcome<Value> {
    if let Value::Undefined(message) = owner {
        return failed(message.to_string());
    }
    if let Some(found) = subscript(owner, key)? {
        return Ok(found);
    }
    if let Some(found) = key.as_str().map(|name| own_attribute(owner, name)).transpose()?.flatten() {
        return Ok(found);
    }
    Ok(missing(owner, key))
}

/// An attribute, as Python's `getattr` and the sandbox give it.
pub(crate) fn own_attribute(owner: &Value, name: &str) -> Outcome<Option<Value>> {
    if let Value::Undefined(message) = owner {
        return if name.starts_with("__") && name.ends_with("__") {
            Ok(None)
        } else {
            failed(message.to_string())
        };
    }
    match lookup(owner, name)? {
        Found::Nothing => Ok(None),
        Found::Value(value) => Ok(Some(value)),
        Found::Method => Ok(Some(Value::Method(Rc::new((owner.clone(), Arc::from(name)))))),
    }
}

fn lookup(owner: &Value, name: &str) -> Outcome<Found> {
    let among = |names: &[&str]| if names.contains(&name) { Found::Method } else { Found::Nothing };
    Ok(match owner {
        Value::Str(_) => among(STR),
        Value::Markup(_) if matches!(name, "unescape" | "striptags" | "escape") => {
            return refused(format!("the method `{name}` of escaped text"));
        }
        Value::Markup(_) => among(STR),
        Value::List(_) if LIST_CHANGING.contains(&name) => Found::Value(unsafe_attribute("list", name)),
        Value::List(_) => among(LIST),
        Value::Dict(_) if DICT_CHANGING.contains(&name) => Found::Value(unsafe_attribute("dict", name)),
        Value::Dict(_) => among(DICT),
        Value::Group(seq) if matches!(name, "grouper" | "list") => {
            Found::Value(seq.items[usize::from(name == "list")].clone())
        }
        Value::Tuple(_) | Value::Group(_) => among(&["count", "index"]),
        Value::Range(span) => match name {
            "start" => Found::Value(Value::Int(span.start)),
            "stop" => Found::Value(Value::Int(span.stop)),
            "step" => Found::Value(Value::Int(span.step)),
            _ => among(&["count", "index"]),
        },
        Value::Int(_) | Value::Bool(_) => match (name, owner.as_int()) {
            ("real" | "numerator", Some(n)) => Found::Value(Value::Int(n)),
            ("imag", _) => Found::Value(Value::Int(0)),
            ("denominator", _) => Found::Value(Value::Int(1)),
            _ => among(INT),
        },
        Value::Float(x) => match name {
            "real" => Found::Value(Value::Float(*x)),
            "imag" => Found::Value(Value::Float(0.0)),
            _ => among(FLOAT),
        },
        Value::Object(object) => object.attribute(name).map_or(Found::Nothing, Found::Value),
        Value::View(view, _)
            if matches!(name, "mapping" | "isdisjoint") && (name == "mapping" || *view != View::Values) =>
        {
            return refused(format!("the attribute `{name}` of a {}", owner.type_name()));
        }
        Value::Stream(_) if matches!(name, "send" | "throw" | "close") => {
            return refused(format!("the attribute `{name}` of a generator"));
        }
        Value::Function("dict") if name == "fromkeys" => Found::Method,
        Value::Function(_) | Value::Method(_) if name == "mro" => {
            return refused("the attribute `mro` of a function");
        }
        _ => Found::Nothing,
    })
}

/// What the immutable sandbox gives for a method that would change its list or dict.
fn unsafe_attribute(class: &str, name: &str) -> Value {
    Value::undefined(format!("access to attribute '{name}' of '{class}' object is unsafe."))
}

/// `owner[key]`, where there is such an item.
fn subscript(owner: &Value, key: &Value) -> Outcome<Option<Value>> {
    let place =
        |len: usize| key.as_int().and_then(|i| usize::try_from(if i < 0 { i + len as i128 } else { i }).ok());
    Ok(match owner {
        Value::List(seq) | Value::Tuple(seq) | Value::Group(seq) => {
            place(seq.items.len()).and_then(|i| seq.items.get(i).cloned())
        }
        Value::Range(span) => place(span.len()).filter(|i| *i < span.len()).map(|i| Value::Int(span.at(i))),
        Value::Str(text) => {
            let i = if key.as_int().is_some_and(|i| i < 0) { place(text.chars().count()) } else { place(0) };
            i.and_then(|i| text.chars().nth(i)).map(|c| Value::str(c.encode_utf8(&mut [0; 4])))
        }
        Value::Markup(text) => {
            let plain = subscript(&Value::Str(Arc::clone(text)), key)?;
            plain.and_then(|c| c.as_str().map(|c| Value::Markup(c.into())))
        }
        Value::Dict(dict) => match key.check_hashable() {
            // Jinja takes the error for a key that cannot be looked up as "not there".
            Err(_) => None,
            Ok(()) => dict.get(key)?.cloned(),
        },
        _ => None,
    })
}

/// The bounds of a slice; what is not given is `None`.
pub(crate) struct Slice {
    pub(crate) start: Value,
    pub(crate) stop: Value,
    pub(crate) step: Value,
}

/// `owner[start:stop:step]`.
pub(crate) fn slice(owner: &Value, slice: &Slice) -> Outcome<Value> {
    let span = |len: usize| slice_span(slice, len);
    let pick = |seq: &Seq| -> Outcome<Vec<Value>> {
        Ok(places(span(seq.items.len())?).map(|i| seq.items[i].clone()).collect())
    };
    match owner {
        Value::Undefined(message) => failed(message.to_string()),
        Value::Str(text) => slice_text(text, slice).map(Value::str),
        Value::Markup(text) => slice_text(text, slice).map(|t| Value::Markup(t.into())),
        Value::List(seq) => Value::list(pick(seq)?),
        Value::Tuple(seq) | Value::Group(seq) => Value::tuple(pick(seq)?),
        Value::Range(range) => {
            let taken = span(range.len())?;
            let at = |i: i128| range.start + range.step * i;
            Ok(Value::Range(Span {
                start: at(taken.start),
                stop: at(taken.stop),
                step: range.step * taken.step,
            }))
        }
        // Jinja2 fails, or gives nothing where it can compute the slice before it runs.
        _ => refused(format!("slices of a value of type {}", owner.type_name())),
    }
}

fn slice_text(text: &str, slice: &Slice) -> Outcome<String> {
    let chars: Vec<char> = text.chars().collect();
    Ok(places(slice_span(slice, chars.len())?).map(|i| chars[i]).collect())
}

fn places(span: Span) -> impl Iterator<Item = usize> {
    (0..span.len()).map(move |i| usize::try_from(span.at(i)).unwrap_or_default())
}

/// The places that a slice takes of `len` items, as CPython's `PySlice_AdjustIndices` computes them.
fn slice_span(slice: &Slice, len: usize) -> Outcome<Span> {
    let given = |value: &Value| match value {
        Value::None => Ok(None),
        // Jinja2 fails, or gives nothing where it can compute the slice before it runs.
        value => index(value).map(Some).or_else(|_| refused("slices whose bounds are no integers")),
    };
    let step = given(&slice.step)?.unwrap_or(1);
    if step == 0 {
        return failed("slice step cannot be zero");
    }
    let len = len as i128;
    let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
    let clamp = |i: i128| if i < 0 { (i.saturating_add(len)).max(low) } else { i.min(high) };
    let start = given(&slice.start)?.map_or(if step < 0 { high } else { low }, clamp);
    let stop = given(&slice.stop)?.map_or(if step < 0 { low } else { high }, clamp);
    Ok(Span { start, stop, step: step.clamp(-len - 1, len + 1) })
}
