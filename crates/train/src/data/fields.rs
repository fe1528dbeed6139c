//! The fields of an object, with errors that name them.

use serde_json::{Map, Value};

use crate::fault::Fault;

/// An object and where it stands in its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    at: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// `at` is empty for the row itself.
    pub(crate) fn new(at: &'a str, map: &'a Map<String, Value>) -> Self {
        Self { at, map }
    }

    /// A field's place, such as `conversations[1].value`.
    pub(crate) fn at(&self, name: &str) -> String {
        if self.at.is_empty() { format!("`{name}`") } else { format!("{}.{name}", self.at) }
    }

    /// What a field holds; null is nothing.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text that may be missing.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let wrong = || Fault::Field { at: self.at(name), found: short(value), expected: "a text" };
        value.as_str().map(Some).ok_or_else(wrong)
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)?.ok_or_else(|| Fault::Field {
            at: self.at(name),
            found: "missing".to_owned(),
            expected: "a text",
        })
    }

    /// A text that must be there and not empty.
    pub(crate) fn filled(&self, name: &str) -> Result<&'a str, Fault> {
        let text = self.required(name)?;
        if text.trim().is_empty() { Err(Fault::Empty { at: self.at(name) }) } else { Ok(text) }
    }
}

/// A value in words; long ones by their kind alone.
pub(crate) fn short(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.chars().count() <= LONGEST => format!("the text {text:?}"),
        Value::String(text) => {
            let start: String = text.chars().take(LONGEST).collect();
            format!("the text {start:?}…")
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
