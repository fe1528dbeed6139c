//! What to train, on what, and how: a YAML file, options over it, and defaults under it.

mod choices;
mod file;
mod resolve;
mod settings;
mod sources;

pub use choices::{Base, Products, SavedAs};
pub use resolve::TrainConfig;
pub use settings::Settings;
pub use sources::SourceConfig;
