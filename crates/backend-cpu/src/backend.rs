//! Plans on the host: prepared memory, and one op after the other.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::Duration;

use hala_plan::{
    Ahead, Backend, BackendError, BufferId, Candidate, Device, Kernel, Plan, PoolSize, Reading, Rows, Span,
    StatePlaces, StateSpec, Timing,
};
use hala_tensor::{DType, Tensor};
use web_time::Instant;

use crate::chooser::{Chooser, Queued};
use crate::instructions::Instructions;
use crate::loops::Loops;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use crate::loops::Plain;
use crate::memory::Memory;
use crate::places::Places;
use crate::pool::Pool;
use crate::processor;
use crate::read_speed;
use crate::simd::{Machine, Scratch};
use crate::states::States;
use crate::steps::Run;
use crate::weight::Weight;

/// Rows of the Plans for sequences that decode: ops compute the rows that there are, so that one Plan serves two to sixteen.
const DECODE_SIZES: [usize; 2] = [1, 32];

/// Tokens of a prompt that run at once: enough to read each weight rarely, few enough to keep scratch small.
const PREFILL_SIZE: usize = 256;

/// What is awaited now and then while the CPU computes; see [`CpuBackend::pausing`].
#[cfg(not(target_family = "wasm"))]
pub type Pause = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is awaited now and then while the CPU computes; see [`CpuBackend::pausing`].
#[cfg(target_family = "wasm")]
pub type Pause = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// How long the CPU computes between two pauses: shorter than what a person feels as a delay.
const PAUSE_EVERY: Duration = Duration::from_millis(25);

/// Runs Plans on the CPU.
#[derive(Debug)]
pub struct CpuBackend {
    device: Device,
    loops: Loops,
    n_ahead: usize,
    /// Whether steps may be joined.
    joins: bool,
    pause: Option<Pause>,
}

/// A Plan with its scratch memory.
#[derive(Debug)]
pub struct Prepared {
    plan: Plan,
    memory: Memory,
    places: Places,
    chooser: Chooser,
    scratch: Scratch,
}

impl CpuBackend {
    /// T of the Plans for prompts.
    pub const PREFILL_SIZES: [usize; 1] = [PREFILL_SIZE];

    /// Plain loops with f64 sums on one thread: slow, and the truth. A browser's module has none.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub fn plain() -> Self {
        let device = Device { backend: "cpu", name: "plain loops, 1 thread".to_owned() };
        Self { device, loops: Loops::Plain(Plain), n_ahead: 0, joins: true, pause: None }
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
        let loops = Loops::Fast(Machine { pool, level });
        Ok(Self { device, loops, n_ahead: 0, joins: true, pause: None })
    }

    /// Chooses tokens where the logits are, `n_ahead` of them ahead of the caller, as devices do. It gains nothing here: it is
    /// what a device's way is compared with.
    pub fn choosing_ahead(self, n_ahead: usize) -> Self {
        Self { n_ahead, ..self }
    }

    /// Runs Plans as they were recorded, no steps joined: to see what each layer gives, and to compare.
    pub fn without_joins(self) -> Self {
        Self { joins: false, ..self }
    }

    /// Awaits `pause` every few steps, and after each weight that is loaded: where one thread has an event loop to serve
    /// besides, as in a browser, this is when it does.
    pub fn pausing(self, pause: Pause) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// The loops that it computes with.
    #[cfg(feature = "training")]
    pub(crate) fn into_loops(self) -> Loops {
        self.loops
    }

    /// Runs steps with rows that were checked.
    async fn steps(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        let Prepared { plan, memory, places, chooser, scratch } = prepared;
        memory.begin(&rows);
        let loops = self.loops.running(scratch);
        let mut run = Run { memory, states, chooser, rows, places: places.of(&rows), loops };
        let steps = steps.start..steps.end.min(plan.steps().len());
        let mut last_pause = Instant::now();
        for step in &plan.steps()[steps] {
            if self.pause.is_some() && last_pause.elapsed() >= PAUSE_EVERY {
                self.pause().await;
                last_pause = Instant::now();
            }
            if rows.cancel.is_cancelled() {
                return Err(BackendError::Cancelled);
            }
            run.step(step)?;
        }
        Ok(())
    }

    async fn pause(&self) {
        if let Some(pause) = self.pause {
            pause().await;
        }
    }

    /// Measures how many bytes a second the threads read from memory together, which takes some 0.2 s and 256 MiB; `None` for plain
    /// loops.
    pub fn read_speed(&self) -> Option<f64> {
        self.loops.machine().map(read_speed::measure)
    }

    /// What computes products with matrices of a type, for people: how their numbers are multiplied, and with which instructions.
    pub fn product_kernel(&self, dtype: DType) -> String {
        let Some(machine) = self.loops.machine() else { return "plain loops with sums in f64".to_owned() };
        let how = match dtype {
            DType::Int8 { .. } | DType::Int4 { .. } => "inputs of 16 bits",
            DType::E4M3 | DType::F16 | DType::BF16 => "decoded in registers",
            DType::F32 | DType::U32 => "inputs of 32 bits",
        };
        format!("{dtype}, {how}, {}", machine.level.name())
    }

    /// Threads that share the work of an op.
    pub fn n_threads(&self) -> usize {
        self.loops.machine().map_or(1, |machine| machine.pool.n_threads())
    }
}

impl Backend for CpuBackend {
    type Weight = Weight;
    type States = States;
    type Prepared = Prepared;

    fn device(&self) -> &Device {
        &self.device
    }

    fn decode_sizes(&self) -> &[usize] {
        &DECODE_SIZES
    }

    fn prefill_sizes(&self) -> &[usize] {
        &Self::PREFILL_SIZES
    }

    fn cache_dtype(&self) -> DType {
        DType::F32
    }

    fn upload(&self, _label: &str, tensor: Tensor) -> Result<Self::Weight, BackendError> {
        Ok(match &self.loops {
            Loops::Fast(machine) => Weight::packed(machine.level.layout(), tensor),
            Loops::Plain(_) => Weight::rows(tensor),
        })
    }

    async fn settle(&self) -> Result<(), BackendError> {
        self.pause().await;
        Ok(())
    }

    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<States, BackendError> {
        States::allocate(states, size)
    }

    fn resize(&self, states: &mut States, size: &PoolSize) -> Result<(), BackendError> {
        states.resize(size)
    }

    fn copy_slot(&self, states: &mut States, from: u32, to: u32) -> Result<(), BackendError> {
        states.copy_slot(from, to)
    }

    fn copy_page(&self, states: &mut States, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        states.copy_page(table, pages)
    }

    async fn read_places(
        &self,
        states: &States,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        states.read_places(places, out)
    }

    fn write_places(
        &self,
        states: &mut States,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        states.write_places(places, bytes)
    }

    fn kernel(&self, _candidate: &Candidate<'_>) -> Option<Kernel> {
        self.joins.then_some(Kernel::default())
    }

    async fn prepare(&self, plan: &Plan, weights: &[Self::Weight]) -> Result<Prepared, BackendError> {
        let (memory, scratch) = (Memory::new(plan, weights), Scratch::new(self.n_threads()));
        let chooser = plan.n_chosen_from().map_or(Chooser::new(0, 0), |v| Chooser::new(plan.n_tokens(), v));
        Ok(Prepared { plan: plan.clone(), memory, places: Places::default(), chooser, scratch })
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        prepared.plan.check(&rows, states.size())?;
        prepared.chooser.all_rows();
        self.steps(prepared, states, rows, steps).await
    }

    fn n_ahead(&self) -> usize {
        self.n_ahead
    }

    async fn queue(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        let n_waiting: usize = prepared.chooser.queued.iter().map(|queued| queued.n_runs).sum();
        prepared.plan.check_ahead(&ahead, self.n_ahead.saturating_sub(n_waiting), states.size())?;
        prepared.chooser.start(&ahead);
        let n_runs = ahead.n_runs();
        let mut ids = Vec::with_capacity(n_runs * ahead.rows.len());
        for run in 0..n_runs {
            let span = |(row, id): (usize, u32)| {
                let span = ahead.rows[row].span;
                (id, Span { position: span.position + run, ..span })
            };
            let (read, spans): (Vec<u32>, Vec<Span<'_>>) =
                prepared.chooser.begin(&ahead, run).map(span).unzip();
            if !read.is_empty() {
                let rows = Rows { ids: &read, spans: &spans, wanted: &[], cancel: ahead.cancel };
                self.steps(prepared, states, rows, 0..usize::MAX).await?;
            }
            ids.extend(prepared.chooser.ids(ahead.rows.len()));
        }
        prepared.chooser.queued.push_back(Queued { n_runs, ids });
        Ok(())
    }

    async fn chosen(&self, prepared: &mut Prepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        out.extend(prepared.chooser.queued.pop_front().into_iter().flat_map(|queued| queued.ids));
        Ok(())
    }

    async fn profile(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        let mut timings = Vec::new();
        for step in 0..prepared.plan.steps().len() {
            let start = Instant::now();
            self.run_steps(prepared, states, rows, step..step + 1).await?;
            let seconds = start.elapsed().as_secs_f64();
            timings.push(Timing { step, kernel: prepared.plan.steps()[step].op.name().to_owned(), seconds });
        }
        Ok(timings)
    }

    async fn read(
        &self,
        prepared: &Prepared,
        states: &States,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        if let Some(idx) = prepared.memory.is_state(reading.buffer) {
            states.copy_to(idx, out);
        } else {
            out.clear();
            out.extend_from_slice(prepared.memory.first_rows(reading.buffer, reading.n_rows));
        }
        Ok(())
    }

    fn write(
        &self,
        prepared: &mut Prepared,
        states: &mut States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        let is_written = match prepared.memory.is_state(buffer) {
            Some(idx) => states.copy_from(idx, values),
            None => prepared.memory.set_first(buffer, values),
        };
        if is_written { Ok(()) } else { Err(prepared.memory.unsupported(buffer)) }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    fn assert_send<T: Send>(_: T) {}

    /// What a program does that spawns its work on a runtime of several threads; that this compiles is the test.
    #[expect(dead_code, reason = "a compile-time assertion")]
    fn futures_may_be_sent_to_other_threads(
        backend: &CpuBackend,
        (plan, weights): (&Plan, &[Weight]),
        (prepared, states): (&mut Prepared, &mut States),
        (rows, ahead, reading): (Rows<'_>, Ahead<'_>, Reading),
    ) {
        assert_send(backend.settle());
        assert_send(backend.prepare(plan, weights));
        assert_send(backend.run(prepared, states, rows));
        assert_send(backend.run_steps(prepared, states, rows, 0..1));
        assert_send(backend.queue(prepared, states, ahead));
        assert_send(backend.chosen(prepared, &mut Vec::new()));
        assert_send(backend.profile(prepared, states, rows));
        assert_send(backend.read(prepared, states, reading, &mut Vec::new()));
    }
}
