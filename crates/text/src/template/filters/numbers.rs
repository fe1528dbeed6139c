//! Filters of numbers.

use crate::template::args::{Args, Signature, flag, index, index_or};
use crate::template::arithmetic::{binary, signed};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::number::{parse_float, parse_int, rounded, truncated};
use crate::template::syntax::Operator;
use crate::template::value::Value;

pub(super) fn abs(value: &Value, args: Args) -> Outcome<Value> {
    let [] = args.bind_positional("abs", 0)?;
    match value {
        Value::Float(x) => Ok(Value::Float(x.abs())),
        _ => match value.as_int() {
            Some(n) => Ok(Value::Int(n.abs())),
            None => failed(format!("bad operand type for abs(): '{}'", value.type_name())),
        },
    }
}

pub(super) fn int(value: &Value, args: Args) -> Outcome<Value> {
    let [default, base] =
        args.bind(Signature { function: "do_int", parameters: ["default", "base"], n_needed: 0 })?;
    let default = default.unwrap_or(Value::Int(0));
    if let Some(number) = value.as_int() {
        return Ok(Value::Int(number));
    }
    match value {
        Value::Undefined(message) => failed(message.to_string()),
        Value::Float(x) if x.is_infinite() => failed("cannot convert float infinity to integer"),
        Value::Float(x) if x.is_nan() => Ok(default),
        Value::Float(x) => truncated(*x).map(Value::Int),
        Value::Str(text) | Value::Markup(text) => {
            let base = index_or(base.as_ref(), 10)?;
            let read = match u32::try_from(base) {
                Ok(base) if base == 0 || (2..=36).contains(&base) => parse_int(text, base)?,
                _ => None,
            };
            match (read, parse_float(text)) {
                (Some(number), _) => Ok(Value::Int(number)),
                (None, Some(x)) if x.is_finite() => truncated(x).map(Value::Int),
                _ => Ok(default),
            }
        }
        _ => Ok(default),
    }
}

pub(super) fn float(value: &Value, args: Args) -> Outcome<Value> {
    let [default] = args.bind(Signature { function: "do_float", parameters: ["default"], n_needed: 0 })?;
    let read = match value {
        Value::Undefined(message) => return failed(message.to_string()),
        Value::Str(text) | Value::Markup(text) => parse_float(text),
        _ => value.as_f64(),
    };
    Ok(read.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

pub(super) fn round(value: &Value, args: Args) -> Outcome<Value> {
    let [precision, method] =
        args.bind(Signature { function: "do_round", parameters: ["precision", "method"], n_needed: 0 })?;
    let method = method.unwrap_or_else(|| Value::str("common"));
    let precision = precision.unwrap_or(Value::Int(0));
    match method.as_str() {
        Some("common") => match (value, &precision) {
            (Value::Float(x), Value::None) => truncated(rounded(*x, 0)).map(Value::Int),
            (_, Value::None) => common(value, 0),
            _ => common(value, index(&precision)?),
        },
        Some(name @ ("ceil" | "floor")) => {
            let unit = binary(Operator::Pow, &Value::Int(10), &precision)?;
            let scaled = binary(Operator::Mul, value, &unit)?;
            let whole = match scaled {
                Value::Float(x) if !x.is_finite() => {
                    return failed("cannot convert float infinity to integer");
                }
                Value::Float(x) => truncated(if name == "ceil" { x.ceil() } else { x.floor() })?,
                _ => match scaled.as_int() {
                    Some(n) => n,
                    None => return failed(format!("must be real number, not {}", value.type_name())),
                },
            };
            binary(Operator::Div, &Value::Int(whole), &unit)
        }
        _ => failed("method must be common, ceil or floor"),
    }
}

fn common(value: &Value, n_digits: i128) -> Outcome<Value> {
    match value {
        Value::Float(x) => Ok(Value::Float(rounded(*x, n_digits))),
        _ => match value.as_int() {
            Some(n) if n_digits >= 0 => Ok(Value::Int(n)),
            Some(n) => {
                let Some(unit) = u32::try_from(-n_digits).ok().and_then(|e| 10_i128.checked_pow(e)) else {
                    return Ok(Value::Int(0));
                };
                let down = n.div_euclid(unit) * unit;
                let (below, above) = (n - down, unit - (n - down));
                let even = (down / unit) % 2 == 0;
                Ok(Value::Int(if below < above || (below == above && even) { down } else { down + unit }))
            }
            None => failed(format!("type {} doesn't define __round__ method", value.type_name())),
        },
    }
}

pub(super) fn filesizeformat(value: &Value, args: Args) -> Outcome<Value> {
    let [binary_units] =
        args.bind(Signature { function: "do_filesizeformat", parameters: ["binary"], n_needed: 0 })?;
    let binary_units = flag(binary_units.as_ref());
    let size = match value.as_str() {
        Some(text) => parse_float(text),
        None => value.as_f64(),
    };
    let Some(size) = size else {
        // `signed` names what is undefined; anything else is no number to Python.
        signed(value, false)?;
        return failed(format!("could not convert {} to float", value.type_name()));
    };
    if !size.is_finite() {
        return refused("filesizeformat of what is no finite number");
    }
    let (base, unit) = if binary_units { (1024_f64, "iB") } else { (1000_f64, "B") };
    if size == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if size < base {
        return Ok(Value::str(format!("{} Bytes", truncated(size)?)));
    }
    let letters = if binary_units { "KMGTPEZY" } else { "kMGTPEZY" };
    let mut shown = (0.0, ' ');
    let mut step = base;
    for letter in letters.chars() {
        step *= base;
        shown = (base * size / step, letter);
        if size < step {
            break;
        }
    }
    Ok(Value::str(format!("{:.1} {}{unit}", shown.0, shown.1)))
}
