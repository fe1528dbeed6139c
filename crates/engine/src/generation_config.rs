//! What a checkpoint says of how its texts are generated: generation_config.json, or config.json where there is none.

use hala_weights::{Checkpoint, Config};
use serde_json::Value;

use crate::error::EngineError;

const FILE: &str = "generation_config.json";

/// Objects of config.json that are looked into where the outer one says nothing, as transformers does for models of several parts.
const INNER: [&str; 3] = ["decoder", "generator", "text_config"];

/// The objects that settings are looked up in, in this order.
#[derive(Debug)]
pub(crate) struct GenerationConfig {
    places: Vec<Config>,
}

impl GenerationConfig {
    /// The file of its own, or else the model's config.
    ///
    /// # Errors
    /// A file that is not JSON.
    pub(crate) fn read(checkpoint: &Checkpoint) -> Result<Self, EngineError> {
        Ok(match checkpoint.json_file(FILE)? {
            Some(own) => Self { places: vec![own] },
            None => Self::of_model(checkpoint),
        })
    }

    /// The model's config alone.
    pub(crate) fn of_model(checkpoint: &Checkpoint) -> Self {
        let Ok(config) = checkpoint.config() else { return Self { places: Vec::new() } };
        let inner = INNER.iter().find_map(|name| config.object(name).ok().flatten());
        Self { places: [config.clone()].into_iter().chain(inner).collect() }
    }

    /// A setting as it stands, with the file that has it; `None` where it is absent or null.
    pub(crate) fn find(&self, key: &str) -> Option<(&str, &Value)> {
        self.places.iter().find_map(|place| Some((place.file(), place.raw(key)?)))
    }
}
