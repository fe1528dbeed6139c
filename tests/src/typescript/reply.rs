//! What Rust writes, against a TypeScript type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::shape::{Field, Shape};

/// What differs between a type and values that a Rust type is written as, which together have all that there can be: each variant, each
/// field, and each optional field both present and absent. `files` names both sides, as "a.rs and b.ts".
pub fn unlike_replies(shape: &Shape, values: &[Value], (name, files): (&str, &str)) -> Vec<String> {
    let mut comparison = Comparison { files, differences: Vec::new() };
    comparison.compare(shape, &values.iter().collect::<Vec<_>>(), name);
    comparison.differences
}

struct Comparison<'a> {
    files: &'a str,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn differ(&mut self, at: &str, what: &str) {
        self.differences.push(format!("{at}: {what} ({})", self.files));
    }

    /// Every value must be of an alternative of the type, and every alternative must have a value.
    fn compare(&mut self, shape: &Shape, values: &[&Value], at: &str) {
        let alternatives = shape.alternatives();
        let mut found: Vec<Vec<&Value>> = vec![Vec::new(); alternatives.len()];
        for value in values {
            match alternatives.iter().position(|shape| shape.fits(value)) {
                Some(i) => found[i].push(value),
                None => self.differ(at, &format!("Rust writes {value}, and TypeScript has {shape}")),
            }
        }
        for (shape, values) in alternatives.into_iter().zip(found) {
            match values.as_slice() {
                [] => self.differ(at, &format!("TypeScript has {shape}, which Rust never writes")),
                values => self.compare_parts(shape, values, at),
            }
        }
    }

    fn compare_parts(&mut self, shape: &Shape, values: &[&Value], at: &str) {
        let items = || values.iter().filter_map(|value| value.as_array());
        match shape {
            Shape::List(item) => {
                self.compare(item, &items().flatten().collect::<Vec<_>>(), &format!("{at}[]"));
            }
            Shape::Tuple(shapes) => {
                for (i, shape) in shapes.iter().enumerate() {
                    self.compare(
                        shape,
                        &items().map(|items| &items[i]).collect::<Vec<_>>(),
                        &format!("{at}[{i}]"),
                    );
                }
            }
            Shape::Fields(fields) => self.compare_fields(fields, values, at),
            _ => {}
        }
    }

    fn compare_fields(&mut self, fields: &BTreeMap<String, Field>, values: &[&Value], at: &str) {
        let objects: Vec<_> = values.iter().filter_map(|value| value.as_object()).collect();
        let written = objects.iter().flat_map(|object| object.keys());
        for name in written.chain(fields.keys()).collect::<BTreeSet<_>>() {
            let at = format!("{at}.{name}");
            let present: Vec<_> = objects.iter().filter_map(|object| object.get(name)).collect();
            match fields.get(name) {
                None => self.differ(&at, "Rust writes this field, and TypeScript has none"),
                Some(_) if present.is_empty() => {
                    self.differ(&at, "TypeScript has this field, and Rust never writes it");
                }
                Some(field) => {
                    match (field.is_optional, present.len() < objects.len()) {
                        (true, false) => self.differ(&at, "optional in TypeScript, and always there in Rust"),
                        (false, true) => self.differ(&at, "optional in Rust, and always there in TypeScript"),
                        _ => {}
                    }
                    self.compare(&field.shape, &present, &at);
                }
            }
        }
    }
}
