//! The end of a run: its model, averaged where that was asked for.

use crate::error::TrainError;
use crate::run::event::{Event, Listener};
use crate::run::runner::Runner;
use crate::store::{mean_of, write_folder};

impl Runner<'_> {
    /// Writes the final model: the mean of the last checkpoints, the exponential average, or the values.
    pub(super) fn finish(&self, listen: &mut Listener<'_>) -> Result<(), TrainError> {
        let path = self.folder.last();
        let config = &self.prepared.config;
        if config.average_last > 0 {
            let steps = self.folder.steps()?;
            let last = &steps[steps.len().saturating_sub(config.average_last)..];
            let mut values = vec![0.0; self.learner.values().len()];
            for parameter in self.learner.parameters() {
                let mean = mean_of(last, &parameter.name)?;
                values[parameter.range.clone()].copy_from_slice(&mean);
            }
            write_folder(&path, &self.prepared.beside, &self.named(&values))?;
        } else {
            write_folder(&path, &self.prepared.beside, &self.named(self.evaluated()))?;
        }
        listen(Event::Saved { path: &path });
        Ok(())
    }
}
