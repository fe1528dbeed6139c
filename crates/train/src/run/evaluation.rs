//! Evaluation: the loss of held-out batches, and held-out rows answered.

use crate::data::Batch;
use crate::error::TrainError;
use crate::learn::{Learner, Loss};
use crate::run::answers::Asked;
use crate::run::base::Prepared;
use crate::run_fault::RunFault;

/// What every evaluation of a run sees.
#[derive(Debug)]
pub(super) struct Evaluation {
    batches: Vec<Batch>,
    pub(super) asked: Vec<Asked>,
}

impl Evaluation {
    /// Reads what is held out; `None` where nothing is.
    pub(super) fn read(prepared: &Prepared) -> Result<Option<Self>, TrainError> {
        if !prepared.config.evaluates() {
            return Ok(None);
        }
        let mut held_out = prepared.held_out()?;
        let mut batches = Vec::new();
        while batches.len() < prepared.config.evaluation_batches.max(1)
            && let Some(batch) = held_out.next_batch().map_err(|error| in_words(prepared, error))?
        {
            batches.push(batch);
        }
        Ok(Some(Self { batches, asked: Asked::rows(prepared)? }))
    }

    /// The mean loss of all held-out labels, each with its weight.
    pub(super) fn loss(&self, learner: &mut Learner) -> Result<Loss, TrainError> {
        let mut loss = Loss::default();
        for batch in &self.batches {
            loss += learner.evaluate(batch)?;
        }
        Ok(loss)
    }
}

/// Why nothing can be evaluated on.
fn in_words(prepared: &Prepared, error: TrainError) -> TrainError {
    match error {
        TrainError::NoRows { .. } if prepared.config.held_out > 0.0 => RunFault::Settings {
            file: "`held_out`".to_owned(),
            detail: "no row that can be trained on falls into this share of the data: raise it, or name files by `evaluation`".to_owned(),
        }
        .into(),
        error => error,
    }
}
