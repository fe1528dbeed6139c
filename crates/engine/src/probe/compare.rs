//! The first step of a run that departs from the same of another backend, which is the truth: the CPU in plain loops.
//!
//! Each step is judged on its own error. Errors add up along a Plan, so one bound on what has added up misses a small fault in
//! the first layers or cries wolf in the last. So both runs go on from what the reference computed: after each step its results are
//! written over those of the run that is looked into. What differs is then the step's own doing, the tolerances of single ops
//! hold ([`hala_plan::Tolerance`]), and a fault does not hide the next one.
//!
//! - Errors are relative to the row, however small its values are, and where a step adds to a row, to what it adds.
//! - What a step is to write is filled with NaN before it, so that rows which it leaves out are seen; NaN and infinities depart.
//! - The Plan is the one that a session or a scheduler would run such rows with on the backend that is looked into, of as many rows: kernels are
//!   chosen by it.
//! - The reference runs that Plan too, step by step the same: any backend can that has the plain ops and those joined steps.

use hala_plan::{Backend, BufferId, BufferKind, Cancel, Tolerance};
use hala_tensor::DType;

use super::Probe;
use super::comparison::{BufferComparison, Comparison, StepComparison, Worst};
use super::judge::{Errors, Expected};
use super::run::{ProbeRun, Stretch};
use super::stepwise::Stepwise;
use crate::engine::Engine;
use crate::error::EngineError;

/// Half a bit of an f32 or f16, twice: both sides round, and some devices towards zero.
const F32_ROUNDING: f64 = 2.4e-7;
const F16_ROUNDING: f64 = 9.8e-4;

impl<B: Backend> Probe<'_, B> {
    /// Makes a run step by step, and `reference` the same, which must have the same model with the same weights and caches; tells how far each
    /// step is from it. `on_step` is told the steps that are done, and how many there are.
    ///
    /// # Errors
    /// Engines that are not alike, prompts that do not fit, rows that are too many for one run, no memory, cancellation, a lost device.
    pub async fn compare<A: Backend>(
        &self,
        reference: &Engine<A>,
        run: &ProbeRun<'_>,
        cancel: &Cancel,
        mut on_step: impl FnMut(usize, usize),
    ) -> Result<Comparison, EngineError> {
        check_alike(self.engine, reference)?;
        let stretches = run.stretches(self.engine)?;
        let found = Stepwise::taken_before(self.engine, run, &stretches)?;
        let expected = Stepwise::computed_before(reference, run, &stretches, cancel).await?;
        let n_rows = found.n_rows();
        let shape = run.shape(self.engine, n_rows);
        let found = Stepwise::new(self.engine, shape, found).await?;
        let expected = Stepwise::with_plan(reference, found.plan.clone(), expected).await?;
        let mut sides = Sides { found, expected, stretches };
        sides.give_states().await?;
        let (n_steps, mut steps) = (sides.found.plan.steps().len(), Vec::new());
        for i in 0..n_steps {
            steps.push(sides.step(i, cancel).await?);
            on_step(i + 1, n_steps);
        }
        let plan = &sides.found.plan;
        Ok(Comparison { run: run.rows.name(), n_tokens: plan.n_tokens(), n_rows, steps })
    }
}

/// Refuses engines whose numbers mean other things.
fn check_alike<A: Backend, B: Backend>(found: &Engine<A>, expected: &Engine<B>) -> Result<(), EngineError> {
    let [a, b] = [found.model(), expected.model()];
    let what = if a.weights() != b.weights() || found.dtypes() != expected.dtypes() {
        "weights"
    } else if a.states() != b.states() || a.tables() != b.tables() {
        "caches"
    } else if a.facts().context != b.facts().context {
        "context"
    } else {
        return Ok(());
    };
    Err(EngineError::Unlike { what })
}

/// A buffer that a step writes on both sides.
struct Output {
    id: BufferId,
    tolerance: Tolerance,
    /// What it held on the side of the reference, where the step adds to it.
    before: Option<Vec<f32>>,
}

/// The run that is looked into, and the reference's.
struct Sides<'e, A: Backend, B: Backend> {
    found: Stepwise<'e, A>,
    expected: Stepwise<'e, B>,
    /// The rows of each prompt.
    stretches: Vec<Stretch>,
}

impl<A: Backend, B: Backend> Sides<'_, A, B> {
    /// Gives the reference's states to the run that is looked into.
    async fn give_states(&mut self) -> Result<(), EngineError> {
        let mut values = Vec::new();
        for (idx, buffer) in self.found.plan.buffers().to_vec().iter().enumerate() {
            if let BufferKind::State(..) = buffer.kind {
                self.expected.read(BufferId(idx as u32), &mut values).await?;
                self.found.write(BufferId(idx as u32), &values)?;
            }
        }
        Ok(())
    }

    /// Makes a step on both sides, compares what it wrote, and brings both sides together again.
    async fn step(&mut self, i: usize, cancel: &Cancel) -> Result<StepComparison, EngineError> {
        let outputs = self.outputs(i).await?;
        self.expected.run(i..i + 1, cancel).await?;
        self.found.run(i..i + 1, cancel).await?;
        let (mut compared, mut found, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for output in outputs {
            self.found.read(output.id, &mut found).await?;
            self.expected.read(output.id, &mut expected).await?;
            compared.push(self.compared(&output, &found, &expected));
            self.found.write(output.id, &expected)?;
        }
        let op = self.found.plan.steps()[i].op.name();
        Ok(StepComparison { step: i, op, outputs: compared })
    }

    /// What a step writes on both sides, hidden under NaN where it does not read it.
    async fn outputs(&mut self, i: usize) -> Result<Vec<Output>, EngineError> {
        let step = self.found.plan.steps()[i].clone();
        let mut outputs = Vec::new();
        for id in step.outputs.iter().copied() {
            let Some(tolerance) = step.tolerance(self.found.plan.buffers(), id) else { continue };
            let mut before = None;
            if step.op.spec().adds() {
                let mut values = Vec::new();
                self.expected.read(id, &mut values).await?;
                before = Some(values);
            }
            if !step.inputs.contains(&id) {
                self.hide(id).await?;
            }
            outputs.push(Output { id, tolerance, before });
        }
        Ok(outputs)
    }

    /// Fills what the rows are to write with NaN.
    async fn hide(&mut self, id: BufferId) -> Result<(), EngineError> {
        let mut values = Vec::new();
        self.found.read(id, &mut values).await?;
        for range in self.found.written(id).into_iter().flat_map(|row| row.at) {
            if let Some(values) = values.get_mut(range) {
                values.fill(f32::NAN);
            }
        }
        self.found.write(id, &values)
    }

    /// Compares what both sides wrote of a buffer.
    fn compared(&mut self, output: &Output, found: &[f32], expected: &[f32]) -> BufferComparison {
        let mut errors = Errors::default();
        let rows = self.found.written(output.id);
        let buffer = self.found.plan.buffer(output.id);
        let rounding = if buffer.dtype == DType::F16 { F16_ROUNDING } else { F32_ROUNDING };
        for row in &rows {
            let before = output.before.as_ref().map(|before| row.of(before));
            let values = row.of(expected);
            errors.add(&row.of(found), Expected { values: &values, before: before.as_deref(), rounding });
        }
        let worst = errors.worst.map(|worst| {
            let row = rows[worst.idx].row;
            let (prompt, position) = self.place(row);
            Worst {
                row,
                prompt,
                position,
                column: worst.column,
                found: worst.found,
                expected: worst.expected,
            }
        });
        BufferComparison {
            label: buffer.label.clone(),
            n_rows: rows.len(),
            n_columns: rows.first().map_or(0, |row| row.at.iter().map(ExactSizeIterator::len).sum()),
            error: errors.largest,
            mean_error: errors.mean(),
            allowed: f64::from(output.tolerance.max),
            share: errors.share(output.tolerance),
            worst,
        }
    }

    /// The prompt and the position of a row of the run.
    fn place(&self, row: usize) -> (usize, usize) {
        let mut first = 0;
        for (prompt, Stretch { start, end }) in self.stretches.iter().enumerate() {
            if row < first + end - start {
                return (prompt, start + row - first);
            }
            first += end - start;
        }
        (self.stretches.len(), 0)
    }
}
