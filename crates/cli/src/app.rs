//! What every command needs besides its options.

use hala::RuntimeOptions;

use crate::interrupt::Interrupt;

/// What every command needs besides its options.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) quiet: bool,
    pub(crate) interrupt: Interrupt,
}

impl App {
    /// What is looked at while a model is fetched.
    pub(crate) fn fetching(&self) -> RuntimeOptions {
        RuntimeOptions::stopped_by(self.interrupt.cancel())
    }

    /// The same, quiet where `more` says so: a command that prints JSON shows no progress.
    pub(crate) fn quiet_if(&self, more: bool) -> Self {
        Self { quiet: self.quiet || more, interrupt: self.interrupt.clone() }
    }
}
