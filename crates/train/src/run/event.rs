//! What a run tells whoever listens.

use std::path::Path;

use crate::metrics::{Evaluated, Stepped};

/// Something that has happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Batches were counted; the data is being read to know how many steps there will be.
    Counting {
        /// Batches so far.
        n_batches: u64,
    },
    /// The run begins, or goes on.
    Began {
        /// Steps that were made before.
        step: u64,
        /// Steps of the whole run.
        n_steps: u64,
        /// Elements of all parameters.
        n_parameters: usize,
    },
    /// A batch of a step was computed.
    Batch {
        /// Its step, from 1.
        step: u64,
        /// Batches of the step so far.
        n_done: usize,
        /// Batches of a step.
        n_total: usize,
    },
    /// An update was made.
    Step(&'a Stepped),
    /// A held-out row was answered.
    Answer(&'a Answer),
    /// An evaluation has ended.
    Evaluated(&'a Evaluated),
    /// A checkpoint is whole.
    Saved {
        /// Its folder.
        path: &'a Path,
    },
}

/// Who listens.
pub type Listener<'a> = dyn FnMut(Event<'_>) + 'a;

/// A held-out row, answered greedily.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which, from 0.
    pub index: usize,
    /// What was asked: the last message before the reply.
    pub asked: String,
    /// The reply of the row.
    pub expected: String,
    /// What the model wrote.
    pub found: String,
}

/// How a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All steps are made and the model is there.
    Finished {
        /// Steps of this call; 0 where all had been made before.
        n_made: u64,
    },
    /// It was cancelled; the same call goes on.
    Stopped {
        /// The step after which its state is kept.
        step: u64,
    },
}
