//! The named, shaped buffers that the steps of a Plan read and write.

use hala_tensor::{DType, Shape};

/// Index of a buffer in its Plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Index of a weight in its model's list of weights; the same in every Plan of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WeightId(pub u32);

/// Index of a state buffer in its model's list of states; the same in every Plan of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub u32);

/// What a buffer is for, which tells who owns its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferKind {
    /// Read-only, shared by all sessions of a model.
    Weight(WeightId),
    /// Owned by a session and carried from run to run.
    State(StateId),
    /// Lives between two steps of one run; its slot is shared with others.
    Scratch {
        /// Index of the memory slot, in [`Plan::slots`](crate::Plan::slots).
        slot: usize,
    },
    /// Written by the caller before a run: the token ids.
    Input,
    /// Read by the caller after a run.
    Output,
}

/// One buffer of a Plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Buffer {
    /// Unique in the Plan, in the checkpoint's words where it has them.
    pub label: String,
    /// Dimensions in elements.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// Who owns it.
    pub kind: BufferKind,
}

/// How a state buffer depends on the tokens seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// One entry a position (a KV cache, `[K, S, A]`): going back to a position needs nothing.
    PerToken,
    /// A fixed size, overwritten by every token (the last conv inputs): going back needs a snapshot.
    Recurrent,
}

/// A state buffer that every session of a model has.
#[derive(Debug, Clone, PartialEq)]
pub struct StateSpec {
    /// Unique among the model's states.
    pub label: String,
    /// Dimensions in elements.
    pub shape: Shape,
    /// Element type: f32, or f16 for a KV cache.
    pub dtype: DType,
    /// How it depends on the tokens seen.
    pub kind: StateKind,
}
