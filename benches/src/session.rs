//! A backend with weights, states and prepared Plans, to be run again and again.

use anyhow::{Context, Result};
use hala_plan::{
    Backend, BufferId, Cancel, Plan, StateId, StateKind, StateSpec, StepInput, Timing, WeightId,
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

    /// Declares a state.
    pub fn state(&mut self, shape: Shape, dtype: DType, kind: StateKind) -> StateId {
        let label = format!("state {}", self.states.len());
        self.states.push(StateSpec { label, shape, dtype, kind });
        StateId(self.states.len() as u32 - 1)
    }

    /// A state declared before.
    pub fn spec(&self, id: StateId) -> &StateSpec {
        &self.states[id.0 as usize]
    }

    /// Makes the Plans ready to run.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn finish(self, plans: &[Plan]) -> Result<Session<'b, B>> {
        let state = self.backend.allocate(&self.states)?;
        let prepare = |plan| pollster::block_on(self.backend.prepare(plan, &self.weights, &state));
        let prepared = plans.iter().map(prepare).collect::<Result<_, _>>()?;
        let outputs = plans.iter().map(Plan::output).collect();
        let (values, cancel) = (Vec::new(), Cancel::new());
        Ok(Session { backend: self.backend, state, prepared, outputs, values, cancel })
    }
}

/// Plans that are ready to run.
#[derive(Debug)]
pub struct Session<'b, B: Backend> {
    backend: &'b B,
    state: B::State,
    prepared: Vec<B::Prepared>,
    /// The first output of each Plan.
    outputs: Vec<Option<BufferId>>,
    /// What was read last.
    values: Vec<f32>,
    cancel: Cancel,
}

impl<B: Backend> Session<'_, B> {
    /// Runs a Plan by its index.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn run(&mut self, plan: usize, ids: &[u32], position: usize) -> Result<()> {
        let input = StepInput { ids, position, cancel: &self.cancel };
        Ok(pollster::block_on(self.backend.run(&mut self.prepared[plan], &mut self.state, input))?)
    }
    /// Runs a Plan by its index, and tells how long each piece of it took.
    ///
    /// # Errors
    /// A device without a clock, and those of the backend.
    pub fn profile(&mut self, plan: usize, ids: &[u32], position: usize) -> Result<Vec<Timing>> {
        let input = StepInput { ids, position, cancel: &self.cancel };
        Ok(pollster::block_on(self.backend.profile(&mut self.prepared[plan], &mut self.state, input))?)
    }

    /// The output of the last run of a Plan, for which the device is waited for.
    ///
    /// # Errors
    /// The Plan has none, and those of the backend.
    pub fn logits(&mut self, plan: usize) -> Result<&[f32]> {
        let output = self.outputs[plan].context("the Plan has no output")?;
        let prepared = &self.prepared[plan];
        pollster::block_on(self.backend.read(prepared, &self.state, output, &mut self.values))?;
        Ok(&self.values)
    }
}
