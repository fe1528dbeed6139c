//! One recording of a forward pass: weights and states are declared once, where they are first read.

use hala_plan::ops::{add, concat, embed, gate, gather, matmul, norm, round, sample};
use hala_plan::{BufferId, Plan, Recorder, StateId, WeightId};
use hala_tensor::{DType, Shape};

use crate::error::ModelError;
use crate::model::{LogitRows, Parts, PlanShape};

/// A norm of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm {
    pub(crate) weight: WeightId,
    pub(crate) eps: f32,
    pub(crate) kind: norm::Kind,
}

impl Norm {
    /// An RMS norm.
    pub(crate) fn rms(weight: WeightId, eps: f32) -> Self {
        Self { weight, eps, kind: norm::Kind::Rms }
    }
}

/// A Plan in the making, in the words of a model: plain layers, each into a buffer of its own. [`hala_plan::fuse`] joins them.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    /// Where ops are appended.
    pub(crate) recorder: Recorder,
    parts: &'a Parts,
    dtypes: &'a [DType],
    logits: LogitRows,
    ids: BufferId,
    declared: Vec<Option<BufferId>>,
}

impl<'a> Pass<'a> {
    /// Begins a Plan; `dtypes` tells how each weight is held.
    pub(crate) fn new(shape: PlanShape, parts: &'a Parts, dtypes: &'a [DType]) -> Self {
        let label = if shape.n_tokens == 1 { "decode" } else { "prefill" };
        let mut recorder = Recorder::new(label, shape.n_tokens);
        let ids = recorder.ids();
        let declared = vec![None; parts.weights.len()];
        Self { recorder, parts, dtypes, logits: shape.logits, ids, declared }
    }

    pub(crate) fn weight(&mut self, id: WeightId) -> BufferId {
        let idx = id.0 as usize;
        if let Some(buffer) = self.declared[idx] {
            return buffer;
        }
        let spec = &self.parts.weights[idx];
        let buffer = self.recorder.weight(id, &spec.name, spec.shape, self.dtypes[idx]);
        self.declared[idx] = Some(buffer);
        buffer
    }

    pub(crate) fn state(&mut self, id: StateId) -> BufferId {
        self.recorder.state(id, &self.parts.states[id.0 as usize])
    }

    /// S, the positions that a sequence has at most.
    pub(crate) fn n_positions(&self) -> usize {
        self.parts.facts.context
    }

    /// A scratch buffer `[T, n_columns]`.
    pub(crate) fn scratch(&mut self, label: &str, n_columns: usize) -> BufferId {
        let shape = Shape::matrix(self.recorder.n_tokens(), n_columns);
        self.recorder.scratch(label, shape, DType::F32)
    }

    /// `h = table[ids] · scale`
    pub(crate) fn embed(&mut self, table: WeightId, scale: f32) -> Result<BufferId, ModelError> {
        let n_columns = self.parts.weights[table.0 as usize].shape.n_columns();
        let (ids, table, y) = (self.ids, self.weight(table), self.scratch("h", n_columns));
        self.recorder.add(embed::Args { ids, table, scale, y })?;
        Ok(y)
    }

    /// `N(x)`
    pub(crate) fn norm(&mut self, label: &str, x: BufferId, norm: Norm) -> Result<BufferId, ModelError> {
        let Norm { weight, eps, kind } = norm;
        let y = self.recorder.scratch_beside(label, x, self.recorder.shape(x).n_columns());
        let norm = matmul::Norm { weight: self.weight(weight), eps };
        self.recorder.add(norm::Args { x, norm, kind, y, write: matmul::Write::Set })?;
        Ok(y)
    }

    /// What products with these weights are of: `x`, or where their inputs are rounded, those.
    ///
    /// # Errors
    /// The weights' inputs are rounded in different ways.
    fn rounded(&mut self, x: BufferId, weights: &[WeightId]) -> Result<BufferId, ModelError> {
        let specs = &self.parts.weights;
        let mut specs = weights.iter().map(|id| &specs[id.0 as usize]);
        let Some(first) = specs.next() else { return Ok(x) };
        if let Some(other) = specs.find(|other| other.rounding != first.rounding) {
            return Err(ModelError::Rounding { first: first.name.clone(), second: other.name.clone() });
        }
        let Some(rounding) = first.rounding else { return Ok(x) };
        let n_columns = self.recorder.shape(x).n_columns();
        let y = self.recorder.scratch_beside(&format!("{} rounded", first.name), x, n_columns);
        self.recorder.add(round::Args { x, rounding, y })?;
        Ok(y)
    }

    /// `x · Wᵀ`, whatever the weight's inputs are.
    fn product(&mut self, x: BufferId, weight: WeightId) -> Result<BufferId, ModelError> {
        let (label, n_columns) = self.result_of(weight);
        let y = self.recorder.scratch_beside(&label, x, n_columns);
        self.product_into(x, weight, None, y)
    }

    /// As [`Pass::product`] with a bias, into `y`.
    fn product_into(
        &mut self,
        x: BufferId,
        weight: WeightId,
        bias: Option<WeightId>,
        y: BufferId,
    ) -> Result<BufferId, ModelError> {
        let weights = &[self.weight(weight)];
        let bias = bias.map(|id| self.weight(id));
        let write = matmul::Write::Set;
        self.recorder.add(matmul::Args { x, norm: None, weights, bias, y, write })?;
        Ok(y)
    }

    /// What a product with a weight is called where it has no name of its own, and its columns.
    fn result_of(&self, weight: WeightId) -> (String, usize) {
        let spec = &self.parts.weights[weight.0 as usize];
        (spec.name.trim_end_matches(".weight").to_owned(), spec.shape.n_rows())
    }

    /// `x · Wᵀ + b`
    pub(crate) fn project(
        &mut self,
        label: &str,
        x: BufferId,
        weight: WeightId,
        bias: Option<WeightId>,
    ) -> Result<BufferId, ModelError> {
        let (x, n_columns) = (self.rounded(x, &[weight])?, self.result_of(weight).1);
        let y = self.recorder.scratch_beside(label, x, n_columns);
        self.product_into(x, weight, bias, y)
    }

    /// `[x · W₁ᵀ, x · W₂ᵀ, x · W₃ᵀ]`, side by side.
    pub(crate) fn project_beside(
        &mut self,
        label: &str,
        x: BufferId,
        weights: [WeightId; 3],
    ) -> Result<BufferId, ModelError> {
        let x = self.rounded(x, &weights)?;
        let [a, b, c] = weights.map(|weight| self.product(x, weight));
        let parts = &[a?, b?, c?];
        let n_columns = parts.iter().map(|part| self.recorder.shape(*part).n_columns()).sum();
        let y = self.recorder.scratch_beside(label, x, n_columns);
        self.recorder.add(concat::Args { parts, y })?;
        Ok(y)
    }

    /// `act(x · W₁ᵀ) ⊙ (x · W₃ᵀ)`
    pub(crate) fn gate(
        &mut self,
        label: &str,
        x: BufferId,
        weights: [WeightId; 2],
        activation: gate::Activation,
    ) -> Result<BufferId, ModelError> {
        let x = self.rounded(x, &weights)?;
        let [a, b] = weights.map(|weight| self.product(x, weight));
        let (a, b) = (a?, b?);
        let y = self.recorder.scratch_beside(label, x, self.recorder.shape(a).n_columns());
        self.recorder.add(gate::Args { a, b, activation, y })?;
        Ok(y)
    }

    /// `h + x`
    pub(crate) fn add(&mut self, label: &str, h: BufferId, x: BufferId) -> Result<BufferId, ModelError> {
        let y = self.recorder.scratch_beside(label, h, self.recorder.shape(h).n_columns());
        self.recorder.add(add::Args { a: h, b: x, y })?;
        Ok(y)
    }

    /// `logits = x · headᵀ`, of rows that [`Pass::wanted`] gives.
    pub(crate) fn head(&mut self, x: BufferId, head: WeightId) -> Result<BufferId, ModelError> {
        let x = self.rounded(x, &[head])?;
        let shape = Shape::matrix(self.recorder.shape(x).n_rows(), self.result_of(head).1);
        let y = match self.logits {
            LogitRows::Chosen => self.recorder.scratch("logits", shape, DType::F32),
            LogitRows::All => self.recorder.output("logits", shape),
            LogitRows::Wanted(_) => self.recorder.output_of_wanted("logits", shape),
        };
        self.product_into(x, head, None, y)
    }

    /// The rows of `x` that logits are computed of.
    pub(crate) fn wanted(&mut self, x: BufferId) -> Result<BufferId, ModelError> {
        let LogitRows::Wanted(n_wanted) = self.logits else { return Ok(x) };
        let shape = Shape::matrix(n_wanted.min(self.recorder.n_tokens()), self.recorder.shape(x).n_columns());
        let y = self.recorder.scratch_of_wanted("wanted", shape, DType::F32);
        self.recorder.add(gather::Args { x, y })?;
        Ok(y)
    }

    /// The Plan; its last step chooses the next tokens where that is wanted.
    pub(crate) fn finish(mut self, logits: BufferId) -> Result<Plan, ModelError> {
        if self.logits == LogitRows::Chosen {
            self.recorder.add(sample::Args { logits, ids: self.ids })?;
        }
        Ok(self.recorder.finish())
    }
}
