//! The backends that every case runs on.

use std::sync::OnceLock;

use hala_backend_cpu::{CpuBackend, Instructions};
use hala_backend_wgpu::Preset;
use hala_plan::ops::sample::Choice;
use hala_plan::{Ahead, Backend, BackendError, Cancel, Start, StepInput};

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

/// Runs that the backends of tests are asked to be ahead: what devices are.
pub const N_AHEAD: usize = 4;

/// Runs of a case's first plan whose tokens the backend chooses.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Whether it goes on from the chain before.
    pub goes_on: bool,
    /// What the first run reads.
    pub id: u32,
    /// Ids that are never chosen, as a set.
    pub banned: Vec<u32>,
    /// Ids that were seen, as a set.
    pub seen: Vec<u32>,
    /// How tokens are chosen.
    pub choice: Choice,
    /// Where each is drawn.
    pub draws: Vec<f32>,
}

impl Default for Chain {
    fn default() -> Self {
        let choice = Choice::GREEDY;
        Self { goes_on: false, id: 0, banned: Vec::new(), seen: Vec::new(), choice, draws: Vec::new() }
    }
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

    /// Runs chains one after the other, each queued before the one before it is read; gives what each chose.
    ///
    /// # Errors
    /// Those of the backend.
    fn choose(&self, case: &Case, chains: &[Chain]) -> Result<Vec<Vec<u32>>, BackendError>;
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

    fn choose(&self, case: &Case, chains: &[Chain]) -> Result<Vec<Vec<u32>>, BackendError> {
        pollster::block_on(choose(&self.0, case, chains))
    }
}

/// The plain CPU run: the truth.
pub fn plain() -> &'static dyn Runner {
    static PLAIN: OnceLock<Waiting<CpuBackend>> = OnceLock::new();
    PLAIN.get_or_init(|| Waiting(CpuBackend::plain().choosing_ahead(N_AHEAD)))
}

/// Every other backend of this machine: threads on the CPU, with each of its instruction sets, and each of [`devices::names`] with the
/// kernels of its own preset, quick ones with those of each.
pub fn others() -> &'static [Box<dyn Runner>] {
    static OTHERS: OnceLock<Vec<Box<dyn Runner>>> = OnceLock::new();
    // One thread has no sharing; two share evenly; five are more than most rows of work, and than many machines have.
    let cpu = |n, instructions| CpuBackend::threaded_with(n, instructions).expect("threads");
    let threaded = |n, instructions| -> Box<dyn Runner> {
        Box::new(Waiting(cpu(n, instructions).choosing_ahead(N_AHEAD)))
    };
    OTHERS.get_or_init(|| {
        let mut others: Vec<_> = [1, 5].map(|n| threaded(n, Instructions::best())).into();
        others.extend(Instructions::all().into_iter().map(|instructions| threaded(2, instructions)));
        let quick = devices::for_models();
        for name in devices::names() {
            let with = |preset| Some(Box::new(Waiting(devices::open_with(name, preset)?)) as _);
            // A device that takes minutes to compile a kernel compiles its own alone.
            match quick.contains(&name) {
                true => {
                    let presets = [Preset::Software, Preset::Gpu, Preset::Portable];
                    others.extend(presets.into_iter().filter_map(with));
                }
                false => others.push(Box::new(Waiting(devices::open(name)))),
            }
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

async fn choose<B: Backend>(
    backend: &B,
    case: &Case,
    chains: &[Chain],
) -> Result<Vec<Vec<u32>>, BackendError> {
    let upload = |(label, tensor): &(String, hala_tensor::Tensor)| backend.upload(label, tensor.clone());
    let weights = case.weights().iter().map(upload).collect::<Result<Vec<_>, _>>()?;
    let mut state = backend.allocate(case.states())?;
    let mut prepared = backend.prepare(&case.plans()[0].plan, &weights, &state).await?;
    let cancel = Cancel::new();
    let (mut n_flying, mut chosen) = (0, Vec::new());
    for chain in chains {
        // What is in flight is read where there is no room for more.
        while n_flying > 0 && n_flying + chain.draws.len() > backend.n_ahead() {
            let mut ids = Vec::new();
            backend.chosen(&mut prepared, &mut ids).await?;
            n_flying -= ids.len();
            chosen.push(ids);
        }
        let Chain { goes_on, id, banned, seen, choice, draws } = chain;
        let start = (!goes_on).then_some(Start { id: *id, banned, seen });
        let ahead = Ahead { start, position: 0, choice: *choice, draws, cancel: &cancel };
        backend.queue(&mut prepared, &mut state, ahead).await?;
        n_flying += draws.len();
    }
    while n_flying > 0 {
        let mut ids = Vec::new();
        backend.chosen(&mut prepared, &mut ids).await?;
        n_flying -= ids.len();
        chosen.push(ids);
    }
    Ok(chosen)
}
