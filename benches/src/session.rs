//! A backend with weights, a pool of states and prepared Plans, to be run again and again with rows of a few sequences.

use anyhow::{Context, Result};
use hala_plan::{
    Axis, Backend, BufferId, Cancel, PAGE, Plan, PoolSize, Reading, Rows, Span, StateId, StateKind,
    StateSpec, Timing, WeightId,
};
use hala_tensor::{DType, Shape, Tensor};

/// Weights and states while Plans are recorded.
#[derive(Debug)]
pub struct Setup<'b, B: Backend> {
    backend: &'b B,
    weights: Vec<B::Weight>,
    states: Vec<StateSpec>,
}

impl<'b, B: Backend> Setup<'b, B> {
    /// Nothing yet.
    pub fn new(backend: &'b B) -> Self {
        Self { backend, weights: Vec::new(), states: Vec::new() }
    }

    /// Uploads a weight.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn weight(&mut self, tensor: Tensor) -> Result<WeightId> {
        self.weights.push(self.backend.upload("weight", tensor)?);
        Ok(WeightId(self.weights.len() as u32 - 1))
    }

    /// Declares keys or values of `[n_kv_heads, head_size]` a position.
    pub fn cache(&mut self, [n_kv_heads, head_size]: [usize; 2], dtype: DType) -> StateId {
        let (shape, kind) = (Shape::cube(n_kv_heads, PAGE, head_size), StateKind::Paged { table: 0 });
        let label = format!("state {}", self.states.len());
        self.states.push(StateSpec { label, shape, dtype, kind });
        StateId(self.states.len() as u32 - 1)
    }

    /// Declares the states of a model, which its Plans name.
    pub fn declare(&mut self, states: &[StateSpec]) {
        self.states.extend_from_slice(states);
    }

    /// A state declared before.
    pub fn spec(&self, id: StateId) -> &StateSpec {
        &self.states[id.0 as usize]
    }

    /// Makes the Plans ready to run for sequences of so many positions each.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn finish(self, plans: &[Plan], sequences: Sequences) -> Result<Session<'b, B>> {
        let Sequences { n, n_positions } = sequences;
        let n_pages = n_positions.div_ceil(PAGE);
        // Every table has pages of all positions: windows bound what is looked at all the same.
        let tables = self.states.iter().filter_map(|state| match state.kind {
            StateKind::Paged { table } => Some(table as usize + 1),
            StateKind::Recurrent => None,
        });
        let n_tables = tables.max().unwrap_or(1);
        let size = PoolSize { n_slots: n + 1, n_pages: vec![n * n_pages; n_tables] };
        let states = self.backend.allocate(&self.states, &size)?;
        let prepare = |plan| pollster::block_on(self.backend.prepare(plan, &self.weights));
        let prepared = plans.iter().map(prepare).collect::<Result<_, _>>()?;
        let pages = |i: usize| (i * n_pages..(i + 1) * n_pages).map(|page| page as u32).collect();
        let tables = (0..n).map(|i| vec![pages(i); n_tables]);
        Ok(Session {
            backend: self.backend,
            states,
            prepared,
            outputs: plans.iter().map(|plan| plan.output().map(|id| (id, plan.buffer(id).axis))).collect(),
            tables: tables.collect(),
            n_rows: 0,
            values: Vec::new(),
            cancel: Cancel::new(),
        })
    }
}

/// The sequences that a pool has room for.
#[derive(Debug, Clone, Copy)]
pub struct Sequences {
    /// How many.
    pub n: usize,
    /// Positions of each.
    pub n_positions: usize,
}

/// Whose rows the ids of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The first sequence's, one after the other.
    One,
    /// A sequence's each.
    Each,
}

/// Plans that are ready to run.
#[derive(Debug)]
pub struct Session<'b, B: Backend> {
    backend: &'b B,
    states: B::States,
    prepared: Vec<B::Prepared>,
    /// The first output of each Plan.
    outputs: Vec<Option<(BufferId, Axis)>>,
    /// The page tables of each sequence.
    tables: Vec<Vec<Vec<u32>>>,
    /// Rows of the last run.
    n_rows: usize,
    /// What was read last.
    values: Vec<f32>,
    cancel: Cancel,
}

/// The spans of a run.
fn spans<'a>(tables: &'a [Vec<Vec<u32>>], n_rows: usize, position: usize, whose: Whose) -> Vec<Span<'a>> {
    let span = |i: usize, n_rows| Span { n_rows, position, slot: i as u32 + 1, tables: &tables[i] };
    match whose {
        Whose::One => vec![span(0, n_rows)],
        Whose::Each => (0..n_rows).map(|i| span(i, 1)).collect(),
    }
}

impl<B: Backend> Session<'_, B> {
    /// Runs a Plan by its index: the ids of one sequence from a position on, or one of each of several, all at that position.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn run(&mut self, plan: usize, ids: &[u32], position: usize, whose: Whose) -> Result<()> {
        let spans = spans(&self.tables, ids.len(), position, whose);
        let rows = Rows { ids, spans: &spans, wanted: &[ids.len() as u32 - 1], cancel: &self.cancel };
        self.n_rows = ids.len();
        Ok(pollster::block_on(self.backend.run(&mut self.prepared[plan], &mut self.states, rows))?)
    }

    /// Runs a Plan by its index, and tells how long each piece of it took.
    ///
    /// # Errors
    /// A device without a clock, and those of the backend.
    pub fn profile(
        &mut self,
        plan: usize,
        ids: &[u32],
        position: usize,
        whose: Whose,
    ) -> Result<Vec<Timing>> {
        let spans = spans(&self.tables, ids.len(), position, whose);
        let rows = Rows { ids, spans: &spans, wanted: &[ids.len() as u32 - 1], cancel: &self.cancel };
        Ok(pollster::block_on(self.backend.profile(&mut self.prepared[plan], &mut self.states, rows))?)
    }

    /// The output of the last run, which was of this Plan; the device is waited for.
    ///
    /// # Errors
    /// The Plan has none, and those of the backend.
    pub fn logits(&mut self, plan: usize) -> Result<&[f32]> {
        let (buffer, axis) = self.outputs[plan].context("the Plan has no output")?;
        let reading = Reading { buffer, n_rows: if axis == Axis::Wanted { 1 } else { self.n_rows } };
        let prepared = &self.prepared[plan];
        pollster::block_on(self.backend.read(prepared, &self.states, reading, &mut self.values))?;
        Ok(&self.values)
    }
}
