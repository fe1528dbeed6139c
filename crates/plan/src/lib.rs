//! The contract between models and backends: ops, buffers, plans and the backend trait.
//!
//! Model code records a [`Plan`] with a [`Recorder`] and never sees a device; a [`Backend`] runs a Plan and
//! never sees a model. A Plan is recorded once for a number of tokens T and run many times: only the token
//! ids and the position change, and they travel in a [`StepInput`].

pub mod ops;

mod backend;
mod buffer;
mod cancel;
mod error;
mod place;
mod plan;
mod record;

pub use backend::{Ahead, Backend, Device, Start, StepInput, Timing};
pub use buffer::{Buffer, BufferId, BufferKind, StateId, StateKind, StateSpec, WeightId};
pub use cancel::Cancel;
pub use error::{BackendError, PlanError};
pub use ops::Op;
pub use plan::{Plan, Step};
pub use record::Recorder;
