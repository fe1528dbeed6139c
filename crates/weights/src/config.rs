//! config.json under all the names that its values go by.

use serde_json::{Map, Value};

use crate::error::WeightsError;

/// An object of a JSON file with typed lookups; `null` counts as absent.
///
/// Every lookup takes the list of names that one value goes by in the dialects of config.json. Names that are
/// both there must agree.
#[derive(Debug, Clone)]
pub struct Config {
    file: String,
    prefix: String,
    map: Map<String, Value>,
}

impl Config {
    /// Reads the text of a JSON file whose outermost value is an object; `file` names it in messages.
    ///
    /// # Errors
    /// The text is not JSON, holds NaN or Infinity, or is no object.
    pub fn parse(file: &str, text: &str) -> Result<Self, WeightsError> {
        if let Some((literal, line)) = not_a_number(text) {
            return Err(WeightsError::NotANumber { file: file.to_owned(), literal, line });
        }
        match serde_json::from_str(text) {
            Ok(map) => Ok(Self { file: file.to_owned(), prefix: String::new(), map }),
            Err(e) => Err(WeightsError::Json { file: file.to_owned(), detail: e.to_string() }),
        }
    }

    /// The file in words, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Names at this level, in the file's order where it is kept, else sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// All values at this level as they stand in the file.
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// A value as it stands in the file; `None` where it is absent or null.
    pub fn raw(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A count.
    ///
    /// # Errors
    /// The value is no whole number from 0, or two names disagree.
    pub fn usize(&self, keys: &[&str]) -> Result<Option<usize>, WeightsError> {
        self.get(keys, "a whole number from 0", as_usize)
    }

    /// A number.
    ///
    /// # Errors
    /// The value is no number, or two names disagree.
    pub fn f64(&self, keys: &[&str]) -> Result<Option<f64>, WeightsError> {
        self.get(keys, "a number", Value::as_f64)
    }

    /// A truth value.
    ///
    /// # Errors
    /// The value is neither true nor false, or two names disagree.
    pub fn bool(&self, keys: &[&str]) -> Result<Option<bool>, WeightsError> {
        self.get(keys, "true or false", Value::as_bool)
    }

    /// A text.
    ///
    /// # Errors
    /// The value is no string, or two names disagree.
    pub fn str(&self, keys: &[&str]) -> Result<Option<&str>, WeightsError> {
        self.get(keys, "a string", Value::as_str)
    }

    /// A list of counts.
    ///
    /// # Errors
    /// The value is no list of whole numbers from 0, or two names disagree.
    pub fn list_usize(&self, keys: &[&str]) -> Result<Option<Vec<usize>>, WeightsError> {
        self.get(keys, "a list of whole numbers from 0", |v| v.as_array()?.iter().map(as_usize).collect())
    }

    /// A list of numbers.
    ///
    /// # Errors
    /// The value is no list of numbers, or two names disagree.
    pub fn list_f64(&self, keys: &[&str]) -> Result<Option<Vec<f64>>, WeightsError> {
        self.get(keys, "a list of numbers", |v| v.as_array()?.iter().map(Value::as_f64).collect())
    }

    /// A list of texts.
    ///
    /// # Errors
    /// The value is no list of strings, or two names disagree.
    pub fn list_str(&self, keys: &[&str]) -> Result<Option<Vec<&str>>, WeightsError> {
        self.get(keys, "a list of strings", |v| v.as_array()?.iter().map(Value::as_str).collect())
    }

    /// One id or several: a count, or a list of counts.
    ///
    /// # Errors
    /// The value is neither, or two names disagree.
    pub fn one_or_more_usize(&self, keys: &[&str]) -> Result<Option<Vec<usize>>, WeightsError> {
        self.get(keys, "a whole number from 0 or a list of them", |v| match v.as_array() {
            Some(list) => list.iter().map(as_usize).collect(),
            None => Some(vec![as_usize(v)?]),
        })
    }

    /// An object, to be looked into in the same way; messages name its values `key.inner`.
    ///
    /// # Errors
    /// The value is no object.
    pub fn object(&self, key: &str) -> Result<Option<Self>, WeightsError> {
        let map = self.get(&[key], "an object", Value::as_object)?;
        Ok(map.map(|map| Self {
            file: self.file.clone(),
            prefix: self.full_key(key) + ".",
            map: map.clone(),
        }))
    }

    /// The error of a value that is needed and absent, naming all of its names.
    pub fn missing(&self, keys: &[&str]) -> WeightsError {
        let keys = keys.iter().map(|key| self.full_key(key)).collect();
        WeightsError::ConfigMissing { file: self.file.clone(), keys }
    }

    /// The first of `architectures`: the class that transformers builds.
    ///
    /// # Errors
    /// `architectures` is no list of strings.
    pub fn architecture(&self) -> Result<Option<&str>, WeightsError> {
        Ok(self.list_str(&["architectures"])?.and_then(|list| list.first().copied()))
    }

    /// The family's name, such as `lfm2`.
    ///
    /// # Errors
    /// `model_type` is no string.
    pub fn model_type(&self) -> Result<Option<&str>, WeightsError> {
        self.str(&["model_type"])
    }

    fn get<'a, T: PartialEq>(
        &'a self,
        keys: &[&str],
        expected: &'static str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, WeightsError> {
        let mut found: Option<(&str, &Value, T)> = None;
        for &key in keys {
            let Some(value) = self.raw(key) else { continue };
            let converted = convert(value).ok_or_else(|| self.wrong_type(key, value, expected))?;
            match &found {
                None => found = Some((key, value, converted)),
                Some((_, _, first)) if *first == converted => {}
                Some((first, first_value, _)) => {
                    return Err(WeightsError::ConfigConflict {
                        file: self.file.clone(),
                        first: self.full_key(first),
                        first_value: brief(first_value),
                        second: self.full_key(key),
                        second_value: brief(value),
                    });
                }
            }
        }
        Ok(found.map(|(_, _, value)| value))
    }

    fn wrong_type(&self, key: &str, value: &Value, expected: &'static str) -> WeightsError {
        let (file, key) = (self.file.clone(), self.full_key(key));
        WeightsError::ConfigType { file, key, found: brief(value), expected }
    }

    fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

fn as_usize(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}

/// A value as JSON, cut where a reader has seen enough.
fn brief(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The first NaN or Infinity outside strings, which Python writes into JSON, with its line.
fn not_a_number(text: &str) -> Option<(&'static str, usize)> {
    let (mut in_string, mut escaped, mut line) = (false, false, 1);
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'N' | b'I' if !in_string => {
                let rest = &text.as_bytes()[i..];
                let literal = ["NaN", "Infinity"].into_iter().find(|l| rest.starts_with(l.as_bytes()));
                if let Some(literal) = literal {
                    return Some((literal, line));
                }
            }
            _ => {}
        }
    }
    None
}
