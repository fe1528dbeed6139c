//! What the ops run on.

use super::level::Level;
use crate::pool::Pool;

/// The threads and the instructions that the ops run on.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) pool: Pool,
    pub(crate) level: Level,
}
