//! The functions that every template has.

use std::rc::Rc;

use crate::clock::{self, LocalTime};
use crate::template::args::{Args, Signature, index};
use crate::template::fault::{Fault, Outcome, failed, refused};
use crate::template::objects::{Cycler, Joiner};
use crate::template::show;
use crate::template::span::Span;
use crate::template::value::Value;

const NAMES: [&str; 8] =
    ["range", "dict", "lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now"];

/// The most numbers that the sandbox lets a `range` have.
const MAX_RANGE: usize = 100_000;

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<Value> {
    NAMES.iter().find(|n| **n == name).map(|name| Value::Function(name))
}

/// Calls a function, but for `namespace`, which a run keeps.
pub(crate) fn call(name: &str, args: Args, now: Option<LocalTime>) -> Outcome<Value> {
    match name {
        "range" => range(args),
        "dict" => Value::dict(dict_pairs(args)?),
        "cycler" if args.keyword.is_empty() => Ok(Value::Object(Cycler::new(args.positional)?)),
        "cycler" => failed("Cycler.__init__() got an unexpected keyword argument"),
        "joiner" => {
            let [separator] =
                args.bind(Signature { function: "joiner", parameters: ["sep"], n_needed: 0 })?;
            Ok(Value::Object(Rc::new(Joiner::new(separator.unwrap_or_else(|| Value::str(", "))))))
        }
        "raise_exception" => {
            let [message] =
                args.bind(Signature { function: "raise_exception", parameters: ["message"], n_needed: 1 })?;
            Err(Fault::Raised(message.map_or_else(|| Ok(String::new()), |m| show::text(&m))?))
        }
        "strftime_now" => strftime_now(args, now),
        _ => refused(format!("the function `{name}`")),
    }
}

fn range(args: Args) -> Outcome<Value> {
    let bounds: [Option<Value>; 3] = args.bind_positional("range", 1)?;
    let [first, second, third] = bounds.map(|value| value.as_ref().map(index).transpose());
    let (start, stop) = match (first?, second?) {
        (Some(start), Some(stop)) => (start, stop),
        (stop, _) => (0, stop.unwrap_or(0)),
    };
    let step = third?.unwrap_or(1);
    if step == 0 {
        return failed("range() arg 3 must not be zero");
    }
    // Larger bounds cannot be of a range that is short enough, but for those that are empty.
    let limit = 1_i128 << 100;
    let span = Span {
        start: start.clamp(-limit, limit),
        stop: stop.clamp(-limit, limit),
        step: step.clamp(-limit, limit),
    };
    if span.len() > MAX_RANGE {
        return failed(format!(
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."
        ));
    }
    Ok(Value::Range(span))
}

/// The pairs that Python's `dict()` is made of: those of a mapping or of an iterable of pairs, then the keywords.
pub(crate) fn dict_pairs(args: Args) -> Outcome<Vec<(Value, Value)>> {
    let keyword = args.keyword;
    let [source] = Args::of(args.positional).bind_positional("dict", 0)?;
    let mut pairs = match source {
        None => Vec::new(),
        Some(Value::Dict(dict)) => dict.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        // Python asks an object for `keys`, which what is undefined answers with an error.
        Some(Value::Undefined(message)) => return failed(message.to_string()),
        Some(source) => source.items()?.iter().map(pair).collect::<Outcome<_>>()?,
    };
    pairs.extend(keyword.into_iter().map(|(name, value)| (Value::Str(name), value)));
    Ok(pairs)
}

fn pair(item: &Value) -> Outcome<(Value, Value)> {
    match <[Value; 2]>::try_from(item.items()?) {
        Ok([key, value]) => Ok((key, value)),
        Err(items) => {
            failed(format!("dictionary update sequence has an item of length {}; 2 is required", items.len()))
        }
    }
}

fn strftime_now(args: Args, now: Option<LocalTime>) -> Outcome<Value> {
    let [format] = args.bind(Signature { function: "strftime_now", parameters: ["format"], n_needed: 1 })?;
    let Some(format) = format.as_ref().and_then(Value::as_str) else {
        return failed("strftime() argument 1 must be str");
    };
    let Some(now) = now else {
        return refused("strftime_now where no clock tells the time; give it with the chat input (`now`)");
    };
    clock::strftime(format, now)
        .map(Value::str)
        .or_else(|directive| refused(format!("{directive} of strftime_now")))
}
