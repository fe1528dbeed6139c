//! Attributes by path, as many filters take them.

use crate::template::access;
use crate::template::args::{Args, Signature};
use crate::template::chars::decimal;
use crate::template::fault::{Outcome, failed};
use crate::template::number::parse_int;
use crate::template::show::missing;
use crate::template::value::Value;

/// How a key is made of an item: Jinja2's `make_attrgetter`.
pub(super) struct Getter {
    parts: Vec<Value>,
    /// What takes the place of what is missing.
    default: Option<Value>,
    ignore_case: bool,
}

impl Getter {
    /// The getter of `attribute`, which is a path of names and indices between dots, another key, or nothing.
    pub(super) fn new(attribute: Option<Value>) -> Outcome<Self> {
        let parts = match attribute {
            None | Some(Value::None) => Vec::new(),
            Some(attribute) => match attribute.as_str() {
                Some(path) => path.split('.').map(part).collect::<Outcome<_>>()?,
                None => vec![attribute],
            },
        };
        Ok(Self { parts, default: None, ignore_case: false })
    }

    pub(super) fn with_default(mut self, default: Option<Value>) -> Self {
        self.default = default.filter(|v| !matches!(v, Value::None));
        self
    }

    pub(super) fn ignoring_case(mut self, ignore: bool) -> Self {
        self.ignore_case = ignore;
        self
    }

    pub(super) fn get(&self, item: &Value) -> Outcome<Value> {
        let mut item = item.clone();
        for part in &self.parts {
            item = access::item(&item, part)?;
            if let (true, Some(default)) = (item.is_undefined(), &self.default) {
                item = default.clone();
            }
        }
        Ok(if self.ignore_case { without_case(item) } else { item })
    }
}

fn part(text: &str) -> Outcome<Value> {
    let is_index = !text.is_empty() && text.chars().all(|c| decimal(c).is_some());
    match is_index.then(|| parse_int(text, 10)).transpose()?.flatten() {
        Some(number) => Ok(Value::Int(number)),
        None => Ok(Value::str(text)),
    }
}

/// A string in lower case; other values stay.
pub(super) fn without_case(value: Value) -> Value {
    match value.as_str() {
        Some(text) => Value::str(text.to_lowercase()),
        None => value,
    }
}

/// `attr(name)`: an attribute alone, never an item.
pub(super) fn attr(value: &Value, args: Args) -> Outcome<Value> {
    let [name] = args.bind(Signature { function: "do_attr", parameters: ["name"], n_needed: 1 })?;
    let name = name.unwrap_or(Value::None);
    let Some(text) = name.as_str() else { return failed("attribute name must be string") };
    Ok(access::own_attribute(value, text)?.unwrap_or_else(|| missing(value, &name)))
}
