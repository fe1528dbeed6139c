//! Looking into a model while it runs: what goes into its matrices, what each step writes, how far that is from another backend's and how
//! long it takes, and all logits.

pub(crate) mod all_logits;
mod batch;
mod compare;
pub(crate) mod comparison;
pub(crate) mod inputs;
mod judge;
pub(crate) mod profile;
pub(crate) mod run;
mod stepwise;
pub(crate) mod trace;
mod written;

use hala_plan::Backend;

use crate::engine::Engine;
use crate::ready::Ready;

/// Runs that are made to look into them, beside all sessions of the engine and with states of their own.
#[derive(Debug)]
pub struct Probe<'e, B: Backend> {
    engine: &'e Engine<B>,
    /// The Plan of the last call of [`Probe::batch_logits`], for the next one.
    ready: Option<Ready<B::Prepared>>,
}

impl<'e, B: Backend> Probe<'e, B> {
    /// Looks into this model on its device.
    pub fn new(engine: &'e Engine<B>) -> Self {
        Self { engine, ready: None }
    }
}
