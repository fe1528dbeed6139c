//! What can go wrong while a template is read or run.

/// Why a template cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The template called `raise_exception`, in its own words.
    Raised(String),
    /// Jinja2 would fail at this place too.
    Failed(String),
    /// Jinja2 would go on, with something that is not there here.
    Refused(String),
}

/// What comes of a step.
pub(crate) type Outcome<T> = Result<T, Fault>;

/// An error that Jinja2 has as well.
pub(crate) fn failed<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::Failed(message.into()))
}

/// A refusal: `what` names the part of Jinja2 or Python that is not there.
pub(crate) fn refused<T>(what: impl Into<String>) -> Outcome<T> {
    Err(Fault::Refused(what.into()))
}
