//! A model of a checkpoint with its training Plan.

use hala_model::{Facts, LogitRows, Model, Options, PlanShape, Source, WeightFormat, WeightSpec};
use hala_plan::WeightId;
use hala_plan::training::{TrainPlan, differentiate};
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::error::TrainError;
use crate::learn::options::LearnerOptions;

/// A model, and the Plan that trains it.
#[derive(Debug)]
pub(super) struct Opened {
    model: Box<dyn Model>,
    pub(super) plan: TrainPlan,
}

impl Opened {
    /// Opens a checkpoint's model and records its training Plan.
    ///
    /// # Errors
    /// A model that cannot be opened or trained, or options that do not fit it.
    pub(super) fn open(checkpoint: &Checkpoint, options: &LearnerOptions) -> Result<Self, TrainError> {
        let model = hala_model::open(checkpoint, Options { context: options.context, ..Options::default() })?;
        for spec in model.weights() {
            let stored = checkpoint.contains(&spec.name).then(|| checkpoint.stored_dtype(&spec.name));
            if let Some(dtype) = stored.transpose().map_err(hala_model::ModelError::from)?
                && dtype.is_quantised()
            {
                return Err(TrainError::Quantised { name: spec.name.clone(), dtype });
            }
            if matches!(spec.source, Source::Affine { .. }) {
                return Err(TrainError::Family { family: model.facts().family });
            }
        }
        let dtypes = vec![DType::F32; model.weights().len()];
        let shape = PlanShape { n_tokens: options.n_rows, logits: LogitRows::All };
        let plan = differentiate(&model.record(shape, &dtypes)?, &options.plan)?;
        Ok(Self { model, plan })
    }

    pub(super) fn facts(&self) -> &Facts {
        self.model.facts()
    }

    pub(super) fn spec(&self, id: WeightId) -> &WeightSpec {
        &self.model.weights()[id.0 as usize]
    }

    /// A weight's values in f32.
    ///
    /// # Errors
    /// A tensor that is missing or damaged.
    pub(super) fn load(&self, checkpoint: &Checkpoint, id: WeightId) -> Result<Vec<f32>, TrainError> {
        Ok(self.spec(id).load(checkpoint, WeightFormat::F32)?.to_f32())
    }
}
