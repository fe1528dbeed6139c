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
//! - Two backends may have other Plans, where one fuses what the other has apart. Steps belong together that write buffers of the same
//!   labels, in the order of the Plans; what one of them lacks is not looked at.

use hala_plan::{Backend, BufferId, BufferKind, Cancel, Plan, Tolerance};
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
        let expected = Stepwise::new(reference, shape, expected).await?;
        let mut sides = Sides { found, expected, stretches };
        sides.give_states().await?;
        let (pairs, mut steps, mut n_expected) =
            (pairs(&sides.found.plan, &sides.expected.plan), Vec::new(), 0);
        for (i, pair) in pairs.iter().enumerate() {
            match pair {
                None => sides.found.run(i..i + 1, cancel).await?,
                Some(j) => {
                    sides.expected.run(n_expected..*j, cancel).await?;
                    steps.push(sides.step([i, *j], cancel).await?);
                    n_expected = j + 1;
                }
            }
            on_step(i + 1, pairs.len());
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

/// For each step the one of the other Plan that writes a buffer of the same label.
fn pairs(found: &Plan, expected: &Plan) -> Vec<Option<usize>> {
    let labels = |plan: &Plan, ids: &[BufferId]| -> Vec<String> {
        ids.iter().map(|id| plan.buffer(*id).label.clone()).collect()
    };
    let written: Vec<Vec<String>> = expected.steps().iter().map(|s| labels(expected, &s.outputs)).collect();
    let mut next = 0;
    let pair = |outputs: &Vec<BufferId>| {
        let wanted = labels(found, outputs);
        let is_it = |labels: &Vec<String>| labels.iter().any(|label| wanted.contains(label));
        let pair = next + written.get(next..)?.iter().position(is_it)?;
        next = pair + 1;
        Some(pair)
    };
    found.steps().iter().map(|step| &step.outputs).map(pair).collect()
}

/// A buffer that a step writes on both sides.
struct Output {
    found: BufferId,
    expected: BufferId,
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
            if let (BufferKind::State(..), Some(other)) = (buffer.kind, self.twin(BufferId(idx as u32))) {
                self.expected.read(other, &mut values).await?;
                self.found.write(BufferId(idx as u32), &values)?;
            }
        }
        Ok(())
    }

    /// The reference's buffer of the same label.
    fn twin(&self, id: BufferId) -> Option<BufferId> {
        let label = &self.found.plan.buffer(id).label;
        let idx = self.expected.plan.buffers().iter().position(|buffer| buffer.label == *label)?;
        Some(BufferId(idx as u32))
    }

    /// Makes a step on both sides, compares what it wrote, and brings both sides together again.
    async fn step(&mut self, steps: [usize; 2], cancel: &Cancel) -> Result<StepComparison, EngineError> {
        let [i, j] = steps;
        let outputs = self.outputs(steps).await?;
        self.expected.run(j..j + 1, cancel).await?;
        self.found.run(i..i + 1, cancel).await?;
        let (mut compared, mut found, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for output in outputs {
            self.found.read(output.found, &mut found).await?;
            self.expected.read(output.expected, &mut expected).await?;
            compared.push(self.compared(&output, &found, &expected));
            self.found.write(output.found, &expected)?;
        }
        let op = self.found.plan.steps()[i].op.name();
        Ok(StepComparison { step: i, op, outputs: compared })
    }

    /// What a step writes on both sides, hidden under NaN where it does not read it.
    async fn outputs(&mut self, [i, j]: [usize; 2]) -> Result<Vec<Output>, EngineError> {
        let [step, other] = [self.found.plan.steps()[i].clone(), self.expected.plan.steps()[j].clone()];
        let mut outputs = Vec::new();
        for found in step.outputs.iter().copied() {
            let Some(expected) = self.twin(found).filter(|id| other.outputs.contains(id)) else { continue };
            let tolerances = [
                step.tolerance(self.found.plan.buffers(), found),
                other.tolerance(self.expected.plan.buffers(), expected),
            ];
            let [Some(one), Some(two)] = tolerances else { continue };
            let mut before = None;
            if step.op.spec().adds() && other.op.spec().adds() {
                let mut values = Vec::new();
                self.expected.read(expected, &mut values).await?;
                before = Some(values);
            }
            if !step.inputs.contains(&found) {
                self.hide(found).await?;
            }
            outputs.push(Output { found, expected, tolerance: one.wider(two), before });
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
        let rows = self.found.written(output.found);
        let buffer = self.found.plan.buffer(output.found);
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
