//! A training Plan with its memory, run for one batch after the other.

use std::ops::Range;

use hala_plan::ops::training::adamw;
use hala_plan::training::{Purpose, TrainPlan, TrainRows};
use hala_plan::{BackendError, BufferId, WeightId};
use hala_tensor::DType;

use crate::backend::CpuBackend;
use crate::loops::Loops;
use crate::ops;
use crate::simd::training::kernel::Kernel;
use crate::simd::training::{Engine, flat};
use crate::training::memory::{self, Memory, Parameter};
use crate::training::steps::Run;

/// What products with parameters are of, where the fast loops run. Sums, and all else, are of f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Products {
    /// f32.
    #[default]
    F32,
    /// Both factors rounded to bf16, on machines that multiply them.
    Bf16,
}

impl Products {
    /// Whether this machine has instructions for them.
    pub fn is_supported(self) -> bool {
        self.kernel().is_some()
    }

    fn kernel(self) -> Option<Kernel> {
        match self {
            Self::F32 => Some(Kernel::f32()),
            Self::Bf16 => Kernel::bf16(),
        }
    }
}

/// A training Plan with its parameters, gradients, moments and activations.
///
/// Parameters, gradients and moments are flat buffers of one layout, [`Training::parameters`]; what lies between two parameters is 0 and stays so.
#[derive(Debug)]
pub struct Training {
    plan: TrainPlan,
    memory: Memory,
    parameters: Vec<Parameter>,
    moments: [Vec<f32>; 2],
    /// Of the fast loops.
    engine: Option<Engine>,
}

impl Training {
    /// Memory for a Plan, all zeros; `tables` are those that it names as weights. The loops, with their threads, are the backend's; `products` is for fast ones.
    ///
    /// # Errors
    /// Products that the machine has no instructions for.
    pub fn new(
        backend: CpuBackend,
        products: Products,
        plan: TrainPlan,
        tables: Vec<(WeightId, Vec<f32>)>,
    ) -> Result<Self, BackendError> {
        let engine = match backend.into_loops() {
            Loops::Plain(_) => None,
            Loops::Fast(machine) => {
                let what = || "products of training (choose f32)".to_owned();
                let no_kernel =
                    || BackendError::Unsupported { backend: "cpu", what: what(), dtype: DType::BF16 };
                Some(Engine::new(machine, products.kernel().ok_or_else(no_kernel)?))
            }
        };
        let (parameters, n) = memory::lay_out(&plan);
        let memory = Memory::new(&plan, tables);
        Ok(Self { plan, memory, parameters, moments: [vec![0.0; n], vec![0.0; n]], engine })
    }

    /// The Plan.
    pub fn plan(&self) -> &TrainPlan {
        &self.plan
    }

    /// Where each parameter lies in the flat buffers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Runs the Plan for rows that are checked first: writes their losses, and adds to the gradients where they are trained on.
    ///
    /// # Errors
    /// Rows that do not fit ([`TrainRows::check`]); nothing was computed then.
    pub fn run(&mut self, rows: &TrainRows<'_>, purpose: Purpose) -> Result<(), BackendError> {
        let n_steps = match purpose {
            Purpose::Train { .. } => self.plan.steps().len(),
            Purpose::Evaluate => self.plan.n_forward(),
        };
        self.run_steps(rows, purpose, 0..n_steps)
    }

    /// As [`Training::run`] for some of the steps; activations keep their contents between calls.
    ///
    /// # Errors
    /// As for [`Training::run`].
    pub fn run_steps(
        &mut self,
        rows: &TrainRows<'_>,
        purpose: Purpose,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        rows.check(&self.plan.limits())?;
        self.memory.begin(rows.ids.len());
        let engine = self.engine.as_mut();
        let mut run = Run { memory: &mut self.memory, rows: *rows, purpose, engine };
        self.plan.steps()[steps].iter().for_each(|step| run.step(step));
        Ok(())
    }

    /// The rows of the last run in a buffer: of outputs after a run, of other activations after the step that wrote them.
    pub fn read(&self, buffer: BufferId) -> &[f32] {
        self.memory.read(buffer)
    }

    /// Writes the first elements of activations, for those who run some of the steps; `false` where the buffer has no memory, or not as much.
    pub fn write(&mut self, buffer: BufferId, values: &[f32]) -> bool {
        self.memory.set(buffer, values)
    }

    /// The parameters.
    pub fn values(&self) -> &[f32] {
        &self.memory.params
    }

    /// The parameters, to be set.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.memory.params
    }

    /// The gradients that were accumulated.
    pub fn gradients(&self) -> &[f32] {
        &self.memory.grads
    }

    /// Sets the gradients to 0.
    pub fn clear_gradients(&mut self) {
        self.memory.grads.fill(0.0);
    }

    /// The first and second moments.
    pub fn moments(&self) -> [&[f32]; 2] {
        self.moments.each_ref().map(|moments| &moments[..])
    }

    /// The first and second moments, to be set.
    pub fn moments_mut(&mut self) -> [&mut [f32]; 2] {
        self.moments.each_mut().map(|moments| &mut moments[..])
    }

    /// `√(Σ g²)` of all gradients.
    pub fn gradient_norm(&mut self) -> f64 {
        match &mut self.engine {
            Some(engine) => flat::norm(engine, &self.memory.grads),
            None => ops::training::gradient_norm::run(&self.memory.grads),
        }
    }

    /// One update of the parameters in a range of the flat buffers.
    pub fn adamw(&mut self, params: &adamw::Params, range: Range<usize>) {
        let [m, v] = self.moments.each_mut().map(|moments| &mut moments[range.clone()]);
        let state = ops::training::adamw::State { w: &mut self.memory.params[range.clone()], m, v };
        let gradients = &self.memory.grads[range];
        match &mut self.engine {
            Some(engine) => flat::adamw(engine, params, gradients, state),
            None => ops::training::adamw::run(params, gradients, state),
        }
    }
}
