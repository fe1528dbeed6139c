//! The backends that every case runs on.

use std::collections::VecDeque;
use std::sync::OnceLock;

use hala_backend_cpu::{CpuBackend, Instructions};
use hala_backend_wgpu::Preset;
use hala_plan::{Backend, BackendError, Cancel};

use crate::case::{Case, Pace};
use crate::chain::Chain;
use crate::devices;
use crate::session::Session;

/// What a case's runs gave: for each run, for each buffer read, what [`Recording::read`](crate::case::Recording::read) says.
pub type Readings = Vec<Vec<Vec<f32>>>;

/// Runs that the backends of tests are asked to be ahead: what devices are.
pub const N_AHEAD: usize = 4;

/// A backend without its associated types, so that many fit one list.
pub trait Runner: Send + Sync {
    /// Backend and device.
    fn name(&self) -> String;

    /// Whether a row's results are the same to the bit whoever shares the run, and however a prompt is cut.
    fn is_exact(&self) -> bool;

    /// Runs a case from fresh states.
    ///
    /// # Errors
    /// Those of the backend.
    fn run(&self, case: &Case, pace: Pace, cancel: &Cancel) -> Result<Readings, BackendError>;

    /// Runs chains one after the other, each queued before the one before it is read: those of one entry side by side, a row for each
    /// of the first sequences. Gives what each entry chose, run by run.
    ///
    /// # Errors
    /// Those of the backend.
    fn choose(&self, case: &Case, chains: &[Vec<Chain>]) -> Result<Vec<Vec<u32>>, BackendError>;
}

struct Waiting<B>(B);

impl<B: Backend + Send + Sync> Runner for Waiting<B> {
    fn name(&self) -> String {
        let device = self.0.device();
        format!("{} ({})", device.backend, device.name)
    }

    fn is_exact(&self) -> bool {
        self.0.device().backend == "cpu"
    }

    fn run(&self, case: &Case, pace: Pace, cancel: &Cancel) -> Result<Readings, BackendError> {
        pollster::block_on(run(&self.0, case, pace, cancel))
    }

    fn choose(&self, case: &Case, chains: &[Vec<Chain>]) -> Result<Vec<Vec<u32>>, BackendError> {
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
    let mut session = Session::new(backend, case, &[], cancel).await?;
    let mut readings = Vec::new();
    for action in case.actions() {
        readings.extend(session.act(action, pace).await?);
    }
    Ok(readings)
}

async fn choose<B: Backend>(
    backend: &B,
    case: &Case,
    chains: &[Vec<Chain>],
) -> Result<Vec<Vec<u32>>, BackendError> {
    let cancel = Cancel::new();
    let mut session = Session::new(backend, case, chains, &cancel).await?;
    // Runs of each call that was not read yet.
    let (mut flying, mut chosen) = (VecDeque::new(), Vec::new());
    for chains in chains {
        let n_runs = chains.first().map_or(0, |chain| chain.draws.len());
        // What is in flight is read where there is no room for more.
        while !flying.is_empty() && flying.iter().sum::<usize>() + n_runs > backend.n_ahead() {
            chosen.push(session.chosen().await?);
            flying.pop_front();
        }
        session.queue(chains).await?;
        flying.push_back(n_runs);
    }
    for _ in flying {
        chosen.push(session.chosen().await?);
    }
    Ok(chosen)
}
