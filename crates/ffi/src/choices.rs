//! Choices made when a model is loaded, in the words of the interface.

use std::path::PathBuf;

use hala::{BackendName, Cancel as Flag, DeviceOptions, Options, RuntimeOptions, WeightFormat};

use crate::failure::Failure;

/// Choices made when a model is loaded; what is `None` or 0 is what suits the machine and the model.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Choices<'a> {
    pub(crate) backend: Option<&'a str>,
    pub(crate) adapter: Option<&'a str>,
    pub(crate) weights: Option<&'a str>,
    pub(crate) devices: Option<&'a str>,
    pub(crate) context: usize,
    pub(crate) threads: usize,
    pub(crate) parallel: usize,
}

impl Choices<'_> {
    /// The same as the runtime has them.
    ///
    /// # Errors
    /// A word that is none.
    pub(crate) fn runtime(&self, flag: &Flag) -> Result<RuntimeOptions, Failure> {
        let word = |what, reason| Failure::argument(what, reason);
        let backend = self.backend.map_or(Ok(BackendName::Auto), str::parse);
        let weights = self.weights.map_or(Ok(WeightFormat::Auto), str::parse);
        let given = |n: usize| Some(n).filter(|n| *n > 0);
        Ok(RuntimeOptions {
            device: DeviceOptions {
                backend: backend.map_err(|reason| word("backend", reason))?,
                adapter: self.adapter.map(str::to_owned),
                n_threads: self.threads,
                folder: self.devices.map(PathBuf::from),
                ..DeviceOptions::default()
            },
            weights: weights.map_err(|reason: String| word("weights", reason))?,
            model: Options { context: given(self.context), ..Options::default() },
            n_parallel: given(self.parallel),
            ..RuntimeOptions::stopped_by(flag)
        })
    }
}
