//! What filters need of the run: other filters and tests by name.

use crate::template::args::Args;
use crate::template::fault::Outcome;
use crate::template::value::Value;

/// A run of a template, as its filters see it.
pub(crate) trait Host {
    /// `value | name(args)`.
    fn filter(&mut self, name: &str, value: &Value, args: Args) -> Outcome<Value>;

    /// `value is name(args)`.
    fn test(&mut self, name: &str, value: &Value, args: Args) -> Outcome<bool>;
}
