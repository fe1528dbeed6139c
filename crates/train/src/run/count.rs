//! How many steps a run has.

use hala_plan::Cancel;

use crate::data::Counts;
use crate::error::TrainError;
use crate::run::base::Prepared;
use crate::run::event::{Event, Listener};

/// What the data of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    /// Batches of so many epochs as were read.
    pub(super) n_batches: u64,
    /// Rows, documents and ids.
    pub(super) counts: Counts,
}

/// Makes all batches of `epochs` epochs; `None` where it is cancelled.
pub(super) fn count(
    prepared: &Prepared,
    epochs: u32,
    cancel: &Cancel,
    listen: &mut Listener<'_>,
) -> Result<Option<Counted>, TrainError> {
    let mut batches = prepared.batches(Some(epochs))?;
    let mut n_batches = 0;
    while batches.next_batch()?.is_some() {
        n_batches += 1;
        if cancel.is_cancelled() {
            return Ok(None);
        }
        listen(Event::Counting { n_batches });
    }
    Ok(Some(Counted { n_batches, counts: batches.counts().clone() }))
}

/// Steps of a run: those that were asked for, or those that its epochs have; `None` where it is cancelled.
pub(super) fn n_steps(
    prepared: &Prepared,
    cancel: &Cancel,
    listen: &mut Listener<'_>,
) -> Result<Option<u64>, TrainError> {
    let config = &prepared.config;
    if let Some(steps) = config.steps {
        return Ok(Some(steps));
    }
    let counted = count(prepared, config.epochs.unwrap_or(1), cancel, listen)?;
    Ok(counted.map(|counted| counted.n_batches.div_ceil(config.accumulation as u64)))
}
