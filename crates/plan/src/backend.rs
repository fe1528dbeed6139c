//! What a backend must do to run Plans.

use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;

use hala_tensor::{DType, Tensor};

use crate::ops::sample::Choice;
use crate::{BackendError, BufferId, Cancel, Plan, StateSpec};

/// The device that a backend runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name of the backend: `cpu`, `wgpu`.
    pub backend: &'static str,
    /// The device in its maker's words, with what decides its speed (threads, features).
    pub name: String,
}

/// What changes from one run of a Plan to the next.
#[derive(Debug, Clone, Copy)]
pub struct StepInput<'a> {
    /// Token ids of this call, at least 1 and at most the Plan's T.
    pub ids: &'a [u32],
    /// Position of the first id: tokens already in the state.
    pub position: usize,
    /// Looked at between steps; a backend that cannot stop half-way looks at it once.
    pub cancel: &'a Cancel,
}

/// Where a chain of queued runs begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The token that the first run reads.
    pub id: u32,
    /// The ids that are never chosen, a bit each as [`sample::n_words`](crate::ops::sample::n_words) tells; words that are
    /// missing are 0.
    pub banned: &'a [u32],
    /// The ids that the repetition penalty is for; every chosen one is added to them.
    pub seen: &'a [u32],
}

/// Runs of a Plan that ends in [`Op::Sample`](crate::Op::Sample): each reads the token that the one before it chose.
#[derive(Debug, Clone, Copy)]
pub struct Ahead<'a> {
    /// Where the chain begins; `None` where it goes on from the run that was queued last.
    pub start: Option<Start<'a>>,
    /// Position of the first run's token.
    pub position: usize,
    /// How tokens are chosen.
    pub choice: Choice,
    /// Where each run draws its token, from 0 to 1: as many as there are runs.
    pub draws: &'a [f32],
    /// Looked at as in [`StepInput`].
    pub cancel: &'a Cancel,
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
/// made once; [`Backend::run`] creates nothing.
pub trait Backend: Debug {
    /// A weight on the device; a clone is another handle to the same memory.
    type Weight: Clone + Debug;
    /// The state buffers of one session.
    type State: Debug;
    /// A Plan made ready for one session: its scratch memory and whatever else the device needs.
    type Prepared: Debug;
    /// A copy of the recurrent states at one position.
    type Snapshot: Debug;

    /// The device.
    fn device(&self) -> &Device;

    /// T of the Plans worth making for prompts, the smallest first: a chunk runs in the smallest that holds it.
    fn prefill_sizes(&self) -> &[usize];

    /// Element type of a KV cache where none is asked for: f16 halves what a session holds and attention reads.
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
    fn settle(&self) -> impl Future<Output = Result<(), BackendError>>;

    /// Zeroed state buffers for one session.
    ///
    /// # Errors
    /// An element type that the backend does not hold, or no memory.
    fn allocate(&self, states: &[StateSpec]) -> Result<Self::State, BackendError>;

    /// Makes a Plan ready to run: `weights` and `state` are indexed by the ids that the Plan names.
    ///
    /// # Errors
    /// An op or element type that the backend does not support, or no memory.
    fn prepare(
        &self,
        plan: &Plan,
        weights: &[Self::Weight],
        state: &Self::State,
    ) -> impl Future<Output = Result<Self::Prepared, BackendError>>;

    /// Runs the steps in `steps` (indices into [`Plan::steps`], cut to its length); scratch buffers keep their contents between
    /// calls, so a caller may go step by step.
    ///
    /// # Errors
    /// Ids or a position that do not fit, cancellation, a lost device. After an error the recurrent states
    /// may be half written: restore a snapshot before going on.
    fn run_steps(
        &self,
        prepared: &mut Self::Prepared,
        state: &mut Self::State,
        input: StepInput<'_>,
        steps: Range<usize>,
    ) -> impl Future<Output = Result<(), BackendError>>;

    /// Runs all steps.
    ///
    /// # Errors
    /// As for [`Backend::run_steps`].
    fn run(
        &self,
        prepared: &mut Self::Prepared,
        state: &mut Self::State,
        input: StepInput<'_>,
    ) -> impl Future<Output = Result<(), BackendError>> {
        self.run_steps(prepared, state, input, 0..usize::MAX)
    }

    /// Tokens that the device should be ahead of the host where it chooses them itself; 0 where that gains nothing, and
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
        state: &mut Self::State,
        ahead: Ahead<'_>,
    ) -> impl Future<Output = Result<(), BackendError>>;

    /// Waits for the oldest call of [`Backend::queue`] that was not read yet, and appends the tokens that its runs chose to
    /// `out`: nothing where there is none. [`DECLINED`](crate::ops::sample::DECLINED) stands for a token that the device could
    /// not choose; what follows in the chain means nothing.
    ///
    /// # Errors
    /// A lost device.
    fn chosen(
        &self,
        prepared: &mut Self::Prepared,
        out: &mut Vec<u32>,
    ) -> impl Future<Output = Result<(), BackendError>>;

    /// Runs all steps and tells how long each took. Slower than [`Backend::run`], which does not stop to look at a clock.
    ///
    /// # Errors
    /// A device without a clock, and as for [`Backend::run_steps`].
    fn profile(
        &self,
        prepared: &mut Self::Prepared,
        state: &mut Self::State,
        input: StepInput<'_>,
    ) -> impl Future<Output = Result<Vec<Timing>, BackendError>>;

    /// Copies a buffer's elements, as f32, into `out` (resized to fit): an output after a run, or any buffer of
    /// the step that ran last. Weights cannot be read.
    ///
    /// # Errors
    /// A lost device.
    fn read(
        &self,
        prepared: &Self::Prepared,
        state: &Self::State,
        buffer: BufferId,
        out: &mut Vec<f32>,
    ) -> impl Future<Output = Result<(), BackendError>>;

    /// Copies the recurrent states, for a later [`Backend::restore`].
    ///
    /// # Errors
    /// A lost device, or no memory.
    fn snapshot(&self, state: &Self::State) -> impl Future<Output = Result<Self::Snapshot, BackendError>>;

    /// Puts the recurrent states back as they were when the snapshot was taken.
    ///
    /// # Errors
    /// A lost device.
    fn restore(
        &self,
        state: &mut Self::State,
        snapshot: &Self::Snapshot,
    ) -> impl Future<Output = Result<(), BackendError>>;
}
