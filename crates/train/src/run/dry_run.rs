//! What a run would be, without making it: documents, steps, memory, and how long a few batches take.

use std::time::Instant;

use hala_plan::Cancel;

use crate::data::{Counts, seed_of};
use crate::error::TrainError;
use crate::learn::{Learner, Update};
use crate::run::base::Prepared;
use crate::run::count::count;
use crate::run::event::Listener;
use crate::run::learning::learner_options;
use crate::run::memory::{Needs, available};

/// Batches that are computed to know how long one takes, after one that warms up.
const N_PROBED: u64 = 2;

/// What a run would be.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// What an epoch has: rows, documents, ids, labels, and what is left out.
    pub counts: Counts,
    /// Batches of an epoch.
    pub n_batches: u64,
    /// Steps of the run.
    pub n_steps: u64,
    /// Batches of the run.
    pub n_run_batches: u64,
    /// What it takes of memory.
    pub needs: Needs,
    /// Bytes of memory that are free, where the system tells.
    pub available: Option<usize>,
    /// The parameters: name, dimensions, and whether weights decay.
    pub parameters: Vec<(String, Vec<usize>, bool)>,
    /// How long batches take.
    pub probe: Probe,
}

/// How long a few batches took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Seconds of a batch, forward and backward.
    pub batch_seconds: f64,
    /// Seconds of an update.
    pub update_seconds: f64,
    /// Rows a second.
    pub rows_per_second: f64,
}

impl DryRun {
    /// Reads the data once and computes three batches; nothing is written. `None` where it is cancelled.
    ///
    /// # Errors
    /// As a run's own.
    pub fn of(
        prepared: &Prepared,
        cancel: &Cancel,
        listen: &mut Listener<'_>,
    ) -> Result<Option<Self>, TrainError> {
        let config = &prepared.config;
        let Some(counted) = count(prepared, 1, cancel, listen)? else { return Ok(None) };
        let epochs = u64::from(config.epochs.unwrap_or(1));
        let accumulation = config.accumulation as u64;
        let n_steps = config.steps.unwrap_or((counted.n_batches * epochs).div_ceil(accumulation));
        let n_run_batches =
            if config.steps.is_some() { n_steps * accumulation } else { counted.n_batches * epochs };
        let mut learner =
            Learner::open(&prepared.checkpoint, &learner_options(config, &prepared.checkpoint)?)?;
        let parameter = |p: &crate::learn::Parameter| (p.name.clone(), p.dims.clone(), p.decays);
        let parameters = learner.parameters().iter().map(parameter).collect();
        Ok(Some(Self {
            counts: counted.counts,
            n_batches: counted.n_batches,
            n_steps,
            n_run_batches,
            needs: prepared.needs,
            available: available(),
            parameters,
            probe: probe(prepared, &mut learner)?,
        }))
    }

    /// Seconds that the run's steps would take, without evaluations.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.n_run_batches as f64 * self.probe.batch_seconds + self.n_steps as f64 * self.probe.update_seconds
    }
}

fn probe(prepared: &Prepared, learner: &mut Learner) -> Result<Probe, TrainError> {
    let mut batches = prepared.batches(None)?;
    let (mut n_rows, mut seconds) = (0, 0.0);
    for i in 0..=N_PROBED {
        let Some(batch) = batches.next_batch()? else { break };
        let begun = Instant::now();
        learner.accumulate(&batch, seed_of(prepared.config.seed, i))?;
        if i > 0 {
            seconds += begun.elapsed().as_secs_f64();
            n_rows += batch.n_rows();
        }
    }
    let begun = Instant::now();
    learner.update(&Update::default())?;
    let update_seconds = begun.elapsed().as_secs_f64();
    Ok(Probe {
        batch_seconds: seconds / N_PROBED as f64,
        update_seconds,
        rows_per_second: n_rows as f64 / seconds.max(1e-9),
    })
}
