//! Methods of lists, tuples, dicts, ranges and numbers.

use std::rc::Rc;

use crate::template::args::{Args, index};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::show::repr;
use crate::template::value::{Value, View};

pub(super) fn call(owner: &Value, name: &str, args: Args) -> Outcome<Value> {
    match (owner, name) {
        (Value::Dict(dict), "items" | "keys" | "values") => {
            let [] = args.bind_positional("dict method", 0)?;
            let view = match name {
                "items" => View::Items,
                "keys" => View::Keys,
                _ => View::Values,
            };
            Ok(Value::View(view, Rc::clone(dict)))
        }
        (Value::Dict(dict), "get") => {
            let [key, default] = args.bind_positional("get", 1)?;
            let found = dict.get(&key.unwrap_or(Value::None))?.cloned();
            Ok(found.or(default).unwrap_or(Value::None))
        }
        (Value::Dict(dict), "copy") => {
            let [] = args.bind_positional("copy", 0)?;
            Value::dict(dict.iter().map(|(k, v)| (k.clone(), v.clone())))
        }
        (Value::Dict(_) | Value::Function(_), "fromkeys") => {
            let [keys, value] = args.bind_positional("fromkeys", 1)?;
            let value = value.unwrap_or(Value::None);
            Value::dict(keys.unwrap_or(Value::None).items()?.into_iter().map(|key| (key, value.clone())))
        }
        (Value::List(seq), "copy") => {
            let [] = args.bind_positional("copy", 0)?;
            Value::list(seq.items.clone())
        }
        (_, "count") => {
            let [wanted] = args.bind_positional("count", 1)?;
            let wanted = wanted.unwrap_or(Value::None);
            Ok(Value::count(owner.items()?.iter().filter(|item| item.same(&wanted)).count()))
        }
        (_, "index") => place(owner, args),
        (Value::Float(x), "is_integer") => {
            let [] = args.bind_positional("is_integer", 0)?;
            Ok(Value::Bool(x.is_finite() && x.fract() == 0.0))
        }
        (Value::Int(_) | Value::Bool(_), "bit_length") => {
            let [] = args.bind_positional("bit_length", 0)?;
            let size = owner.as_int().unwrap_or(0).unsigned_abs();
            Ok(Value::Int(i128::from(u128::BITS - size.leading_zeros())))
        }
        _ => refused(format!("the method `{name}` of type {}", owner.type_name())),
    }
}

fn place(owner: &Value, args: Args) -> Outcome<Value> {
    let n_max = if matches!(owner, Value::Range(_)) { 1 } else { 3 };
    if args.positional.len() > n_max {
        return failed(format!("index() takes at most {n_max} arguments"));
    }
    let [wanted, start, end] = args.bind_positional("index", 1)?;
    let wanted = wanted.unwrap_or(Value::None);
    let items = owner.items()?;
    let n = items.len() as i128;
    let bound = |value: Option<Value>, default: i128| match value {
        None => Ok(default),
        Some(value) => index(&value).map(|i| if i < 0 { (i + n).max(0) } else { i.min(n) }),
    };
    let (start, end) = (bound(start, 0)?, bound(end, n)?);
    let found =
        items.iter().enumerate().find(|(i, item)| (start..end).contains(&(*i as i128)) && item.same(&wanted));
    match found {
        Some((i, _)) => Ok(Value::count(i)),
        None => failed(format!("{} is not in {}", repr(&wanted)?, owner.type_name())),
    }
}
