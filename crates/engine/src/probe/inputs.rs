//! What goes into each matrix of a model on a text: for calibration.

use std::collections::BTreeMap;

use hala_model::{WeightFormat, WeightSpec};
use hala_plan::ops::{matmul, norm};
use hala_plan::{Backend, BufferId, BufferKind, Cancel, Op, Plan};
use hala_weights::Checkpoint;

use super::Probe;
use super::run::ProbeRun;
use super::stepwise::Stepwise;
use crate::error::EngineError;

/// The inputs of the matrices of one step in one run.
#[derive(Debug, Clone, Copy)]
pub struct MatrixInputs<'a> {
    /// The checkpoint's names of the matrices, all of which are multiplied with the same.
    pub weights: &'a [&'a str],
    /// The norm that the rows came out of, if they did.
    pub norm: Option<&'a WeightSpec>,
    /// `[T, I]`, normalised where the product is of what was normalised.
    pub rows: &'a [f32],
}

impl<B: Backend> Probe<'_, B> {
    /// Runs `ids` through a Plan of their length, and shows what matrices are multiplied with, step by step. Norms are
    /// computed here, from the `checkpoint` that the engine was loaded from.
    ///
    /// # Errors
    /// No ids, more than the context, an id outside of the vocabulary, a norm that cannot be read, cancellation.
    pub async fn matrix_inputs(
        &self,
        checkpoint: &Checkpoint,
        ids: &[u32],
        cancel: &Cancel,
        mut visit: impl FnMut(MatrixInputs<'_>),
    ) -> Result<(), EngineError> {
        let mut stepwise = Stepwise::of_run(self.engine, &ProbeRun::of_prompts(&[ids]), cancel).await?;
        let plan = stepwise.plan.clone();
        let mut rows = Vec::new();
        // Norms of their own, by what they wrote.
        let mut normed: BTreeMap<BufferId, BufferId> = BTreeMap::new();
        for (i, step) in plan.steps().iter().enumerate() {
            // Before the step, which may write over what it reads.
            if let Some(products) = step.products() {
                stepwise.read(products.x, &mut rows).await?;
                if let Some(norm) = products.norm {
                    let spec = self.weight_spec(&plan, norm.weight);
                    let weight = spec.map(|spec| spec.load(checkpoint, WeightFormat::F32)).transpose()?;
                    normalise(&mut rows, &weight.map(|w| w.to_f32()).unwrap_or_default(), norm.eps);
                }
                let specs =
                    products.matrices.into_iter().filter_map(|weight| self.weight_spec(&plan, weight));
                let weights: Vec<&str> = specs.map(|spec| spec.name.as_str()).collect();
                let norm = products.norm.map(|norm| norm.weight).or(normed.get(&products.x).copied());
                let norm = norm.and_then(|norm| self.weight_spec(&plan, norm));
                visit(MatrixInputs { weights: &weights, norm, rows: &rows });
            }
            if let Op::Norm(params) = &step.op {
                let args = norm::Args::of(step.io(), params);
                if args.write == matmul::Write::Set {
                    normed.insert(args.y, args.norm.weight);
                }
            }
            stepwise.run(i..i + 1, cancel).await?;
        }
        Ok(())
    }

    /// The weight that a buffer of a Plan is; `None` for other buffers.
    fn weight_spec(&self, plan: &Plan, buffer: BufferId) -> Option<&WeightSpec> {
        match plan.buffer(buffer).kind {
            BufferKind::Weight(id) => self.engine.model().weights().get(id.0 as usize),
            _ => None,
        }
    }
}

/// `w · x / √(mean(x²) + ε)` of each row.
fn normalise(rows: &mut [f32], weight: &[f32], eps: f32) {
    for row in rows.chunks_exact_mut(weight.len().max(1)) {
        let squares: f64 = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        let inverse = 1.0 / (squares / weight.len() as f64 + f64::from(eps)).sqrt();
        row.iter_mut().zip(weight).for_each(|(x, w)| *x = (f64::from(*x) * inverse) as f32 * w);
    }
}
