//! Work that shares the steps of one scheduler with other work.

use std::collections::VecDeque;

use hala_engine::Task;

use super::output::Output;
use crate::engine::Engine;
use crate::error::Error;

/// What a job steps with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) engine: &'a Engine,
    /// Sequences that run at once.
    pub(super) n_parallel: usize,
}

/// Work that gives its result in pieces, while a scheduler steps its tasks beside those of others.
pub(super) trait Job: std::fmt::Debug + Send {
    /// Begins what can be begun, and adds what is certain to `out`. `false` once all of it is there.
    ///
    /// # Errors
    /// What ended the job.
    fn advance(&mut self, stage: Stage<'_>, out: &mut VecDeque<Output>) -> Result<bool, Error>;

    /// What the scheduler has to go on with.
    fn tasks(&mut self) -> Vec<&mut (dyn Task + Send)>;
}
