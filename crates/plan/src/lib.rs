//! The contract between models and backends: ops, buffers, plans and the backend trait.
//!
//! Model code records a [`Plan`] with a [`Recorder`] and never sees a device; a [`Backend`] runs a Plan and
//! never sees a model. A Plan is recorded once for a number of rows T and run many times, each time with the [`Rows`] of one or
//! several sequences, whose states are pages and slots of a pool.

pub mod ops;
pub mod tolerance;
#[cfg(feature = "training")]
pub mod training;

mod ahead;
mod backend;
mod buffer;
mod cancel;
mod declared;
mod error;
mod fuse;
mod joins;
mod place;
mod places;
mod plan;
mod record;
mod rows;
mod send;
mod spec;
mod step;
mod steps;

pub use ahead::{Ahead, AheadRow, Start};
pub use backend::{Backend, Candidate, Device, Kernel, Reading, StatePlaces, Timing};
pub use buffer::{
    Axis, Buffer, BufferId, BufferKind, PoolSize, StateId, StateKind, StateSpec, TableSpec, WeightId,
};
pub use cancel::Cancel;
pub use declared::Declared;
pub use error::{BackendError, PlanError};
pub use fuse::fuse;
pub use ops::Op;
pub use places::Window;
pub use plan::Plan;
pub use record::Recorder;
pub use rows::{EMPTY_SLOT, PAGE, Rows, Span};
pub use send::MaybeSend;
pub use spec::{Counted, Io, OpSpec, Products, Record, Recorded, Work};
pub use step::Step;
pub use tolerance::Tolerance;
