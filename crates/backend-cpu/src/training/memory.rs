//! Where the buffers of a training Plan live: parameters and gradients flat, activations in slots.

use std::mem;
use std::ops::Range;

use hala_plan::training::TrainPlan;
use hala_plan::{Axis, BufferId, BufferKind, WeightId};

/// Elements that the first one of a parameter is a multiple of: a cache line.
const ALIGNMENT: usize = 16;

/// The place of one parameter in the flat buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Which weight of the model it is.
    pub weight: WeightId,
    /// Its elements in the flat buffers of parameters, gradients and moments.
    pub range: Range<usize>,
}

/// Where one buffer's elements are.
#[derive(Debug, Clone)]
enum Place {
    /// A slot, and the elements of a row where the rows are those of the run; else of all.
    Slot(usize, Axis, usize),
    Param(Range<usize>),
    Grad(Range<usize>),
    Table(usize),
    Nowhere,
}

/// The buffers of one training Plan.
#[derive(Debug)]
pub(crate) struct Memory {
    places: Vec<Place>,
    slots: Vec<Vec<f32>>,
    tables: Vec<(WeightId, Vec<f32>)>,
    pub(crate) params: Vec<f32>,
    pub(crate) grads: Vec<f32>,
    n_rows: usize,
}

/// The parameters of a Plan one after the other, and the elements of all.
pub(crate) fn lay_out(plan: &TrainPlan) -> (Vec<Parameter>, usize) {
    let (mut found, mut end) = (Vec::new(), 0);
    for (weight, buffer) in plan.params() {
        let range = end..end + buffer.shape.n_elements();
        end = range.end.next_multiple_of(ALIGNMENT);
        found.push(Parameter { weight, range });
    }
    (found, end)
}

impl Memory {
    /// Zeroed memory for a Plan; `tables` are those that it names as weights.
    pub(crate) fn new(plan: &TrainPlan, tables: Vec<(WeightId, Vec<f32>)>) -> Self {
        let (parameters, n) = lay_out(plan);
        let range = |id: WeightId| {
            let found = parameters.iter().find(|parameter| parameter.weight == id);
            found.map_or(0..0, |parameter| parameter.range.clone())
        };
        let mut slots: Vec<Vec<f32>> = plan.slots().iter().map(|n_bytes| vec![0.0; n_bytes / 4]).collect();
        let place = |buffer: &hala_plan::Buffer| match buffer.kind {
            BufferKind::Scratch { slot } => Place::Slot(slot, buffer.axis, elements(buffer)),
            BufferKind::Output => {
                slots.push(vec![0.0; buffer.shape.n_elements()]);
                Place::Slot(slots.len() - 1, buffer.axis, elements(buffer))
            }
            BufferKind::Param(id) => Place::Param(range(id)),
            BufferKind::Grad(id) => Place::Grad(range(id)),
            BufferKind::Weight(id) => {
                tables.iter().position(|(other, _)| *other == id).map_or(Place::Nowhere, Place::Table)
            }
            BufferKind::State(..) | BufferKind::Joined | BufferKind::Input => Place::Nowhere,
        };
        let places = plan.buffers().iter().map(place).collect();
        Self { places, slots, tables, params: vec![0.0; n], grads: vec![0.0; n], n_rows: 0 }
    }

    /// Has buffers lend as many rows as a run has.
    pub(crate) fn begin(&mut self, n_rows: usize) {
        self.n_rows = n_rows;
    }

    fn n_lent(&self, axis: Axis, n: usize) -> usize {
        if axis == Axis::Rows { self.n_rows * n } else { n }
    }

    /// The run's rows of a buffer; nothing of one without memory.
    pub(crate) fn read(&self, id: BufferId) -> &[f32] {
        match &self.places[id.0 as usize] {
            Place::Slot(idx, axis, n) => &self.slots[*idx][..self.n_lent(*axis, *n)],
            Place::Param(range) => &self.params[range.clone()],
            Place::Grad(range) => &self.grads[range.clone()],
            Place::Table(idx) => &self.tables[*idx].1,
            Place::Nowhere => &[],
        }
    }

    /// Lends the run's rows of other buffers, or gradients, for writing, in the order of `ids`, while others are read.
    pub(crate) fn write(&mut self, ids: &[BufferId], work: impl FnOnce(&Self, &mut [&mut [f32]])) {
        let mut grads = mem::take(&mut self.grads);
        let mut taken: Vec<Option<Vec<f32>>> = ids
            .iter()
            .map(|id| match self.places[id.0 as usize] {
                Place::Slot(idx, ..) => Some(mem::take(&mut self.slots[idx])),
                _ => None,
            })
            .collect();
        let mut lent = lend(&self.places, ids, &mut taken, &mut grads);
        for (part, id) in lent.iter_mut().zip(ids) {
            if let Place::Slot(_, axis, n) = self.places[id.0 as usize] {
                let n = self.n_lent(axis, n);
                *part = &mut mem::take(part)[..n];
            }
        }
        work(self, &mut lent);
        self.grads = grads;
        for (id, values) in ids.iter().zip(taken) {
            if let (Place::Slot(idx, ..), Some(values)) = (&self.places[id.0 as usize], values) {
                self.slots[*idx] = values;
            }
        }
    }

    /// Writes the first elements of activations; `false` for other buffers, or where there are fewer.
    pub(crate) fn set(&mut self, id: BufferId, values: &[f32]) -> bool {
        let Place::Slot(idx, ..) = self.places[id.0 as usize] else { return false };
        let fits = values.len() <= self.slots[idx].len();
        if fits {
            self.slots[idx][..values.len()].copy_from_slice(values);
        }
        fits
    }
}

/// Elements of a row, where rows are those of the run; else of the whole buffer.
fn elements(buffer: &hala_plan::Buffer) -> usize {
    match buffer.axis {
        Axis::Rows => buffer.shape.n_columns(),
        Axis::Fixed | Axis::Wanted => buffer.shape.n_elements(),
    }
}

/// The slots and the parts of the gradients that a step writes, in the order of `ids`.
fn lend<'a>(
    places: &[Place],
    ids: &[BufferId],
    taken: &'a mut [Option<Vec<f32>>],
    grads: &'a mut [f32],
) -> Vec<&'a mut [f32]> {
    let mut lent: Vec<&mut [f32]> =
        taken.iter_mut().map(|values| values.as_deref_mut().unwrap_or_default()).collect();
    let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
    for (idx, id) in ids.iter().enumerate() {
        if let Place::Grad(range) = &places[id.0 as usize] {
            parts.push((idx, range.clone()));
        }
    }
    parts.sort_by_key(|(_, range)| range.start);
    let (mut rest, mut start) = (grads, 0);
    for (idx, range) in parts {
        let (own, later) = rest.split_at_mut(range.end - start);
        lent[idx] = &mut own[range.start - start..];
        (rest, start) = (later, range.end);
    }
    lent
}
