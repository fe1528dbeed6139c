//! A run of training: from its settings to a model, however often it is broken off on the way.

mod answers;
mod base;
mod count;
mod dry_run;
mod ending;
mod evaluation;
mod event;
mod folder;
mod learning;
mod memory;
mod runner;
mod scratch;
mod start;

pub use base::Prepared;
pub use dry_run::{DryRun, Probe};
pub use event::{Answer, Ended, Event, Listener};
pub use folder::RunFolder;
pub use memory::Needs;
pub use scratch::from_scratch;
pub use start::{Start, train};
