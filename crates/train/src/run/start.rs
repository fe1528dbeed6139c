//! A run from its folder: begun, or gone on with where its last state is.

use hala_plan::Cancel;

use crate::error::TrainError;
use crate::learn::Learner;
use crate::metrics::Log;
use crate::run::base::Prepared;
use crate::run::count::n_steps;
use crate::run::evaluation::Evaluation;
use crate::run::event::{Ended, Event, Listener};
use crate::run::folder::RunFolder;
use crate::run::learning::learner_options;
use crate::run::runner::{Made, Runner, first};
use crate::run_fault::RunFault;
use crate::store::{State, States};

/// How a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Where its last state is, if it has one.
    #[default]
    Resume,
    /// Anew: what an earlier run has left in its folder is removed.
    Restart,
}

/// Trains until all steps are made or `cancel` is raised, which is looked at between batches.
///
/// # Errors
/// A folder that is of something else, data that cannot be read, gradients that are not finite, files that cannot be written. What was saved stays,
/// and the same call goes on from there.
pub fn train(
    prepared: &Prepared,
    start: Start,
    cancel: &Cancel,
    listen: &mut Listener<'_>,
) -> Result<Ended, TrainError> {
    let config = &prepared.config;
    let folder = RunFolder::open(config, start == Start::Restart)?;
    let states = States::of(folder.path())?;
    let state = states.last()?;
    let n_steps = match &state {
        Some(state) => Some(state.kept.n_steps),
        None => n_steps(prepared, cancel, listen)?,
    };
    let Some(n_steps) = n_steps else { return Ok(Ended::Stopped { step: 0 }) };
    let begun = state.as_ref().map_or(0, |state| state.kept.step);
    if begun >= n_steps && folder.last().exists() {
        return Ok(Ended::Finished { n_made: 0 });
    }
    let mut runner = runner(prepared, &folder, states, state, n_steps)?;
    let n_parameters = runner.learner.values().len();
    listen(Event::Began { step: begun, n_steps, n_parameters });
    while !runner.is_over() || !runner.is_settled() {
        let made = match runner.is_settled() {
            true => runner.step(cancel, listen)?,
            false => runner.settle(cancel, listen)?,
        };
        if made == Made::Nothing {
            if runner.kept.step > begun {
                runner.save_state()?;
            }
            return Ok(Ended::Stopped { step: runner.kept.step });
        }
    }
    runner.finish(listen)?;
    Ok(Ended::Finished { n_made: n_steps - begun })
}

fn runner<'a>(
    prepared: &'a Prepared,
    folder: &'a RunFolder,
    states: States,
    state: Option<State<'static>>,
    n_steps: u64,
) -> Result<Runner<'a>, TrainError> {
    let config = &prepared.config;
    let evaluation = Evaluation::read(prepared)?;
    let mut learner = Learner::open(&prepared.checkpoint, &learner_options(config, &prepared.checkpoint)?)?;
    let mut batches = prepared.batches(config.epochs)?;
    let mut average = if config.ema > 0.0 { learner.values().to_vec() } else { Vec::new() };
    let mut kept = first(batches.position(), n_steps);
    if let Some(state) = state {
        let [first, second] = &state.moments;
        let n_updates = u32::try_from(state.kept.step).map_err(|e| RunFault::damaged(folder.path(), e))?;
        learner.restore(&state.values, [first, second], n_updates)?;
        batches.restore(&state.kept.position)?;
        average = state.average.into_owned();
        kept = state.kept;
    }
    let log = Log::open(&folder.metrics(), kept.step)?;
    let schedule = config.rates(n_steps);
    Ok(Runner { prepared, folder, states, log, learner, batches, evaluation, schedule, average, kept })
}
