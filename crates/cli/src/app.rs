//! What every command needs besides its options.

use crate::interrupt::Interrupt;

/// What every command needs besides its options.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) quiet: bool,
    pub(crate) interrupt: Interrupt,
}

impl App {
    /// The same, quiet where `more` says so: a command that prints JSON shows no progress.
    pub(crate) fn quiet_if(&self, more: bool) -> Self {
        Self { quiet: self.quiet || more, interrupt: self.interrupt.clone() }
    }
}
