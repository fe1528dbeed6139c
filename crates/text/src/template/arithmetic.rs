//! Python's operators on numbers, strings and lists.

use crate::template::fault::{Outcome, failed, refused};
use crate::template::html::escaped;
use crate::template::length::checked_length;
use crate::template::percent;
use crate::template::syntax::Operator;
use crate::template::value::{Seq, Value};

/// `left operator right`.
pub(crate) fn binary(operator: Operator, left: &Value, right: &Value) -> Outcome<Value> {
    if let Value::Undefined(message) = left {
        return failed(message.to_string());
    }
    if let (Operator::Mod, Some(format)) = (operator, left.as_str()) {
        return match left {
            Value::Markup(_) => refused("`%` on escaped text"),
            _ => percent::format(format, right).map(Value::str),
        };
    }
    if let Value::Undefined(message) = right {
        return failed(message.to_string());
    }
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return integers(operator, a, b);
    }
    if let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) {
        return floats(operator, a, b).map(Value::Float);
    }
    match operator {
        Operator::Add => added(left, right),
        Operator::Mul => repeated(left, right),
        _ => unsupported(operator, left, right),
    }
}

fn unsupported(operator: Operator, left: &Value, right: &Value) -> Outcome<Value> {
    let (a, b) = (left.type_name(), right.type_name());
    if matches!((left, right), (Value::View(..), _) | (_, Value::View(..))) && operator == Operator::Sub {
        return refused("`-` between views of dicts");
    }
    failed(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", operator.sign()))
}

fn overflow<T>() -> Outcome<T> {
    refused("integers beyond 128 bits")
}

fn integers(operator: Operator, a: i128, b: i128) -> Outcome<Value> {
    let whole = |result: Option<i128>| result.map_or_else(overflow, |n| Ok(Value::Int(n)));
    match operator {
        Operator::Add => whole(a.checked_add(b)),
        Operator::Sub => whole(a.checked_sub(b)),
        Operator::Mul => whole(a.checked_mul(b)),
        Operator::Div | Operator::FloorDiv | Operator::Mod if b == 0 => failed("division by zero"),
        Operator::Div => {
            let exact = 1_i128 << 53;
            if a.abs() <= exact && b.abs() <= exact || a % b == 0 {
                let quotient = if a % b == 0 { (a / b) as f64 } else { a as f64 / b as f64 };
                return Ok(Value::Float(if a == 0 && b < 0 { -0.0 } else { quotient }));
            }
            refused("`/` of integers beyond 2**53")
        }
        Operator::FloorDiv => whole(
            a.checked_div_euclid(b).map(|_| a.wrapping_div(b) - i128::from(a % b != 0 && (a < 0) != (b < 0))),
        ),
        Operator::Mod => {
            whole(a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }))
        }
        Operator::Pow if b >= 0 => {
            let exponent = u32::try_from(b).unwrap_or(u32::MAX);
            match a {
                0 | 1 => Ok(Value::Int(if b == 0 { 1 } else { a })),
                -1 => Ok(Value::Int(if b % 2 == 0 { 1 } else { -1 })),
                _ => whole(a.checked_pow(exponent)),
            }
        }
        Operator::Pow => floats(operator, a as f64, b as f64).map(Value::Float),
    }
}

fn floats(operator: Operator, a: f64, b: f64) -> Outcome<f64> {
    match operator {
        Operator::Add => Ok(a + b),
        Operator::Sub => Ok(a - b),
        Operator::Mul => Ok(a * b),
        Operator::Div | Operator::FloorDiv | Operator::Mod if b == 0.0 => failed("float division by zero"),
        Operator::Div => Ok(a / b),
        Operator::FloorDiv => Ok(divided(a, b).0),
        Operator::Mod => Ok(divided(a, b).1),
        Operator::Pow if a == 0.0 && b < 0.0 => failed("0.0 cannot be raised to a negative power"),
        Operator::Pow if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 => {
            refused("`**` whose result is a complex number")
        }
        Operator::Pow => {
            let power = a.powf(b);
            if power.is_infinite() && a.is_finite() && b.is_finite() {
                return failed("(34, 'Numerical result out of range')");
            }
            Ok(power)
        }
    }
}

/// Quotient and remainder as CPython's `float_divmod` computes them.
fn divided(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (remainder < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}

fn added(left: &Value, right: &Value) -> Outcome<Value> {
    let joined = |a: &Seq, b: &Seq| a.items.iter().chain(&b.items).cloned().collect();
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => Ok(Value::str(format!("{a}{b}"))),
        (Value::Markup(a), Value::Str(_) | Value::Markup(_)) => {
            Ok(Value::Markup(format!("{a}{}", escaped(right)?).into()))
        }
        (Value::Str(_), Value::Markup(b)) => Ok(Value::Markup(format!("{}{b}", escaped(left)?).into())),
        (Value::List(a), Value::List(b)) => Value::list(joined(a, b)),
        (Value::Tuple(a) | Value::Group(a), Value::Tuple(b) | Value::Group(b)) => Value::tuple(joined(a, b)),
        (Value::Str(_), _) => {
            failed(format!("can only concatenate str (not \"{}\") to str", right.type_name()))
        }
        (Value::List(_), _) => {
            failed(format!("can only concatenate list (not \"{}\") to list", right.type_name()))
        }
        _ => unsupported(Operator::Add, left, right),
    }
}

fn repeated(left: &Value, right: &Value) -> Outcome<Value> {
    let (what, n) = match (left.as_int(), right.as_int()) {
        (None, Some(n)) => (left, n.max(0)),
        (Some(n), None) => (right, n.max(0)),
        _ => return unsupported(Operator::Mul, left, right),
    };
    let total =
        |len: usize| checked_length(n.saturating_mul(len as i128)).map(|_| usize::try_from(n).unwrap_or(0));
    let items = |seq: &Seq| -> Outcome<Vec<Value>> {
        let n = total(seq.items.len())?;
        Ok(if seq.items.is_empty() {
            Vec::new()
        } else {
            seq.items.iter().cycle().take(n * seq.items.len()).cloned().collect()
        })
    };
    match what {
        Value::Str(text) if text.is_empty() => Ok(what.clone()),
        Value::Str(text) => Ok(Value::str(text.repeat(total(text.len())?))),
        Value::Markup(text) => Ok(Value::Markup(text.repeat(total(text.len())?).into())),
        Value::List(seq) => Value::list(items(seq)?),
        Value::Tuple(seq) | Value::Group(seq) => Value::tuple(items(seq)?),
        _ => unsupported(Operator::Mul, left, right),
    }
}

/// `-value` or `+value`.
pub(crate) fn signed(value: &Value, negative: bool) -> Outcome<Value> {
    match value {
        Value::Undefined(message) => failed(message.to_string()),
        Value::Float(x) => Ok(Value::Float(if negative { -x } else { *x })),
        _ => match value.as_int() {
            Some(n) => Ok(Value::Int(if negative { -n } else { n })),
            None => failed(format!(
                "bad operand type for unary {}: '{}'",
                if negative { '-' } else { '+' },
                value.type_name()
            )),
        },
    }
}
