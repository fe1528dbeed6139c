//! What can go wrong while a Plan is recorded or run.

use hala_tensor::{DType, Shape};

/// A Plan that does not fit together: a fault of the model code or of its checkpoint's shapes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A buffer has another shape than the op needs.
    #[error("{op}: the buffer {label} has the shape {found}, and the op needs {expected}")]
    Shape {
        /// Name of the op.
        op: &'static str,
        /// Label of the buffer.
        label: String,
        /// Its shape.
        found: Shape,
        /// The shape that the op needs.
        expected: String,
    },
    /// A buffer has an element type that the op does not take.
    #[error("{op}: the buffer {label} holds {found}, and the op needs {expected}")]
    DType {
        /// Name of the op.
        op: &'static str,
        /// Label of the buffer.
        label: String,
        /// Its element type.
        found: DType,
        /// What the op takes.
        expected: &'static str,
    },
    /// A parameter is outside of what the op supports.
    #[error("{op}: {what}")]
    Parameter {
        /// Name of the op.
        op: &'static str,
        /// What was found and expected.
        what: String,
    },
}

/// A backend that cannot do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BackendError {
    /// The work was stopped by its [`Cancel`](crate::Cancel) flag; state that was half written must be restored.
    #[error("stopped on request")]
    Cancelled,
    /// Memory was refused.
    #[error(
        "{device} has no room for {bytes} bytes ({what}): close other programs, or choose smaller weights or a shorter context"
    )]
    OutOfMemory {
        /// Name of the device.
        device: String,
        /// What the memory was for.
        what: String,
        /// Bytes asked for.
        bytes: usize,
    },
    /// An element type that the backend does not hold.
    #[error("{backend}: {what} as {dtype} is not supported")]
    Unsupported {
        /// Name of the backend.
        backend: &'static str,
        /// The op or tensor.
        what: String,
        /// The element type.
        dtype: DType,
    },
    /// A run that does not fit its Plan: more tokens than recorded, or a position beyond the state.
    #[error("{what}: {found}, and at most {limit} are possible here")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The count asked for.
        found: usize,
        /// The most that is possible.
        limit: usize,
    },
    /// A run that names memory which its pool of states lacks: a fault of the program that made the run.
    #[error("the {what} {}: there are {n_places}, and each is one sequence's; please report it", .found.map_or("is missing".to_owned(), |i| format!("{i} cannot be written or read")))]
    Place {
        /// Page or slot.
        what: &'static str,
        /// Its index, where there is one.
        found: Option<u32>,
        /// Pages or slots of the pool.
        n_places: usize,
    },
    /// A handle that another backend made: a fault of the program that mixed the two.
    #[error(
        "the {what} belong to another backend than {backend}: what one made is of no use to another; please report it"
    )]
    OfAnother {
        /// Weights, states, or a Plan made ready.
        what: &'static str,
        /// Name of the backend that was given it.
        backend: &'static str,
    },
    /// A token id that the embedding has no row for.
    #[error(
        "the token id {id} is outside of the model's vocabulary of {n_vocab}: ids go from 0 to {last}; where a tokenizer gave it, it belongs to another model",
        last = .n_vocab.saturating_sub(1)
    )]
    Id {
        /// The id.
        id: u32,
        /// Rows of the embedding.
        n_vocab: usize,
    },
    /// The device went away; a new session must be built from the token ids.
    #[error("{device} was lost: {reason}")]
    DeviceLost {
        /// Name of the device.
        device: String,
        /// What the driver said.
        reason: String,
    },
    /// The device or its driver refused work that it should do.
    #[error("{device} refused {what}: {reason}. Please report it; `--backend cpu` runs the same model")]
    Refused {
        /// Name of the device.
        device: String,
        /// The work.
        what: String,
        /// What the driver said.
        reason: String,
    },
    /// The device could not be set up.
    #[error("{backend} is not available: {reason}")]
    Unavailable {
        /// Name of the backend.
        backend: &'static str,
        /// What was found, and what to do.
        reason: String,
    },
}
