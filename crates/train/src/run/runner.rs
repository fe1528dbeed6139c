//! The loop: batches are accumulated, an update is made, and now and then the model is evaluated and saved.

use std::time::Instant;

use hala_plan::Cancel;

use crate::data::{Batches, Position, seed_of};
use crate::error::TrainError;
use crate::learn::{Learner, Loss, Update};
use crate::metrics::{Evaluated, Line, Log, Stepped};
use crate::run::answers::{Answered, answer};
use crate::run::base::Prepared;
use crate::run::evaluation::Evaluation;
use crate::run::event::{Event, Listener};
use crate::run::folder::RunFolder;
use crate::schedule::Schedule;
use crate::store::{Kept, Named, State, States, write_folder};

/// Before so many steps, an exponential average forgets faster, as the first values are far from what they become.
const AVERAGE_WARMUP: f64 = 10.0;

/// A run that goes on.
#[derive(Debug)]
pub(super) struct Runner<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) folder: &'a RunFolder,
    pub(super) states: States,
    pub(super) log: Log,
    pub(super) learner: Learner,
    pub(super) batches: Batches,
    pub(super) evaluation: Option<Evaluation>,
    pub(super) schedule: Schedule,
    /// The exponential average of the values; empty where none is wanted.
    pub(super) average: Vec<f32>,
    pub(super) kept: Kept,
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    All,
    /// It was cancelled before it was whole, and counts for nothing.
    Nothing,
}

/// The batches of a step.
#[derive(Debug, Default)]
struct Accumulated {
    loss: Loss,
    n_batches: u64,
    n_rows: u64,
    epoch: u32,
}

impl Runner<'_> {
    /// Makes the next step.
    ///
    /// # Errors
    /// Data that cannot be read, gradients that are not finite, files that cannot be written.
    pub(super) fn step(&mut self, cancel: &Cancel, listen: &mut Listener<'_>) -> Result<Made, TrainError> {
        let begun = Instant::now();
        let Some(accumulated) = self.accumulate(cancel, listen)? else { return Ok(Made::Nothing) };
        let step = self.kept.step + 1;
        let config = &self.prepared.config;
        let learning_rate = self.schedule.rate(step);
        let updated = self.learner.update(&Update {
            learning_rate: learning_rate as f32,
            beta1: config.beta1 as f32,
            beta2: config.beta2 as f32,
            eps: config.eps as f32,
            weight_decay: config.weight_decay as f32,
            max_norm: Some(config.max_norm as f32).filter(|norm| *norm > 0.0),
        })?;
        self.follow(step);
        let seconds = begun.elapsed().as_secs_f64();
        self.kept.step = step;
        self.kept.n_batches += accumulated.n_batches;
        self.kept.position = self.batches.position();
        self.kept.seconds += seconds;
        let stepped = Stepped {
            step,
            loss: accumulated.loss.mean(),
            learning_rate,
            gradient_norm: updated.gradient_norm,
            is_clipped: updated.is_clipped,
            epoch: accumulated.epoch,
            n_rows: accumulated.n_rows,
            n_labels: accumulated.loss.n_labels as u64,
            rows_per_second: accumulated.n_rows as f64 / seconds.max(1e-9),
        };
        self.log.add(&Line::Step(stepped))?;
        listen(Event::Step(&stepped));
        Ok(Made::All)
    }

    /// Does what is due after the last step: evaluates and saves.
    ///
    /// # Errors
    /// The model cannot be run, files cannot be written.
    pub(super) fn settle(&mut self, cancel: &Cancel, listen: &mut Listener<'_>) -> Result<Made, TrainError> {
        let config = &self.prepared.config;
        if self.is_due(config.evaluate_every) && self.evaluate(cancel, listen)? == Made::Nothing {
            return Ok(Made::Nothing);
        }
        self.kept.settled = self.kept.step;
        if self.is_due(config.save_every) {
            self.save(listen)?;
        }
        Ok(Made::All)
    }

    /// Whether something is due after the last step.
    pub(super) fn is_settled(&self) -> bool {
        self.kept.settled >= self.kept.step
    }

    /// Whether something that is done every `n` steps, and at the end, is to be done now.
    fn is_due(&self, n: u64) -> bool {
        self.is_over() || n > 0 && self.kept.step.is_multiple_of(n)
    }

    /// Whether all steps are made.
    pub(super) fn is_over(&self) -> bool {
        self.kept.step >= self.schedule.n_steps
    }

    /// Computes the batches of the next step; `None` where it is cancelled, and what was computed is forgotten.
    fn accumulate(
        &mut self,
        cancel: &Cancel,
        listen: &mut Listener<'_>,
    ) -> Result<Option<Accumulated>, TrainError> {
        let config = &self.prepared.config;
        let mut found = Accumulated::default();
        for n_done in 0..config.accumulation {
            if cancel.is_cancelled() {
                self.learner.discard();
                return Ok(None);
            }
            let Some(batch) = self.batches.next_batch()? else { break };
            let seed = seed_of(config.seed, self.kept.n_batches + found.n_batches);
            found.loss += self.learner.accumulate(&batch, seed)?;
            found.n_batches += 1;
            found.n_rows += batch.n_rows() as u64;
            found.epoch = self.batches.epoch();
            let (step, n_total) = (self.kept.step + 1, config.accumulation);
            listen(Event::Batch { step, n_done: n_done + 1, n_total });
        }
        Ok(Some(found))
    }

    /// Moves the average towards the values.
    fn follow(&mut self, step: u64) {
        if self.average.is_empty() {
            return;
        }
        let step = step as f64;
        let keep = self.prepared.config.ema.min((1.0 + step) / (AVERAGE_WARMUP + step)) as f32;
        let values = self.learner.values();
        self.average
            .iter_mut()
            .zip(values)
            .for_each(|(average, value)| *average += (1.0 - keep) * (value - *average));
    }

    /// Evaluates the model, or its average where there is one, and keeps it if it is the best.
    fn evaluate(&mut self, cancel: &Cancel, listen: &mut Listener<'_>) -> Result<Made, TrainError> {
        let Some(evaluation) = &self.evaluation else { return Ok(Made::All) };
        let own = (!self.average.is_empty()).then(|| self.learner.values().to_vec());
        if own.is_some() {
            self.learner.set_values(&self.average)?;
        }
        let loss = evaluation.loss(&mut self.learner)?;
        if let Some(own) = own {
            self.learner.set_values(&own)?;
        }
        let answered = match evaluation.asked.is_empty() {
            true => Answered { answers: Vec::new(), chrf: None },
            false => answer(self.prepared, &self.named(self.evaluated()), &evaluation.asked, cancel)?,
        };
        if cancel.is_cancelled() {
            // Answers may have been broken off: the evaluation is done again when the run goes on.
            return Ok(Made::Nothing);
        }
        answered.answers.iter().for_each(|answer| listen(Event::Answer(answer)));
        let score = [answered.chrf.unwrap_or(0.0), -loss.mean()];
        let is_best = self.kept.best.is_none_or(|best| score > best);
        if is_best {
            self.kept.best = Some(score);
            write_folder(&self.folder.best(), &self.prepared.beside, &self.named(self.evaluated()))?;
        }
        let evaluated = Evaluated {
            step: self.kept.step,
            loss: loss.mean(),
            n_labels: loss.n_labels as u64,
            chrf: answered.chrf,
            is_best,
        };
        self.log.add(&Line::Evaluation(evaluated))?;
        listen(Event::Evaluated(&evaluated));
        Ok(Made::All)
    }

    /// The values that are evaluated and saved.
    pub(super) fn evaluated(&self) -> &[f32] {
        if self.average.is_empty() { self.learner.values() } else { &self.average }
    }

    /// Values by the parameters' names.
    pub(super) fn named<'v>(&'v self, values: &'v [f32]) -> Vec<Named<'v>> {
        let named = |parameter: &'v crate::learn::Parameter| Named {
            name: &parameter.name,
            dims: &parameter.dims,
            values: &values[parameter.range.clone()],
        };
        self.learner.parameters().iter().map(named).collect()
    }

    /// Saves a checkpoint, then the state: where there is a state, the checkpoints before it are whole.
    fn save(&mut self, listen: &mut Listener<'_>) -> Result<(), TrainError> {
        let path = self.folder.step(self.kept.step);
        write_folder(&path, &self.prepared.beside, &self.named(self.evaluated()))?;
        self.save_state()?;
        let config = &self.prepared.config;
        self.folder.keep_last(config.keep.max(config.average_last))?;
        listen(Event::Saved { path: &path });
        Ok(())
    }

    /// Saves the state after the last step.
    pub(super) fn save_state(&self) -> Result<(), TrainError> {
        let [first, second] = self.learner.moments();
        Ok(self.states.add(&State {
            kept: self.kept.clone(),
            values: self.learner.values().into(),
            moments: [first.into(), second.into()],
            average: self.average.as_slice().into(),
        })?)
    }
}

/// What a run begins with, before its first step.
pub(super) fn first(position: Position, n_steps: u64) -> Kept {
    Kept { step: 0, settled: 0, n_batches: 0, n_steps, position, best: None, seconds: 0.0 }
}
