//! Filters of lists and whatever else has items.

use crate::template::args::{Args, Signature, index_or};
use crate::template::arithmetic::binary;
use crate::template::fault::{Outcome, failed};
use crate::template::filters::attributes::Getter;
use crate::template::length::checked_length;
use crate::template::show;
use crate::template::syntax::Operator;
use crate::template::value::Value;

pub(super) fn first(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_first", 0)?;
    let first = match value {
        Value::Stream(items) => items.borrow_mut().next()?,
        _ => value.items()?.into_iter().next(),
    };
    Ok(first.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
}

pub(super) fn last(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_last", 0)?;
    if matches!(value, Value::Stream(_)) {
        return failed("'generator' object is not reversible");
    }
    let last = reversible(value)?.pop();
    Ok(last.unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
}

fn reversible(value: &Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Markup(text) => {
            text.chars().map(|c| Ok(Value::Markup(c.encode_utf8(&mut [0; 4]).to_owned().into()))).collect()
        }
        _ if value.is_iterable() => value.items(),
        _ => failed(format!("'{}' object is not reversible", value.type_name())),
    }
}

pub(super) fn reverse(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_reverse", 0)?;
    let reversed = |text: &str| text.chars().rev().collect::<String>();
    match value {
        Value::Str(text) => Ok(Value::str(reversed(text))),
        Value::Markup(text) => Ok(Value::Markup(reversed(text).into())),
        Value::Stream(_) => Value::list(value.items()?.into_iter().rev().collect()),
        _ if value.is_iterable() => Ok(Value::stream(value.items()?.into_iter().rev())),
        _ => failed("argument must be iterable"),
    }
}

pub(super) fn items(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("do_items", 0)?;
    match value {
        Value::Undefined(_) => Ok(Value::stream([])),
        Value::Dict(dict) => {
            let pairs: Outcome<Vec<Value>> =
                dict.iter().map(|(k, v)| Value::tuple(vec![k.clone(), v.clone()])).collect();
            Ok(Value::stream(pairs?))
        }
        _ => Ok(Value::stream_until([], failed::<()>("Can only get item pairs from a mapping.").err())),
    }
}

pub(super) fn join(value: &Value, args: Args) -> Outcome<Value> {
    let [separator, attribute] =
        args.bind(Signature { function: "do_join", parameters: ["d", "attribute"], n_needed: 0 })?;
    let separator = separator.map_or(Ok(String::new()), |d| show::text(&d))?;
    let getter = Getter::new(attribute)?;
    let items = value.items()?;
    checked_length((separator.len() as i128).saturating_mul(items.len() as i128))?;
    let texts: Outcome<Vec<String>> = items.iter().map(|item| show::text(&getter.get(item)?)).collect();
    Ok(Value::str(texts?.join(&separator)))
}

pub(super) fn sum(value: &Value, args: Args) -> Outcome<Value> {
    let [attribute, start] =
        args.bind(Signature { function: "do_sum", parameters: ["attribute", "start"], n_needed: 0 })?;
    let getter = Getter::new(attribute)?;
    let mut total = start.unwrap_or(Value::Int(0));
    if total.as_str().is_some() {
        return failed("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for item in value.items()? {
        total = binary(Operator::Add, &total, &getter.get(&item)?)?;
    }
    Ok(total)
}

pub(super) fn slice(value: &Value, args: Args) -> Outcome<Value> {
    let [slices, fill] =
        args.bind(Signature { function: "do_slice", parameters: ["slices", "fill_with"], n_needed: 1 })?;
    let mut out = Vec::new();
    let fault = sliced(value, slices.as_ref(), fill, &mut out).err();
    Ok(Value::stream_until(out, fault))
}

fn sliced(value: &Value, slices: Option<&Value>, fill: Option<Value>, out: &mut Vec<Value>) -> Outcome<()> {
    let items = value.items()?;
    let n = index_or(slices, 0)?;
    if n == 0 {
        return failed("integer division or modulo by zero");
    }
    let n = checked_length(n)?;
    if n == 0 {
        return Ok(());
    }
    let fill = fill.filter(|v| !matches!(v, Value::None));
    let (each, n_longer) = (items.len() / n, items.len() % n);
    let mut rest = items.as_slice();
    for i in 0..n {
        let (part, after) = rest.split_at(each + usize::from(i < n_longer));
        rest = after;
        let mut part = part.to_vec();
        part.extend(fill.clone().filter(|_| i >= n_longer));
        out.push(Value::list(part)?);
    }
    Ok(())
}

pub(super) fn batch(value: &Value, args: Args) -> Outcome<Value> {
    let [count, fill] =
        args.bind(Signature { function: "do_batch", parameters: ["linecount", "fill_with"], n_needed: 1 })?;
    let mut out = Vec::new();
    let fault = batched(value, &count.unwrap_or(Value::None), fill, &mut out).err();
    Ok(Value::stream_until(out, fault))
}

fn batched(value: &Value, count: &Value, fill: Option<Value>, out: &mut Vec<Value>) -> Outcome<()> {
    let fill = fill.filter(|v| !matches!(v, Value::None));
    let mut part: Vec<Value> = Vec::new();
    for item in value.items()? {
        if Value::count(part.len()).equals(count) {
            out.push(Value::list(std::mem::take(&mut part))?);
        }
        part.push(item);
    }
    if !part.is_empty() {
        if let Some(fill) = fill {
            let n = checked_length(index_or(Some(count), 0)?)?;
            part.resize(n.max(part.len()), fill);
        }
        out.push(Value::list(part)?);
    }
    Ok(())
}
