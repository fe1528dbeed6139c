//! What JSON a TypeScript type allows.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

/// What JSON a TypeScript type allows.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// `unknown`.
    Any,
    /// `number`.
    Number,
    /// `string`.
    Text,
    /// `boolean`.
    Flag,
    /// `object`, whatever it holds.
    Object,
    /// One value alone: a string, `true`, or `null`.
    Literal(Value),
    /// `T[]`.
    List(Box<Self>),
    /// `[T, U]`.
    Tuple(Vec<Self>),
    /// `Record<string, T>`.
    Record(Box<Self>),
    /// An interface.
    Fields(BTreeMap<String, Field>),
    /// `T | U`.
    OneOf(Vec<Self>),
    /// What JSON cannot hold, such as a function.
    Foreign(String),
}

/// A field of an interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub shape: Shape,
    /// Whether it may be absent.
    pub is_optional: bool,
}

impl Shape {
    /// What it may be, one by one.
    pub(super) fn alternatives(&self) -> Vec<&Self> {
        match self {
            Self::OneOf(shapes) => shapes.iter().flat_map(Self::alternatives).collect(),
            one => vec![one],
        }
    }

    /// Whether a value is of this kind, by itself and by what tells objects apart: fields that have one value alone.
    pub(super) fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Object | Self::Record(_) => value.is_object(),
            Self::Literal(literal) => literal == value,
            Self::List(_) => value.is_array(),
            Self::Tuple(shapes) => value.as_array().is_some_and(|values| values.len() == shapes.len()),
            Self::Fields(fields) => {
                let is_told = |(name, field): (&String, &Field)| match (&field.shape, value.get(name)) {
                    (Self::Literal(literal), Some(found)) => literal == found,
                    _ => true,
                };
                value.is_object() && fields.iter().all(is_told)
            }
            Self::OneOf(shapes) => shapes.iter().any(|shape| shape.fits(value)),
            Self::Foreign(_) => false,
        }
    }

    /// Values that together have every alternative and every field, the first with what cannot be absent alone.
    pub(super) fn samples(&self) -> Vec<Value> {
        match self {
            Self::Any | Self::Number => vec![json!(1)],
            Self::Text => vec![json!("x")],
            Self::Flag => vec![json!(false), json!(true)],
            Self::Object => vec![json!({})],
            Self::Literal(value) => vec![value.clone()],
            Self::List(item) => item.samples().into_iter().map(|item| json!([item])).collect(),
            Self::Tuple(shapes) => vec![shapes.iter().filter_map(|shape| shape.samples().pop()).collect()],
            // A number is a name too, and ids are numbers.
            Self::Record(item) => item.samples().into_iter().map(|item| json!({"5": item})).collect(),
            Self::Fields(fields) => samples_of_fields(fields),
            Self::OneOf(shapes) => shapes.iter().flat_map(Self::samples).collect(),
            Self::Foreign(_) => Vec::new(),
        }
    }
}

fn samples_of_fields(fields: &BTreeMap<String, Field>) -> Vec<Value> {
    let least = least_of_fields(fields);
    let mut samples = vec![Value::Object(least.clone())];
    for (name, field) in fields {
        for sample in field.shape.samples() {
            let mut object = least.clone();
            object.insert(name.clone(), sample);
            samples.push(Value::Object(object));
        }
    }
    samples
}

/// An object with the fields that cannot be absent.
pub(super) fn least_of_fields(fields: &BTreeMap<String, Field>) -> serde_json::Map<String, Value> {
    let needed = fields.iter().filter(|(_, field)| !field.is_optional);
    needed
        .filter_map(|(name, field)| Some((name.clone(), field.shape.samples().into_iter().next()?)))
        .collect()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |shapes: &[Self], by: &str| shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(by);
        match self {
            Self::Any => f.write_str("unknown"),
            Self::Number => f.write_str("number"),
            Self::Text => f.write_str("string"),
            Self::Flag => f.write_str("boolean"),
            Self::Object => f.write_str("object"),
            Self::Literal(value) => write!(f, "{value}"),
            Self::List(item) => write!(f, "({item})[]"),
            Self::Tuple(shapes) => write!(f, "[{}]", joined(shapes, ", ")),
            Self::Record(item) => write!(f, "Record<string, {item}>"),
            Self::Fields(fields) => {
                write!(f, "{{ {} }}", fields.keys().cloned().collect::<Vec<_>>().join(", "))
            }
            Self::OneOf(shapes) => f.write_str(&joined(shapes, " | ")),
            Self::Foreign(name) => f.write_str(name),
        }
    }
}
