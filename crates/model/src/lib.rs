//! Model families: a checkpoint's config and tensors in, recorded plans out.
//!
//! [`open`] reads a checkpoint's config, checks every tensor's shape against it, and gives a [`Model`] that says
//! which weights and states it needs and records [`Plan`](hala_plan::Plan)s. It never sees a device.

pub mod cohere2;
pub mod gemma2;
pub mod lfm2;
pub mod lfm3;

mod blocks;
mod decoder;
mod error;
mod heads;
mod model;
mod options;
mod registry;
mod rope;
mod settings;
mod specs;

pub use decoder::Decoder;
pub use error::ModelError;
pub use heads::Heads;
pub use model::{Facts, LogitRows, Model, Parts, PlanShape};
pub use options::{Inputs, Options};
pub use registry::{FAMILIES, open, passed_over, weights_of};
pub use rope::{Dialect, Rope, Scaling, Turned, Yarn};
pub use specs::{Role, Source, WeightFormat, WeightSpec};
