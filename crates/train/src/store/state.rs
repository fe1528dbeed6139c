//! The training state: all that a run needs to go on with the same bits, in one safetensors file with a checksum.

use std::borrow::Cow;
use std::path::Path;

use hala_tensor::{DType, Shape, Tensor};
use hala_weights::{Checkpoint, SafetensorsWriter, WeightsError};
use serde::{Deserialize, Serialize};

use crate::data::Position;
use crate::run_fault::RunFault;
use crate::store::checksum::Checksum;

/// The tensors of a state, in the order of the file.
const TENSORS: [&str; 4] = ["average", "moment1", "moment2", "values"];

/// What a state holds besides values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Updates that were made.
    pub step: u64,
    /// The last step whose evaluation and checkpoint, where they are due, are done.
    pub settled: u64,
    /// Batches that were computed, which dropout draws by.
    pub n_batches: u64,
    /// Steps of the whole run.
    pub n_steps: u64,
    /// Where the data had come to.
    pub position: Position,
    /// The best evaluation so far: chrF++, or 0 where there are no translations; then the loss, below zero.
    pub best: Option<[f64; 2]>,
    /// Seconds that were spent.
    pub seconds: f64,
}

/// A training state after an update.
#[derive(Debug, Clone, PartialEq)]
pub struct State<'a> {
    /// Counters and positions.
    pub kept: Kept,
    /// The parameters, flat.
    pub values: Cow<'a, [f32]>,
    /// First and second moments, of the same layout.
    pub moments: [Cow<'a, [f32]>; 2],
    /// The exponential average of the values; empty where there is none.
    pub average: Cow<'a, [f32]>,
}

impl State<'_> {
    /// Writes the state, to a temporary name first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunFault> {
        let kept = serde_json::to_string(&self.kept).map_err(|e| RunFault::damaged(path, e))?;
        let mut writer = SafetensorsWriter::new();
        writer.metadata("checksum", &format!("{:016x}", self.checksum(&kept)));
        writer.metadata("state", &kept);
        for (name, values) in self.tensors().filter(|(_, values)| !values.is_empty()) {
            writer.declare(name, Shape::vector(values.len()), DType::F32)?;
        }
        writer.write(path, |name| {
            let found = self.tensors().find(|(known, _)| *known == name);
            let values = found.map(|(_, values)| values.to_vec()).unwrap_or_default();
            tensor(name, values).map(Cow::Owned)
        })?;
        Ok(())
    }

    /// Reads a state and checks that all of it is as it was written.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read(path: &Path) -> Result<State<'static>, RunFault> {
        let file = Checkpoint::open(path)?;
        let entry = |name: &str| {
            file.metadata()
                .get(name)
                .cloned()
                .ok_or_else(|| RunFault::damaged(path, format!("it has no {name}")))
        };
        let (text, checksum) = (entry("state")?, entry("checksum")?);
        let kept: Kept = serde_json::from_str(&text).map_err(|e| RunFault::damaged(path, e))?;
        let load = |name: &str| -> Result<Cow<'static, [f32]>, RunFault> {
            match file.contains(name) {
                true => Ok(Cow::Owned(file.load(name, DType::F32)?.to_f32())),
                false => Ok(Cow::Owned(Vec::new())),
            }
        };
        let [average, moment1, moment2, values] = TENSORS.map(load);
        let state = State { kept, values: values?, moments: [moment1?, moment2?], average: average? };
        if format!("{:016x}", state.checksum(&text)) != checksum {
            return Err(RunFault::damaged(path, "its checksum is another"));
        }
        Ok(state)
    }

    fn tensors(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let [moment1, moment2] = &self.moments;
        TENSORS.into_iter().zip([&self.average, moment1, moment2, &self.values].map(AsRef::as_ref))
    }

    fn checksum(&self, kept: &str) -> u64 {
        let mut sum = Checksum::default();
        sum.add_text(kept);
        self.tensors().for_each(|(_, values)| sum.add_values(values));
        sum.sum()
    }
}

fn tensor(name: &str, values: Vec<f32>) -> Result<Tensor, WeightsError> {
    Tensor::from_f32(Shape::vector(values.len()), values)
        .map_err(|e| WeightsError::Unwritable { name: name.to_owned(), reason: e.to_string() })
}
