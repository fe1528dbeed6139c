//! The model with its optimizer, and what a loop of training asks of it.

use std::ops::Range;

use hala_backend_cpu::training::Training;
use hala_model::{Facts, Role};
use hala_plan::BufferKind;
use hala_plan::ops::training::adamw;
use hala_plan::training::{IGNORE, Purpose, TrainRows};
use hala_weights::Checkpoint;

use crate::data::Batch;
use crate::error::TrainError;
use crate::learn::estimate::Estimate;
use crate::learn::loss::Loss;
use crate::learn::opened::Opened;
use crate::learn::options::LearnerOptions;
use crate::learn::update::{Update, Updated};

/// One parameter tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The checkpoint's name for it. A tied head is no parameter of its own: it is the embedding.
    pub name: String,
    /// Its dimensions in a checkpoint.
    pub dims: Vec<usize>,
    /// Its elements in the flat buffers.
    pub range: Range<usize>,
    /// Whether weights decay: matrices do, and embeddings, norms, taps and biases do not.
    pub decays: bool,
}

/// A model that learns.
///
/// Call [`Learner::accumulate`] for each batch of a step, then [`Learner::update`] once. What a run must save to go on with the same bits is
/// [`Learner::values`], [`Learner::moments`] and [`Learner::n_updates`], after an update.
#[derive(Debug)]
pub struct Learner {
    facts: Facts,
    training: Training,
    parameters: Vec<Parameter>,
    estimate: Estimate,
    /// Σ weight of what was accumulated.
    weight: f64,
    n_updates: u32,
}

impl Learner {
    /// Opens a checkpoint's model, and reads all of its weights as f32.
    ///
    /// # Errors
    /// A model that cannot be opened or trained, options that do not fit it, or tensors that are damaged.
    pub fn open(checkpoint: &Checkpoint, options: &LearnerOptions) -> Result<Self, TrainError> {
        let opened = Opened::open(checkpoint, options)?;
        let mut tables = Vec::new();
        for buffer in opened.plan.buffers() {
            if let BufferKind::Weight(id) = buffer.kind {
                tables.push((id, opened.load(checkpoint, id)?));
            }
        }
        let (facts, estimate) = (opened.facts().clone(), Estimate::of_opened(&opened));
        let (backend, products) = options.compute.backend()?;
        let mut training = Training::new(backend, products, opened.plan.clone(), tables)?;
        let mut parameters = Vec::new();
        for placed in training.parameters().to_vec() {
            let spec = opened.spec(placed.weight);
            let values = opened.load(checkpoint, placed.weight)?;
            training.values_mut()[placed.range.clone()].copy_from_slice(&values);
            parameters.push(Parameter {
                name: spec.name.clone(),
                dims: spec.stored_dims().to_vec(),
                range: placed.range,
                decays: spec.role != Role::Vector && !opened.plan.is_embedding(placed.weight),
            });
        }
        Ok(Self { facts, training, parameters, estimate, weight: 0.0, n_updates: 0 })
    }

    /// The model's sizes and limits.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// All parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The memory that this takes.
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// Adds the gradient of a batch's Σ weight · loss to what was accumulated, and gives that loss. `seed` is that of dropout: another for each batch, and the
    /// same when a run is resumed.
    ///
    /// # Errors
    /// A batch that does not fit: more rows than the learner was made for, ids outside of the vocabulary, a document longer than the context.
    pub fn accumulate(&mut self, batch: &Batch, seed: u64) -> Result<Loss, TrainError> {
        let loss = self.run(batch, Purpose::Train { seed })?;
        self.weight += loss.weight;
        Ok(loss)
    }

    /// The loss of a batch, without gradients, dropout or label smoothing.
    ///
    /// # Errors
    /// As for [`Learner::accumulate`].
    pub fn evaluate(&mut self, batch: &Batch) -> Result<Loss, TrainError> {
        self.run(batch, Purpose::Evaluate)
    }

    fn run(&mut self, batch: &Batch, purpose: Purpose) -> Result<Loss, TrainError> {
        let Batch { tokens, labels, weights, starts } = batch;
        let rows = TrainRows { ids: tokens, labels, weights, starts };
        self.training.run(&rows, purpose)?;
        let mut loss = Loss::default();
        for ((row, weight), _) in
            self.row_losses().iter().zip(weights).zip(labels).filter(|(_, label)| **label != IGNORE)
        {
            loss +=
                Loss { sum: f64::from(*row) * f64::from(*weight), weight: f64::from(*weight), n_labels: 1 };
        }
        Ok(loss)
    }

    /// Divides what was accumulated by its Σ weight, clips it, updates all parameters by it, and begins anew.
    ///
    /// # Errors
    /// Nothing was accumulated that has a label, or the gradient is not finite: parameters and moments are as they were, and what was accumulated is
    /// forgotten.
    pub fn update(&mut self, update: &Update) -> Result<Updated, TrainError> {
        let weight = self.weight;
        if weight <= 0.0 {
            self.discard();
            return Err(TrainError::NothingAccumulated);
        }
        let gradient_norm = self.training.gradient_norm() / weight;
        if !gradient_norm.is_finite() {
            self.discard();
            return Err(TrainError::NotFinite { n_updates: self.n_updates });
        }
        let clip = update.clip(gradient_norm);
        self.n_updates += 1;
        for Parameter { range, decays, .. } in &self.parameters {
            let params = adamw::Params {
                learning_rate: update.learning_rate,
                beta1: update.beta1,
                beta2: update.beta2,
                eps: update.eps,
                weight_decay: if *decays { update.weight_decay } else { 0.0 },
                scale: (clip / weight) as f32,
                n_updates: self.n_updates,
            };
            self.training.adamw(&params, range.clone());
        }
        self.discard();
        Ok(Updated { gradient_norm, is_clipped: clip < 1.0 })
    }

    /// Forgets what was accumulated.
    pub fn discard(&mut self) {
        self.training.clear_gradients();
        self.weight = 0.0;
    }

    /// The parameters, flat.
    pub fn values(&self) -> &[f32] {
        self.training.values()
    }

    /// The gradients of Σ weight · loss that were accumulated, flat.
    pub fn gradients(&self) -> &[f32] {
        self.training.gradients()
    }

    /// The first and second moments, flat.
    pub fn moments(&self) -> [&[f32]; 2] {
        self.training.moments()
    }

    /// The losses of the last batch's rows, without their weights; 0 where there is no label.
    pub fn row_losses(&self) -> &[f32] {
        self.training.plan().losses().map_or(&[], |id| self.training.read(id))
    }

    /// The gradient of the last batch's loss in what the embedding gave, `[T, D]`: to see that rows of other documents have no part in it.
    pub fn embedding_gradients(&self) -> &[f32] {
        // The last step reads it, so nothing has written over it.
        let last = self.training.plan().steps().last();
        last.map_or(&[], |step| self.training.read(step.inputs[0]))
    }

    /// Updates until now.
    pub fn n_updates(&self) -> u32 {
        self.n_updates
    }

    /// Sets the parameters, as to evaluate an average of them. Moments stay as they are.
    ///
    /// # Errors
    /// Another number of elements.
    pub fn set_values(&mut self, values: &[f32]) -> Result<(), TrainError> {
        copy(values, self.training.values_mut())
    }

    /// Goes on from what was saved after an update; what was accumulated is forgotten.
    ///
    /// # Errors
    /// Another number of elements in any of the three; nothing has changed then.
    pub fn restore(
        &mut self,
        values: &[f32],
        moments: [&[f32]; 2],
        n_updates: u32,
    ) -> Result<(), TrainError> {
        let n = self.values().len();
        for saved in [values, moments[0], moments[1]] {
            fits(saved, n)?;
        }
        self.set_values(values)?;
        for (saved, own) in moments.into_iter().zip(self.training.moments_mut()) {
            copy(saved, own)?;
        }
        self.n_updates = n_updates;
        self.discard();
        Ok(())
    }
}

fn fits(saved: &[f32], n: usize) -> Result<(), TrainError> {
    if saved.len() == n { Ok(()) } else { Err(TrainError::State { found: saved.len(), expected: n }) }
}

fn copy(saved: &[f32], own: &mut [f32]) -> Result<(), TrainError> {
    fits(saved, own.len())?;
    own.copy_from_slice(saved);
    Ok(())
}
