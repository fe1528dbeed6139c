//! Where the buffers of a prepared Plan live: weights shared, scratch and outputs owned, states elsewhere.

use std::mem;

use hala_plan::{Axis, BackendError, BufferId, BufferKind, Plan, Rows};
use hala_tensor::{Data, Tensor};

use crate::weight::{Stored, Weight};

/// Where one buffer's elements are.
#[derive(Debug, Clone)]
enum Place {
    Weight(Weight),
    State(usize),
    Owned(usize),
    Ids,
    /// Nowhere: no step touches it.
    Joined,
}

/// One buffer: its place and its dimensions as a matrix.
#[derive(Debug, Clone)]
struct Entry {
    label: String,
    place: Place,
    axis: Axis,
    n_rows: usize,
    n_columns: usize,
}

/// The buffers of one prepared Plan.
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Vec<Entry>,
    owned: Vec<Vec<f32>>,
    /// Rows of the run, and those of them whose logits are wanted.
    n_rows: [usize; 2],
}

impl Memory {
    /// Owns the slots and outputs of `plan`; `weights` are indexed by the ids that the Plan names.
    pub(crate) fn new(plan: &Plan, weights: &[Weight]) -> Self {
        let mut owned: Vec<Vec<f32>> = plan.slots().iter().map(|n_bytes| vec![0.0; n_bytes / 4]).collect();
        let entries = plan.buffers().iter().map(|buffer| Entry {
            label: buffer.label.clone(),
            axis: buffer.axis,
            n_rows: buffer.shape.n_rows(),
            n_columns: buffer.shape.n_columns(),
            place: match buffer.kind {
                BufferKind::Weight(id) => Place::Weight(weights[id.0 as usize].clone()),
                BufferKind::State(id, _) => Place::State(id.0 as usize),
                BufferKind::Scratch { slot } => Place::Owned(slot),
                // Parameters and gradients are of training Plans, which have a memory of their own.
                BufferKind::Joined | BufferKind::Param(_) | BufferKind::Grad(_) => Place::Joined,
                BufferKind::Input => Place::Ids,
                BufferKind::Output => {
                    owned.push(vec![0.0; buffer.shape.n_elements()]);
                    Place::Owned(owned.len() - 1)
                }
            },
        });
        Self { entries: entries.collect(), owned, n_rows: [0; 2] }
    }

    /// Has buffers lend as many rows as a run has.
    pub(crate) fn begin(&mut self, rows: &Rows<'_>) {
        self.n_rows = [rows.ids.len(), rows.wanted.len()];
    }

    fn entry(&self, id: BufferId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    /// Elements of a buffer that the run has.
    fn n_lent(&self, id: BufferId) -> usize {
        let (entry, [n_rows, n_wanted]) = (self.entry(id), self.n_rows);
        let n = match entry.axis {
            Axis::Rows => n_rows,
            Axis::Wanted => n_wanted,
            Axis::Fixed => entry.n_rows,
        };
        n.min(entry.n_rows) * entry.n_columns
    }

    /// The run's rows of a scratch or output buffer.
    pub(crate) fn rows(&self, id: BufferId) -> &[f32] {
        let n = self.n_lent(id);
        match self.entry(id).place {
            Place::Owned(idx) => &self.owned[idx][..n],
            Place::Weight(_) | Place::State(_) | Place::Ids | Place::Joined => &[],
        }
    }

    /// The first `n_rows` rows of a scratch or output buffer.
    pub(crate) fn first_rows(&self, id: BufferId, n_rows: usize) -> &[f32] {
        let entry = self.entry(id);
        match entry.place {
            Place::Owned(idx) => &self.owned[idx][..entry.n_rows.min(n_rows) * entry.n_columns],
            Place::Weight(_) | Place::State(_) | Place::Ids | Place::Joined => &[],
        }
    }

    /// Writes the first elements of a scratch or output buffer; `false` for other buffers, or where there are fewer.
    pub(crate) fn set_first(&mut self, id: BufferId, values: &[f32]) -> bool {
        let entry = self.entry(id);
        let n = entry.n_rows * entry.n_columns;
        let Place::Owned(idx) = entry.place else { return false };
        let is_room = values.len() <= n;
        if is_room {
            self.owned[idx][..values.len()].copy_from_slice(values);
        }
        is_room
    }

    /// The elements of an f32 weight: a norm, a bias, a table.
    ///
    /// # Errors
    /// The buffer is held in another type.
    pub(crate) fn vector(&self, id: BufferId) -> Result<&[f32], BackendError> {
        match self.tensor(id)?.data() {
            Data::F32(values) => Ok(values),
            _ => Err(self.unsupported(id)),
        }
    }

    /// The tensor of a weight that is kept as it came.
    ///
    /// # Errors
    /// The buffer is no weight, or is kept otherwise.
    pub(crate) fn tensor(&self, id: BufferId) -> Result<&Tensor, BackendError> {
        match self.weight(id)? {
            Stored::Rows(tensor) => Ok(tensor),
            Stored::Panels(_) | Stored::Floats(_) => Err(self.unsupported(id)),
        }
    }

    /// A weight.
    ///
    /// # Errors
    /// The buffer is no weight.
    pub(crate) fn weight(&self, id: BufferId) -> Result<&Stored, BackendError> {
        match &self.entry(id).place {
            Place::Weight(weight) => Ok(&weight.0),
            _ => Err(self.unsupported(id)),
        }
    }

    /// Index of a state among the pool's.
    ///
    /// # Errors
    /// The buffer is no state.
    pub(crate) fn state_idx(&self, id: BufferId) -> Result<usize, BackendError> {
        match self.entry(id).place {
            Place::State(idx) => Ok(idx),
            _ => Err(self.unsupported(id)),
        }
    }

    /// Index of a state buffer, or `None` for any other kind.
    pub(crate) fn is_state(&self, id: BufferId) -> Option<usize> {
        self.state_idx(id).ok()
    }

    /// That nothing can be done with a buffer which is asked for.
    pub(crate) fn unsupported(&self, id: BufferId) -> BackendError {
        let dtype = match &self.entry(id).place {
            Place::Weight(weight) => weight.0.dtype(),
            _ => hala_tensor::DType::F32,
        };
        BackendError::Unsupported {
            backend: "cpu",
            what: format!("the buffer {}", self.entry(id).label),
            dtype,
        }
    }

    /// Lends the run's rows of scratch or output buffers for writing while others are read.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) fn write<const N: usize>(
        &mut self,
        ids: [BufferId; N],
        work: impl FnOnce(&Self, [&mut [f32]; N]) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let mut taken = ids.map(|id| self.take(id));
        let mut lengths = ids.map(|id| self.n_lent(id)).into_iter();
        let rows = taken.each_mut().map(|values| {
            let n = lengths.next().unwrap_or(0);
            &mut values[..n]
        });
        let result = work(self, rows);
        for (id, values) in ids.into_iter().zip(taken) {
            if let Place::Owned(idx) = self.entry(id).place {
                self.owned[idx] = values;
            }
        }
        result
    }

    fn take(&mut self, id: BufferId) -> Vec<f32> {
        match self.entries[id.0 as usize].place {
            Place::Owned(idx) => mem::take(&mut self.owned[idx]),
            _ => Vec::new(),
        }
    }
}
