//! The tests of Jinja2: `value is name(args)`.

use crate::template::args::Args;
use crate::template::arithmetic;
use crate::template::compare::{contains, order};
use crate::template::fault::{Outcome, refused};
use crate::template::filters;
use crate::template::methods;
use crate::template::show;
use crate::template::syntax::Operator;
use crate::template::value::Value;

/// A test.
pub(crate) type Check = fn(&Value, Args) -> Outcome<bool>;

const NAMES: [&str; 39] = [
    "odd",
    "even",
    "divisibleby",
    "defined",
    "undefined",
    "filter",
    "test",
    "none",
    "boolean",
    "false",
    "true",
    "integer",
    "float",
    "lower",
    "upper",
    "string",
    "mapping",
    "number",
    "sequence",
    "iterable",
    "callable",
    "sameas",
    "escaped",
    "in",
    "==",
    "eq",
    "equalto",
    "!=",
    "ne",
    ">",
    "gt",
    "greaterthan",
    ">=",
    "ge",
    "<",
    "lt",
    "lessthan",
    "<=",
    "le",
];

/// The test of a name.
pub(crate) fn find(name: &str) -> Option<Check> {
    Some(match name {
        "defined" => |value, args| alone(args, !value.is_undefined()),
        "undefined" => |value, args| alone(args, value.is_undefined()),
        "none" => |value, args| alone(args, matches!(value, Value::None)),
        "boolean" => |value, args| alone(args, matches!(value, Value::Bool(_))),
        "false" => |value, args| alone(args, matches!(value, Value::Bool(false))),
        "true" => |value, args| alone(args, matches!(value, Value::Bool(true))),
        "integer" => |value, args| alone(args, matches!(value, Value::Int(_))),
        "float" => |value, args| alone(args, matches!(value, Value::Float(_))),
        "number" => |value, args| alone(args, value.as_f64().is_some()),
        "string" => |value, args| alone(args, value.as_str().is_some()),
        "escaped" => |value, args| alone(args, matches!(value, Value::Markup(_))),
        "mapping" => |value, args| alone(args, matches!(value, Value::Dict(_))),
        "iterable" => |value, args| alone(args, value.is_iterable()),
        "sequence" => |value, args| alone(args, is_sequence(value)),
        "callable" => |value, args| alone(args, is_callable(value)),
        "lower" => |value, args| alone(args, methods::is_lower(&show::text(value)?)),
        "upper" => |value, args| alone(args, methods::is_upper(&show::text(value)?)),
        "odd" => |value, args| alone(args, remainder(value, &Value::Int(2))?.equals(&Value::Int(1))),
        "even" => |value, args| alone(args, remainder(value, &Value::Int(2))?.equals(&Value::Int(0))),
        "divisibleby" => |value, args| Ok(remainder(value, &other(args)?)?.equals(&Value::Int(0))),
        "sameas" => |value, args| same(value, &other(args)?),
        "in" => |value, args| contains(&other(args)?, value),
        "filter" => |value, args| alone(args, named(value, |name| filters::find(name).is_some())?),
        "test" => |value, args| alone(args, named(value, |name| NAMES.contains(&name))?),
        "==" | "eq" | "equalto" => |value, args| Ok(value.equals(&other(args)?)),
        "!=" | "ne" => |value, args| Ok(!value.equals(&other(args)?)),
        ">" | "gt" | "greaterthan" => {
            |value, args| Ok(order(value, &other(args)?, ">")?.is_some_and(std::cmp::Ordering::is_gt))
        }
        ">=" | "ge" => {
            |value, args| Ok(order(value, &other(args)?, ">=")?.is_some_and(std::cmp::Ordering::is_ge))
        }
        "<" | "lt" | "lessthan" => {
            |value, args| Ok(order(value, &other(args)?, "<")?.is_some_and(std::cmp::Ordering::is_lt))
        }
        "<=" | "le" => {
            |value, args| Ok(order(value, &other(args)?, "<=")?.is_some_and(std::cmp::Ordering::is_le))
        }
        _ => return None,
    })
}

/// The answer of a test that takes no arguments.
fn alone(args: Args, answer: bool) -> Outcome<bool> {
    let [] = args.bind_positional("test", 0)?;
    Ok(answer)
}

/// The one argument of a test.
fn other(args: Args) -> Outcome<Value> {
    if let Some((name, _)) = args.keyword.first() {
        return refused(format!("the argument `{name}` of a test by name"));
    }
    let [other] = args.bind_positional("test", 1)?;
    Ok(other.unwrap_or(Value::None))
}

fn remainder(value: &Value, divisor: &Value) -> Outcome<Value> {
    arithmetic::binary(Operator::Mod, value, divisor)
}

fn named(value: &Value, known: impl Fn(&str) -> bool) -> Outcome<bool> {
    value.check_hashable()?;
    Ok(value.as_str().is_some_and(known))
}

fn is_sequence(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_)
            | Value::Markup(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Group(_)
            | Value::Dict(_)
            | Value::Range(_)
            | Value::Undefined(_)
    )
}

fn is_callable(value: &Value) -> bool {
    match value {
        Value::Method(_) | Value::Function(_) | Value::Undefined(_) => true,
        Value::Object(object) => object.callable(),
        _ => false,
    }
}

/// Python's `is`. Numbers and strings are the same object now and then, as CPython keeps some of them.
fn same(value: &Value, other: &Value) -> Outcome<bool> {
    if value.is_identical(other) {
        return Ok(true);
    }
    let alike = value.type_name() == other.type_name() && value.equals(other);
    match value {
        Value::Int(n) if alike && (-5..=256).contains(n) => Ok(true),
        Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Markup(_) | Value::Tuple(_) if alike => {
            refused(format!("`sameas` between equal values of type {}", value.type_name()))
        }
        _ => Ok(false),
    }
}
