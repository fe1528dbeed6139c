//! The backends that every case runs on.

use std::sync::OnceLock;

use hala_backend_cpu::CpuBackend;
use hala_backend_wgpu::Preset;
use hala_plan::{Backend, BackendError, Cancel, StepInput};

use crate::case::{Action, Case};
use crate::devices;

/// What a case's runs gave: for each run, for each buffer read, the rows of the run's tokens.
pub type Readings = Vec<Vec<Vec<f32>>>;

/// How the steps of a Plan are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All at once.
    Whole,
    /// One call a step, as `hala trace` does.
    Stepwise,
}

/// A backend without its associated types, so that many fit one list.
pub trait Runner: Send + Sync {
    /// Backend and device.
    fn name(&self) -> String;

    /// Runs a case from fresh state.
    ///
    /// # Errors
    /// Those of the backend.
    fn run(&self, case: &Case, pace: Pace, cancel: &Cancel) -> Result<Readings, BackendError>;
}

struct Waiting<B>(B);

impl<B: Backend + Send + Sync> Runner for Waiting<B> {
    fn name(&self) -> String {
        let device = self.0.device();
        format!("{} ({})", device.backend, device.name)
    }

    fn run(&self, case: &Case, pace: Pace, cancel: &Cancel) -> Result<Readings, BackendError> {
        pollster::block_on(run(&self.0, case, pace, cancel))
    }
}

/// The plain CPU run: the truth.
pub fn plain() -> &'static dyn Runner {
    static PLAIN: OnceLock<Waiting<CpuBackend>> = OnceLock::new();
    PLAIN.get_or_init(|| Waiting(CpuBackend::plain()))
}

/// Every other backend of this machine: threads on the CPU, and each of [`devices::names`] with the kernels of each preset.
pub fn others() -> &'static [Box<dyn Runner>] {
    static OTHERS: OnceLock<Vec<Box<dyn Runner>>> = OnceLock::new();
    // One thread has no sharing; two share evenly; five are more than most rows of work, and than many machines have.
    let threaded = |n| Box::new(Waiting(CpuBackend::threaded(n).expect("threads"))) as Box<dyn Runner>;
    OTHERS.get_or_init(|| {
        let mut others: Vec<Box<dyn Runner>> = [1, 2, 5].map(threaded).into();
        for name in devices::names() {
            let with = |preset| Some(Box::new(Waiting(devices::open_with(name, preset)?)) as _);
            others.extend([Preset::Software, Preset::Gpu, Preset::Portable].into_iter().filter_map(with));
        }
        others
    })
}

/// The plain run and every other backend.
pub fn all() -> impl Iterator<Item = &'static dyn Runner> {
    std::iter::once(plain()).chain(others().iter().map(|b| b.as_ref()))
}

async fn run<B: Backend>(
    backend: &B,
    case: &Case,
    pace: Pace,
    cancel: &Cancel,
) -> Result<Readings, BackendError> {
    let upload = |(label, tensor): &(String, hala_tensor::Tensor)| backend.upload(label, tensor.clone());
    let weights = case.weights().iter().map(upload).collect::<Result<Vec<_>, _>>()?;
    let mut state = backend.allocate(case.states())?;
    let mut prepared = Vec::new();
    for recorded in case.plans() {
        prepared.push(backend.prepare(&recorded.plan, &weights, &state).await?);
    }
    let mut snapshot = None;
    let mut readings = Vec::new();
    for action in case.actions() {
        match action {
            Action::Run { plan, ids, position } => {
                let recorded = &case.plans()[*plan];
                let n_steps = recorded.plan.steps().len();
                let input = StepInput { ids, position: *position, cancel };
                let prepared = &mut prepared[*plan];
                match pace {
                    Pace::Whole => backend.run(prepared, &mut state, input).await?,
                    Pace::Stepwise => {
                        for step in 0..n_steps {
                            backend.run_steps(prepared, &mut state, input, step..step + 1).await?;
                        }
                    }
                }
                let mut rows = Vec::new();
                for read in &recorded.reads {
                    let mut values = Vec::new();
                    backend.read(prepared, &state, read.buffer, &mut values).await?;
                    values.truncate(recorded.n_valid(read, ids.len()));
                    rows.push(values);
                }
                readings.push(rows);
            }
            Action::Snapshot => snapshot = Some(backend.snapshot(&state).await?),
            Action::Restore => {
                let snapshot = snapshot.as_ref().expect("a snapshot before it is restored");
                backend.restore(&mut state, snapshot).await?;
            }
        }
    }
    Ok(readings)
}
