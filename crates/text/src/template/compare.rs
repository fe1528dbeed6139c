//! Python's `<` and `in`.

use std::cmp::Ordering;

use crate::template::fault::{Fault, Outcome, failed, refused};
use crate::template::value::Value;

/// How `a` stands to `b`; `None` where a number is no number.
///
/// # Errors
/// Values of kinds that Python does not order; `sign` is for the message.
pub(crate) fn order(a: &Value, b: &Value, sign: &str) -> Outcome<Option<Ordering>> {
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        return Ok(Some(x.cmp(y)));
    }
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Some(x.cmp(&y)));
    }
    if let (Some(x), Some(y)) = (a.as_f64(), b.as_f64()) {
        return if x.abs().max(y.abs()) > 9e15 && x == y && !a.equals(b) {
            refused("the order of an integer and a float this large")
        } else {
            Ok(x.partial_cmp(&y))
        };
    }
    match (a, b) {
        (Value::Undefined(message), _) | (_, Value::Undefined(message)) => failed(message.to_string()),
        (Value::List(x), Value::List(y))
        | (Value::Tuple(x) | Value::Group(x), Value::Tuple(y) | Value::Group(y)) => {
            for (p, q) in x.items.iter().zip(&y.items) {
                if !p.same(q) {
                    return order(p, q, sign);
                }
            }
            Ok(Some(x.items.len().cmp(&y.items.len())))
        }
        (Value::View(..), Value::View(..)) => refused("the order of two views of dicts"),
        _ => failed(format!(
            "'{sign}' not supported between instances of '{}' and '{}'",
            a.type_name(),
            b.type_name()
        )),
    }
}

/// Whether `a < b`.
pub(crate) fn less(a: &Value, b: &Value) -> Outcome<bool> {
    Ok(order(a, b, "<")? == Some(Ordering::Less))
}

/// Python's stable `sorted`, by keys that stand beside the items.
pub(crate) fn sorted<T>(mut keyed: Vec<(Value, T)>, reverse: bool) -> Outcome<Vec<T>> {
    let mut fault: Option<Fault> = None;
    // Reversed order keeps equal items in their own.
    keyed.sort_by(|(a, _), (b, _)| {
        let (first, second) = if reverse { (b, a) } else { (a, b) };
        match order(first, second, "<") {
            Ok(found) => found.unwrap_or(Ordering::Equal),
            Err(e) => {
                fault.get_or_insert(e);
                Ordering::Equal
            }
        }
    });
    match fault {
        Some(fault) => Err(fault),
        None if keyed.iter().any(|(key, _)| has_nan(key)) => refused("sorting what is no number (nan)"),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

fn has_nan(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_nan(),
        Value::List(seq) | Value::Tuple(seq) => seq.items.iter().any(has_nan),
        _ => false,
    }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Outcome<bool> {
    match container {
        Value::Str(text) | Value::Markup(text) => match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => {
                failed(format!("'in <string>' requires string as left operand, not {}", item.type_name()))
            }
        },
        Value::Dict(dict) | Value::View(crate::template::value::View::Keys, dict) => {
            Ok(dict.get(item)?.is_some())
        }
        Value::Range(span) => Ok(span.numbers().any(|x| Value::Int(x).equals(item))),
        Value::Stream(items) => {
            let mut items = items.borrow_mut();
            while let Some(next) = items.next()? {
                if next.same(item) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ if container.is_iterable() => Ok(container.items()?.iter().any(|x| x.same(item))),
        _ => failed(format!("argument of type '{}' is not iterable", container.type_name())),
    }
}
