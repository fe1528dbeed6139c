//! What Rust reads, against a TypeScript type.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::fields::fields_of;
use super::shape::{Field, Shape, least_of_fields};

/// A type of requests on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its name.
    pub name: &'a str,
    /// Both sides, as "a.rs and b.ts".
    pub files: &'a str,
    /// Fields of the TypeScript type that the page keeps to itself.
    pub kept: &'a [&'a str],
    /// Strings that stand for any string, by the fields that take only some.
    pub texts: &'a [(&'a str, &'a str)],
}

impl Request<'_> {
    /// What differs between a TypeScript type and `T`, which `read` reads from JSON: each field must be known to both, be optional to
    /// both or to neither, and take the same kinds of JSON.
    pub fn unlike<T: DeserializeOwned>(
        &self,
        shape: &Shape,
        read: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        let Shape::Fields(fields) = shape else { panic!("{} is {shape}, and no interface", self.name) };
        let sent: BTreeMap<_, _> =
            fields.clone().into_iter().filter(|(name, _)| !self.kept.contains(&name.as_str())).collect();
        let known = fields_of::<T>();
        let mut least = least_of_fields(&sent);
        for (name, text) in self.texts {
            least.entry(*name).and_modify(|value| *value = json!(text));
        }
        let mut differences = Vec::new();
        for name in sent.keys().map(String::as_str).chain(known.iter().copied()).collect::<BTreeSet<_>>() {
            let of_field = match (sent.get(name), known.contains(&name)) {
                (None, _) => vec![String::from("Rust reads this field, and TypeScript has none")],
                (_, false) => vec![String::from("TypeScript has this field, and Rust does not read it")],
                (Some(field), true) => {
                    self.unlike_field(name, field, &|value| read(&with(&least, name, value)))
                }
            };
            let place = |what| format!("{}.{name}: {what} ({})", self.name, self.files);
            differences.extend(of_field.into_iter().map(place));
        }
        differences
    }

    fn unlike_field(
        &self,
        name: &str,
        field: &Field,
        read: &dyn Fn(Option<Value>) -> Result<(), String>,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        let may_be_absent = field.is_optional || field.shape.fits(&Value::Null);
        match (may_be_absent, read(None)) {
            (true, Err(error)) => {
                differences.push(format!("optional in TypeScript, and Rust needs it: {error}"));
            }
            (false, Ok(())) => differences.push(String::from("optional in Rust, and TypeScript needs it")),
            _ => {}
        }
        let text = self.texts.iter().find(|(of, _)| *of == name).map(|(_, text)| json!(text));
        let samples = field.shape.samples();
        for sample in &samples {
            let value = text.clone().filter(|_| sample == &json!("x")).unwrap_or_else(|| sample.clone());
            if let Err(error) = read(Some(value)) {
                differences.push(format!("TypeScript allows {sample}, and Rust refuses it: {error}"));
            }
        }
        for value in [json!(1), json!(text.unwrap_or_else(|| json!("x"))), json!(true), json!([]), json!({})]
        {
            let is_allowed =
                field.shape == Shape::Any || samples.iter().any(|sample| is_alike(sample, &value));
            if !is_allowed && read(Some(value.clone())).is_ok() {
                differences.push(format!("Rust takes {value}, and TypeScript has {}", field.shape));
            }
        }
        differences
    }
}

/// A request with a field, or without.
fn with(least: &Map<String, Value>, name: &str, value: Option<Value>) -> String {
    let mut request = least.clone();
    request.remove(name);
    request.extend(value.map(|value| (name.to_owned(), value)));
    Value::Object(request).to_string()
}

/// Whether two values are of one kind.
fn is_alike(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
