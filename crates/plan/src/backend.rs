//! What a backend must do to run Plans.

use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;

use hala_tensor::{DType, Tensor};

use crate::ahead::Ahead;
use crate::buffer::{BufferId, PoolSize, StateId, StateSpec};
use crate::declared::Declared;
use crate::error::BackendError;
use crate::plan::Plan;
use crate::rows::Rows;
use crate::send::MaybeSend;
use crate::step::Step;

/// The device that a backend runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name of the backend: `cpu`, `wgpu`.
    pub backend: &'static str,
    /// The device in its maker's words, with what decides its speed (threads, features).
    pub name: String,
}

/// What is read back from a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The buffer.
    pub buffer: BufferId,
    /// Rows of it, from the first.
    pub n_rows: usize,
}

/// Some pages or slots of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatePlaces<'a> {
    /// The state.
    pub state: StateId,
    /// Its pages or slots.
    pub idx: &'a [u32],
}

/// A step that a Plan may have.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The step.
    pub step: &'a Step,
    /// The buffers of the Plan.
    pub declared: &'a Declared,
}

/// What a backend computes a step with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kernel {
    /// f32 columns, for each row of what the step writes, that it puts something aside in: a buffer beside the step's own.
    pub room: usize,
}

/// How long one piece of work took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Index of the step of the Plan that it belongs to.
    pub step: usize,
    /// The kernel that ran; the op's name where a backend has one kernel an op.
    pub kernel: String,
    /// Seconds, by the device's clock where it has one, else by the host's.
    pub seconds: f64,
}

/// Runs Plans on one kind of device.
///
/// The methods that may wait for a device are asynchronous, because a browser must not block. Handles are
/// made once; [`Backend::run`] creates nothing. No Plan is bound to states: every run is given the pool, and says in its [`Rows`] which
/// pages and slots it means.
pub trait Backend: Debug {
    /// A weight on the device; a clone is another handle to the same memory.
    type Weight: Clone + Debug + MaybeSend;
    /// A pool of states: pages of KV caches and slots of recurrent states.
    type States: Debug + MaybeSend;
    /// A Plan made ready: its scratch memory and whatever else the device needs. One run at a time.
    type Prepared: Debug + MaybeSend;

    /// The device.
    fn device(&self) -> &Device;

    /// T of the Plans worth making for rows that each belong to another sequence, the smallest first, which is 1.
    fn decode_sizes(&self) -> &[usize];

    /// T of the Plans worth making for prompts, the smallest first: a chunk runs in the smallest that holds it.
    fn prefill_sizes(&self) -> &[usize];

    /// The most rows of a prompt that a run should have now: fewer than the largest of [`Backend::prefill_sizes`] where that would keep a slow
    /// device busy for too long at once.
    fn prompt_rows(&self) -> usize {
        self.prefill_sizes().last().copied().unwrap_or(1)
    }

    /// Element type of a KV cache where none is asked for: f16 halves what a sequence holds and attention reads.
    fn cache_dtype(&self) -> DType;

    /// Moves a weight to the device, in the layout that its kernels read; `label` is for messages.
    ///
    /// # Errors
    /// An element type that the backend does not hold, or no memory.
    fn upload(&self, label: &str, tensor: Tensor) -> Result<Self::Weight, BackendError>;

    /// Waits until what was uploaded is on the device, so that the host need not keep more of it.
    ///
    /// # Errors
    /// No memory, which a browser tells late; a lost device.
    fn settle(&self) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// A pool of zeroed pages and slots.
    ///
    /// # Errors
    /// An element type that the backend does not hold, or no memory.
    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<Self::States, BackendError>;

    /// Makes a pool larger or smaller. What the first pages and slots hold stays, those that come are zero, and what the last ones held is
    /// lost.
    ///
    /// # Errors
    /// No memory: the pool is then as it was. A lost device.
    fn resize(&self, states: &mut Self::States, size: &PoolSize) -> Result<(), BackendError>;

    /// Copies one slot of recurrent states to another; of [`EMPTY_SLOT`](crate::EMPTY_SLOT) it makes the state before any token.
    ///
    /// # Errors
    /// A slot that there is not, or [`EMPTY_SLOT`](crate::EMPTY_SLOT) as the target; a lost device.
    fn copy_slot(&self, states: &mut Self::States, from: u32, to: u32) -> Result<(), BackendError>;

    /// Copies a page, in all caches of a page table, to another.
    ///
    /// # Errors
    /// A page that there is not; a lost device.
    fn copy_page(&self, states: &mut Self::States, table: u32, pages: [u32; 2]) -> Result<(), BackendError>;

    /// Copies pages or slots of one state to the host, one after the other, as bytes of its element type (little-endian); `out` is resized to fit.
    ///
    /// # Errors
    /// A page or slot that there is not, no memory, a lost device.
    fn read_places(
        &self,
        states: &Self::States,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// Writes pages or slots of one state, the other way round from [`Backend::read_places`].
    ///
    /// # Errors
    /// A page or slot that there is not, or that stays empty; other bytes than it takes; a lost device.
    fn write_places(
        &self,
        states: &mut Self::States,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError>;

    /// What the backend computes a step with; `None` where it has no kernel. [`fuse`](crate::fuse) asks it for each step that it could
    /// make of several, and Plans that are prepared should have gone through it.
    fn kernel(&self, candidate: &Candidate<'_>) -> Option<Kernel>;

    /// Makes a Plan ready to run: `weights` are indexed by the ids that the Plan names.
    ///
    /// # Errors
    /// An op or element type that the backend does not support, or no memory.
    fn prepare(
        &self,
        plan: &Plan,
        weights: &[Self::Weight],
    ) -> impl Future<Output = Result<Self::Prepared, BackendError>> + MaybeSend;

    /// Runs the steps in `steps` (indices into [`Plan::steps`], cut to its length); scratch buffers keep their contents between
    /// calls, so a caller may go step by step.
    ///
    /// # Errors
    /// Rows that do not fit ([`Plan::check`]), cancellation, a lost device. After an error the recurrent states of the rows' sequences
    /// may be half written: copy them from other slots before going on.
    fn run_steps(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// Runs all steps.
    ///
    /// # Errors
    /// As for [`Backend::run_steps`].
    fn run(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        rows: Rows<'_>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend {
        self.run_steps(prepared, states, rows, 0..usize::MAX)
    }

    /// Runs that the device should be ahead of the host where it chooses tokens itself; 0 where that gains nothing, and
    /// the host should run token by token.
    fn n_ahead(&self) -> usize;

    /// Queues runs whose tokens the device chooses and feeds back, without waiting for any; [`Backend::chosen`] gives them.
    /// At most [`Backend::n_ahead`] runs may be queued and not read.
    ///
    /// # Errors
    /// A Plan that chooses no tokens, too many runs, and as for [`Backend::run_steps`]. Nothing of this call can then be read.
    fn queue(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        ahead: Ahead<'_>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// Waits for the oldest call of [`Backend::queue`] that was not read yet, and appends the tokens that its runs chose to
    /// `out`, those of all rows for each run: nothing where there is none. [`DECLINED`](crate::ops::sample::DECLINED) stands for a token
    /// that the device could not choose; what follows in that row's chain means nothing.
    ///
    /// # Errors
    /// A lost device.
    fn chosen(
        &self,
        prepared: &mut Self::Prepared,
        out: &mut Vec<u32>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// Runs all steps and tells how long each took. Slower than [`Backend::run`], which does not stop to look at a clock.
    ///
    /// # Errors
    /// A device without a clock, and as for [`Backend::run_steps`].
    fn profile(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        rows: Rows<'_>,
    ) -> impl Future<Output = Result<Vec<Timing>, BackendError>> + MaybeSend;

    /// Copies elements of a buffer, as f32, into `out` (resized to fit): the first `n_rows` rows of an output after a run, or of any
    /// buffer of the step that ran last; of a state all pages or slots, whatever `n_rows` is. Weights cannot be read.
    ///
    /// # Errors
    /// A lost device.
    fn read(
        &self,
        prepared: &Self::Prepared,
        states: &Self::States,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> impl Future<Output = Result<(), BackendError>> + MaybeSend;

    /// Writes elements of a buffer, the other way round from [`Backend::read`]: the first rows of activations, or all pages or slots of a
    /// state, rounded to its element type. For those who look into a run, which goes on with what was written.
    ///
    /// # Errors
    /// A weight or the ids, more or other elements than there are, a lost device.
    fn write(
        &self,
        prepared: &mut Self::Prepared,
        states: &mut Self::States,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError>;
}
