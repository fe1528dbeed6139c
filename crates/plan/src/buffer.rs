//! The named, shaped buffers that the steps of a Plan read and write.

use hala_tensor::{DType, Shape};

/// Index of a buffer in its Plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Index of a weight in its model's list of weights; the same in every Plan of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WeightId(pub u32);

/// Index of a state in its model's list of states; the same in every Plan of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub u32);

/// What a buffer is for, which tells who owns its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferKind {
    /// Read-only, shared by all sequences of a model.
    Weight(WeightId),
    /// A weight that training changes; of training Plans alone.
    Param(WeightId),
    /// The gradient of a parameter, which every run adds to; of training Plans alone.
    Grad(WeightId),
    /// Carried from run to run: pages or slots of a pool, which every run is given.
    State(StateId, StateKind),
    /// Lives between two steps of one run; its slot is shared with others.
    Scratch {
        /// Index of the memory slot, in [`Plan::slots`](crate::Plan::slots).
        slot: usize,
    },
    /// Without memory: no step touches it, as where those that wrote and read it were joined.
    Joined,
    /// Given with a run: the token ids.
    Input,
    /// Read by the caller after a run.
    Output,
}

/// What the rows of a buffer are, which tells how many of them a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Whatever the buffer is: weights, states.
    Fixed,
    /// Those of the run.
    Rows,
    /// Those of the run whose logits are wanted.
    Wanted,
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
    /// What its rows are.
    pub axis: Axis,
}

impl Buffer {
    /// f32 activations in scratch memory, whose place is yet to be found.
    pub(crate) fn activations(label: &str, shape: Shape, axis: Axis) -> Self {
        let kind = BufferKind::Scratch { slot: 0 };
        Self { label: label.to_owned(), shape, dtype: DType::F32, kind, axis }
    }
}

/// How a state depends on the tokens seen, and so how a pool holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// One entry a position, in pages of [`PAGE`](crate::PAGE) positions (a KV cache, `[K, PAGE, A]` a page): going back to a position
    /// needs nothing.
    Paged {
        /// Which of a sequence's page tables tells its pages: an index into the model's [`TableSpec`]s.
        table: u32,
    },
    /// A fixed size, overwritten by every token (the last conv inputs), one slot a sequence: going back needs a copy.
    Recurrent,
}

/// A state that every sequence of a model has.
#[derive(Debug, Clone, PartialEq)]
pub struct StateSpec {
    /// Unique among the model's states.
    pub label: String,
    /// Dimensions of one page or one slot, in elements.
    pub shape: Shape,
    /// Element type: f32, or f16 for a KV cache.
    pub dtype: DType,
    /// How it depends on the tokens seen.
    pub kind: StateKind,
}

/// A kind of layer with a KV cache: those that see equally far share page tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSpec {
    /// Positions that a token sees at most, its own among them; `None` for all. What is further back need not be held.
    pub window: Option<u32>,
}

/// How much a pool of states holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSize {
    /// Slots of recurrent states, [`EMPTY_SLOT`](crate::EMPTY_SLOT) among them.
    pub n_slots: usize,
    /// Pages, for each of the model's [`TableSpec`]s.
    pub n_pages: Vec<usize>,
}

impl PoolSize {
    /// Pages or slots of a state.
    pub fn n_places(&self, kind: StateKind) -> usize {
        match kind {
            StateKind::Paged { table } => self.n_pages.get(table as usize).copied().unwrap_or(0),
            StateKind::Recurrent => self.n_slots,
        }
    }

    /// Bytes that these states take.
    pub fn n_bytes(&self, states: &[StateSpec]) -> usize {
        states.iter().map(|spec| self.n_places(spec.kind) * spec.dtype.n_bytes(spec.shape)).sum()
    }
}
