//! The arguments of a call, and how they go to named parameters.

use std::sync::Arc;

use crate::template::fault::{Outcome, failed};
use crate::template::value::Value;

/// What a call is given.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) keyword: Vec<(Arc<str>, Value)>,
}

/// A function's parameters: its name, for messages, and theirs.
#[derive(Clone, Copy)]
pub(crate) struct Signature<const N: usize> {
    pub(crate) function: &'static str,
    pub(crate) parameters: [&'static str; N],
    /// How many must be given.
    pub(crate) n_needed: usize,
}

impl Args {
    /// Arguments by place alone.
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Self { positional, keyword: Vec::new() }
    }

    /// The arguments in the order of the parameters.
    ///
    /// # Errors
    /// As Python's: too many, an unknown name, one given twice, or one missing.
    pub(crate) fn bind<const N: usize>(self, signature: Signature<N>) -> Outcome<[Option<Value>; N]> {
        let Signature { function, parameters, n_needed } = signature;
        if self.positional.len() > N {
            let n = self.positional.len();
            return failed(format!("{function}() takes at most {N} arguments ({n} given)"));
        }
        let mut bound = [const { None }; N];
        for (place, value) in bound.iter_mut().zip(self.positional) {
            *place = Some(value);
        }
        for (name, value) in self.keyword {
            match parameters.iter().position(|p| *p == &*name) {
                None => return failed(format!("{function}() got an unexpected keyword argument '{name}'")),
                Some(i) if bound[i].is_some() => {
                    return failed(format!("{function}() got multiple values for argument '{name}'"));
                }
                Some(i) => bound[i] = Some(value),
            }
        }
        match bound.iter().take(n_needed).position(Option::is_none) {
            Some(i) => failed(format!("{function}() missing the argument '{}'", parameters[i])),
            None => Ok(bound),
        }
    }

    /// The arguments of a function of Python's that takes none by name.
    pub(crate) fn bind_positional<const N: usize>(
        self,
        function: &'static str,
        n_needed: usize,
    ) -> Outcome<[Option<Value>; N]> {
        if !self.keyword.is_empty() {
            return failed(format!("{function}() takes no keyword arguments"));
        }
        self.bind(Signature { function, parameters: [""; N], n_needed })
    }
}

/// A whole number, as Python's `operator.index` takes it.
pub(crate) fn index(value: &Value) -> Outcome<i128> {
    value.as_int().map_or_else(
        || failed(format!("'{}' object cannot be interpreted as an integer", value.type_name())),
        Ok,
    )
}

/// A whole number, or `default` where none is given.
pub(crate) fn index_or(value: Option<&Value>, default: i128) -> Outcome<i128> {
    value.map_or(Ok(default), index)
}

/// Whether a flag is given and true.
pub(crate) fn flag(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_true)
}

/// A string argument.
pub(crate) fn string(value: &Value) -> Outcome<&str> {
    value.as_str().map_or_else(|| failed(format!("must be str, not {}", value.type_name())), Ok)
}
