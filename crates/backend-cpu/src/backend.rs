//! Plans on the host: prepared memory, and one op after the other.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::Duration;

use hala_plan::ops::sample::{DECLINED, Turn};
use hala_plan::{Ahead, Backend, BackendError, BufferId, Device, Plan, StateSpec, StepInput, Timing};
use hala_tensor::{DType, Tensor};
use web_time::Instant;

use crate::chooser::Chooser;
use crate::instructions::Instructions;
use crate::memory::Memory;
use crate::pool::Pool;
use crate::processor;
use crate::read_speed;
use crate::simd::{Machine, Scratch};
use crate::state::{Snapshot, State};
use crate::steps::Run;
use crate::weight::Weight;

/// Tokens of a prompt that run at once: enough to read each weight rarely, few enough to keep scratch small.
const PREFILL_SIZE: usize = 256;

/// What is awaited now and then while the CPU computes; see [`CpuBackend::pausing`].
pub type Pause = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// How long the CPU computes between two pauses: shorter than what a person feels as a delay.
const PAUSE_EVERY: Duration = Duration::from_millis(25);

/// Runs Plans on the CPU.
#[derive(Debug)]
pub struct CpuBackend {
    device: Device,
    /// The threads and instructions of the threaded path.
    machine: Option<Machine>,
    n_ahead: usize,
    pause: Option<Pause>,
}

/// A Plan with its scratch memory.
#[derive(Debug)]
pub struct Prepared {
    plan: Plan,
    memory: Memory,
    chooser: Chooser,
    scratch: Scratch,
}

impl CpuBackend {
    /// Plain loops with f64 sums on one thread: slow, and the truth.
    pub fn plain() -> Self {
        let device = Device { backend: "cpu", name: "plain loops, 1 thread".to_owned() };
        Self { device, machine: None, n_ahead: 0, pause: None }
    }

    /// Fast loops on `n_threads` threads (0: as many as the machine runs at once).
    ///
    /// # Errors
    /// The system refuses the threads.
    pub fn threaded(n_threads: usize) -> Result<Self, BackendError> {
        Self::threaded_with(n_threads, Instructions::best())
    }

    /// As [`CpuBackend::threaded`], with kernels for given instructions: to compare them.
    ///
    /// # Errors
    /// The system refuses the threads.
    pub fn threaded_with(n_threads: usize, instructions: Instructions) -> Result<Self, BackendError> {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        let pool = Pool::new(if n_threads == 0 { available() } else { n_threads })?;
        let level = instructions.0;
        let threads = match pool.n_threads() {
            1 => "1 thread".to_owned(),
            n => format!("{n} threads"),
        };
        let name = format!("{}, {threads}, {}", processor::name(), level.name());
        let device = Device { backend: "cpu", name };
        Ok(Self { device, machine: Some(Machine { pool, level }), n_ahead: 0, pause: None })
    }

    /// Chooses tokens where the logits are, `n_ahead` of them ahead of the caller, as devices do. It gains nothing here: it is
    /// what a device's way is compared with.
    pub fn choosing_ahead(self, n_ahead: usize) -> Self {
        Self { n_ahead, ..self }
    }

    /// Awaits `pause` every few steps, and after each weight that is loaded: where one thread has an event loop to serve
    /// besides, as in a browser, this is when it does.
    pub fn pausing(self, pause: Pause) -> Self {
        Self { pause: Some(pause), ..self }
    }

    async fn pause(&self) {
        if let Some(pause) = self.pause {
            pause().await;
        }
    }

    /// Measures how many bytes a second the threads read from memory together, which takes some 0.2 s and 256 MiB; `None` for plain
    /// loops.
    pub fn read_speed(&self) -> Option<f64> {
        self.machine.as_ref().map(read_speed::measure)
    }

    /// Threads that share the work of an op.
    pub fn n_threads(&self) -> usize {
        self.machine.as_ref().map_or(1, |machine| machine.pool.n_threads())
    }
}

impl Backend for CpuBackend {
    type Weight = Weight;
    type State = State;
    type Prepared = Prepared;
    type Snapshot = Snapshot;

    fn device(&self) -> &Device {
        &self.device
    }

    fn prefill_sizes(&self) -> &[usize] {
        &[PREFILL_SIZE]
    }

    fn cache_dtype(&self) -> DType {
        DType::F32
    }

    fn upload(&self, _label: &str, tensor: Tensor) -> Result<Self::Weight, BackendError> {
        Ok(match &self.machine {
            Some(machine) => Weight::packed(machine.level.layout(), tensor),
            None => Weight::rows(tensor),
        })
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.pause().await;
        Ok(())
    }

    fn allocate(&self, states: &[StateSpec]) -> Result<State, BackendError> {
        State::allocate(states)
    }

    async fn prepare(
        &self,
        plan: &Plan,
        weights: &[Self::Weight],
        _state: &State,
    ) -> Result<Prepared, BackendError> {
        let scratch = Scratch::new(self.n_threads());
        let chooser = Chooser::new(plan.n_chosen_from().unwrap_or(0));
        Ok(Prepared { plan: plan.clone(), memory: Memory::new(plan, weights), chooser, scratch })
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        let Prepared { plan, memory, chooser, scratch } = prepared;
        plan.check(input)?;
        let fast = self.machine.as_ref().map(|machine| (machine, scratch));
        let mut run = Run { memory, state, chooser, input, fast };
        let steps = steps.start..steps.end.min(plan.steps().len());
        let mut last_pause = Instant::now();
        for step in &plan.steps()[steps] {
            if self.pause.is_some() && last_pause.elapsed() >= PAUSE_EVERY {
                self.pause().await;
                last_pause = Instant::now();
            }
            if input.cancel.is_cancelled() {
                return Err(BackendError::Cancelled);
            }
            run.step(step)?;
        }
        Ok(())
    }

    fn n_ahead(&self) -> usize {
        self.n_ahead
    }

    async fn queue(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        let n_waiting = prepared.chooser.queued.iter().map(Vec::len).sum();
        prepared.plan.check_ahead(ahead, self.n_ahead.saturating_sub(n_waiting))?;
        if let Some(start) = ahead.start {
            prepared.chooser.start(start);
        }
        let mut chosen = Vec::with_capacity(ahead.draws.len());
        for (position, at) in (ahead.position..).zip(ahead.draws) {
            if prepared.chooser.id != DECLINED {
                prepared.chooser.turn = Turn { choice: ahead.choice, at: *at, slot: 0 };
                let input = StepInput { ids: &[prepared.chooser.id], position, cancel: ahead.cancel };
                self.run(prepared, state, input).await?;
            }
            chosen.push(prepared.chooser.id);
        }
        prepared.chooser.queued.push_back(chosen);
        Ok(())
    }

    async fn chosen(&self, prepared: &mut Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        out.extend(prepared.chooser.queued.pop_front().unwrap_or_default());
        Ok(())
    }

    async fn profile(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        let mut timings = Vec::new();
        for step in 0..prepared.plan.steps().len() {
            let start = Instant::now();
            self.run_steps(prepared, state, input, step..step + 1).await?;
            let seconds = start.elapsed().as_secs_f64();
            timings.push(Timing { step, kernel: prepared.plan.steps()[step].op.name().to_owned(), seconds });
        }
        Ok(timings)
    }

    async fn read(
        &self,
        prepared: &Prepared,
        state: &State,
        buffer: BufferId,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        if let Some(idx) = prepared.memory.is_state(buffer) {
            state.cells[idx].copy_to(out);
        } else {
            out.clear();
            out.extend_from_slice(prepared.memory.rows(buffer, usize::MAX));
        }
        Ok(())
    }

    async fn snapshot(&self, state: &State) -> Result<Snapshot, BackendError> {
        Ok(state.snapshot())
    }

    async fn restore(&self, state: &mut State, snapshot: &Snapshot) -> Result<(), BackendError> {
        state.restore(snapshot);
        Ok(())
    }
}
