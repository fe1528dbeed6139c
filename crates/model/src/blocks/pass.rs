//! One recording of a forward pass: weights and states are declared once, where they are first read.

use hala_plan::Axis;
use hala_plan::ops::{embed, gather, matmul, norm, round, sample, swiglu};
use hala_plan::{BufferId, Plan, Recorder, StateId, WeightId};
use hala_tensor::{DType, Shape};

use crate::error::ModelError;
use crate::model::{LogitRows, Parts, PlanShape};

/// A Plan in the making, in the words of a model.
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

    pub(crate) fn norm(&mut self, id: WeightId, eps: f32) -> matmul::Norm {
        matmul::Norm { weight: self.weight(id), eps }
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
        self.recorder.scratch(label, shape)
    }

    /// A scratch buffer with the rows that `x` has.
    fn scratch_beside(&mut self, label: &str, x: BufferId, n_columns: usize) -> BufferId {
        let (axis, shape) =
            (self.recorder.buffer(x).axis, Shape::matrix(self.recorder.shape(x).n_rows(), n_columns));
        match axis {
            Axis::Wanted => self.recorder.scratch_of_wanted(label, shape),
            Axis::Rows | Axis::Fixed => self.recorder.scratch(label, shape),
        }
    }

    /// `h = table[ids] · scale`
    pub(crate) fn embed(&mut self, table: WeightId, scale: f32) -> Result<BufferId, ModelError> {
        let n_columns = self.parts.weights[table.0 as usize].shape.n_columns();
        let (ids, table, y) = (self.ids, self.weight(table), self.scratch("h", n_columns));
        self.recorder.add(embed::Args { ids, table, scale, y })?;
        Ok(y)
    }

    /// What a product with these weights is of: `x` with its norm, or where its inputs are rounded, those in a buffer of their own.
    ///
    /// # Errors
    /// The weights' inputs are rounded in different ways.
    pub(crate) fn inputs(
        &mut self,
        x: BufferId,
        norm: Option<matmul::Norm>,
        weights: &[WeightId],
    ) -> Result<(BufferId, Option<matmul::Norm>), ModelError> {
        let specs = &self.parts.weights;
        let mut specs = weights.iter().map(|id| &specs[id.0 as usize]);
        let Some(first) = specs.next() else { return Ok((x, norm)) };
        if let Some(other) = specs.find(|other| other.rounding != first.rounding) {
            return Err(ModelError::Rounding { first: first.name.clone(), second: other.name.clone() });
        }
        let Some(rounding) = first.rounding else { return Ok((x, norm)) };
        let n_columns = self.recorder.shape(x).n_columns();
        let x = match norm {
            None => x,
            Some(norm) => {
                let y = self.scratch_beside(&format!("{} normed", first.name), x, n_columns);
                let (kind, write) = (norm::Kind::Rms, matmul::Write::Set);
                self.recorder.add(norm::Args { x, norm, kind, y, write })?;
                y
            }
        };
        let y = self.scratch_beside(&format!("{} rounded", first.name), x, n_columns);
        self.recorder.add(round::Args { x, rounding, y })?;
        Ok((y, None))
    }

    /// `y = x̂ · Wᵀ` of matrices side by side, into a new scratch buffer.
    pub(crate) fn project(
        &mut self,
        label: &str,
        x: BufferId,
        norm: Option<matmul::Norm>,
        weights: &[WeightId],
    ) -> Result<BufferId, ModelError> {
        let (x, norm) = self.inputs(x, norm, weights)?;
        let weights: Vec<BufferId> = weights.iter().map(|id| self.weight(*id)).collect();
        let n_columns = weights.iter().map(|id| self.recorder.shape(*id).n_rows()).sum();
        let y = self.scratch(label, n_columns);
        let write = matmul::Write::Set;
        self.recorder.add(matmul::Args { x, norm, weights: &weights, bias: None, y, write })?;
        Ok(y)
    }

    /// `y = act(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ)`, into a new scratch buffer.
    pub(crate) fn gate(
        &mut self,
        label: &str,
        (x, norm): (BufferId, Option<matmul::Norm>),
        [w1, w3]: [WeightId; 2],
        activation: swiglu::Activation,
    ) -> Result<BufferId, ModelError> {
        let (x, norm) = self.inputs(x, norm, &[w1, w3])?;
        let [w1, w3] = [w1, w3].map(|id| self.weight(id));
        let n_columns = self.recorder.shape(w1).n_rows();
        let y = self.scratch(label, n_columns);
        self.recorder.add(swiglu::Args { x, norm, activation, w1, w3, y })?;
        Ok(y)
    }

    /// `h += x · Wᵀ + b`
    pub(crate) fn add(
        &mut self,
        x: BufferId,
        weight: WeightId,
        bias: Option<WeightId>,
        h: BufferId,
    ) -> Result<(), ModelError> {
        let (x, norm) = self.inputs(x, None, &[weight])?;
        let weights = &[self.weight(weight)];
        let bias = bias.map(|id| self.weight(id));
        let write = matmul::Write::Add;
        self.recorder.add(matmul::Args { x, norm, weights, bias, y: h, write })?;
        Ok(())
    }

    /// `logits = x̂ · headᵀ` of the rows that are wanted.
    pub(crate) fn head(
        &mut self,
        x: BufferId,
        norm: Option<matmul::Norm>,
        head: WeightId,
    ) -> Result<BufferId, ModelError> {
        let x = self.wanted(x)?;
        let (x, norm) = self.inputs(x, norm, &[head])?;
        let weights = &[self.weight(head)];
        let shape = Shape::matrix(self.recorder.shape(x).n_rows(), self.recorder.shape(weights[0]).n_rows());
        let y = match self.logits {
            LogitRows::Chosen => self.recorder.scratch("logits", shape),
            LogitRows::All => self.recorder.output("logits", shape),
            LogitRows::Wanted(_) => self.recorder.output_of_wanted("logits", shape),
        };
        let write = matmul::Write::Set;
        self.recorder.add(matmul::Args { x, norm, weights, bias: None, y, write })?;
        Ok(y)
    }

    /// The rows of `x` that logits are computed of.
    fn wanted(&mut self, x: BufferId) -> Result<BufferId, ModelError> {
        let LogitRows::Wanted(n_wanted) = self.logits else { return Ok(x) };
        let shape = Shape::matrix(n_wanted.min(self.recorder.n_tokens()), self.recorder.shape(x).n_columns());
        let y = self.recorder.scratch_of_wanted("wanted", shape);
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
