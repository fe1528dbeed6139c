//! A device with its queue: what was created on it, what went wrong on it, and waiting for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hala_plan::BackendError;
use hala_shaders::constant;
use wgpu::{
    Adapter, AdapterInfo, Buffer, BufferDescriptor, BufferUsages, CommandBuffer, CommandEncoder, Device,
    DeviceDescriptor, DeviceType, ErrorFilter, Features, PollType, Queue, SubmissionIndex,
};

use crate::adapter::{WELCOME, check_limits};
use crate::callback::{answer, ready};
use crate::capabilities::{Abilities, Preset};
use crate::choices::Origin;
use crate::names::device_name;
use crate::pace::Paced;

/// Sizes of buffers are whole multiples of so many bytes, those of the largest blocks that kernels read.
pub(crate) const ROUNDING: usize = 16;

/// How many things exist or were made on a device since it was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Created {
    /// Buffers made.
    pub buffers: u64,
    /// Bytes of those buffers.
    pub buffer_bytes: u64,
    /// Pipelines made.
    pub pipelines: u64,
    /// Bind groups made.
    pub bind_groups: u64,
    /// Submissions, but for the upload of weights.
    pub submits: u64,
    /// Dispatches recorded.
    pub dispatches: u64,
}

/// Counts of [`Created`], shared by all that a device runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    buffers: AtomicU64,
    buffer_bytes: AtomicU64,
    pub(crate) pipelines: AtomicU64,
    pub(crate) bind_groups: AtomicU64,
    pub(crate) submits: AtomicU64,
    pub(crate) dispatches: AtomicU64,
}

/// What the driver reported outside of any call.
#[derive(Debug, Default)]
struct Trouble {
    lost: Option<String>,
    refused: Option<String>,
}

/// An error scope that has not answered yet.
#[cfg(not(target_family = "wasm"))]
type Scope = Pin<Box<dyn Future<Output = Option<wgpu::Error>> + Send>>;
#[cfg(target_family = "wasm")]
type Scope = Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// A buffer that was asked for, where the driver has not said yet whether there is memory for it: browsers tell late.
struct Asked {
    what: String,
    n_bytes: usize,
    scope: Scope,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("what", &self.what)
            .field("n_bytes", &self.n_bytes)
            .finish_non_exhaustive()
    }
}

/// A device and its queue.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    /// Its name, as messages have it.
    pub(crate) name: String,
    /// What is measured with it stands for.
    pub(crate) origin: Origin,
    /// Whether it is a program on the CPU, which takes long.
    pub(crate) is_software: bool,
    /// Which kernels it can run.
    pub(crate) abilities: Abilities,
    pub(crate) counters: Counters,
    /// What keeps submissions of prompts short, where they could be long.
    pub(crate) paced: Option<Paced>,
    put_off: Mutex<Vec<CommandBuffer>>,
    asked: Mutex<Vec<Asked>>,
    trouble: Arc<Mutex<Trouble>>,
}

/// Lanes of a workgroup that adds up by subgroups, and the fewest that it counts on to run together.
const LANES: u32 = constant("matmul.f32.lanes_sub", "LANES");
const LEAST_TOGETHER: u32 = constant("matmul.f32.lanes_sub", "LEAST_TOGETHER");

/// Whether subgroups have one size that kernels know how to use: some drivers run fewer lanes than they report, and those
/// report several sizes.
fn has_one_subgroup_size(info: &AdapterInfo) -> bool {
    let (least, most) = (info.subgroup_min_size, info.subgroup_max_size);
    least == most && (LEAST_TOGETHER..=LANES).contains(&least)
}

/// Whether a prompt could keep a device busy for too long. In a browser submissions are the browser's to watch, and software devices look at
/// the flag that stops a prompt instead.
fn is_paced(kind: DeviceType) -> bool {
    !cfg!(target_family = "wasm") && !matches!(kind, DeviceType::DiscreteGpu | DeviceType::Cpu)
}

/// How a device is set up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Setup {
    /// Kernels that may not be the device's own.
    pub(crate) preset: Option<Preset>,
    /// Whether subgroups are turned on by other means than wgpu's, as a page has to do in a browser.
    pub(crate) subgroups: bool,
}

impl Gpu {
    /// Sets a device up with all that its adapter offers, and the kernels that are asked for or else its own.
    pub(crate) async fn open(adapter: &Adapter, setup: Setup) -> Result<Self, BackendError> {
        let preset = setup.preset;
        let (info, limits) = (adapter.get_info(), adapter.limits());
        check_limits(&limits, &info.name)?;
        let descriptor = DeviceDescriptor {
            label: Some("hala"),
            required_features: adapter.features() & WELCOME,
            required_limits: limits,
            ..DeviceDescriptor::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(|error| {
            let reason = format!("{} refused to be set up: {error}", info.name);
            BackendError::Unavailable { backend: "wgpu", reason }
        })?;
        let has_int64 = device.features().contains(Features::SHADER_INT64);
        if preset == Some(Preset::Software) && !has_int64 {
            let reason = format!("{} has no words of 64 bits, which kernels of this preset read", info.name);
            return Err(BackendError::Unavailable { backend: "wgpu", reason });
        }
        let chosen = preset.unwrap_or(Preset::of(info.device_type, has_int64));
        let trouble: Arc<Mutex<Trouble>> = Arc::default();
        let seen = Arc::clone(&trouble);
        device.set_device_lost_callback(move |_, reason| {
            let mut trouble = seen.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.lost.get_or_insert(reason);
        });
        let seen = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut trouble = seen.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.refused.get_or_insert(error.to_string());
        }));
        Ok(Self {
            name: device_name(&info, preset),
            origin: Origin::of(&info, preset),
            is_software: info.device_type == DeviceType::Cpu,
            abilities: Abilities {
                preset: chosen,
                has_subgroups: chosen == Preset::Gpu
                    && (setup.subgroups || device.features().contains(Features::SUBGROUP))
                    && has_one_subgroup_size(&info),
            },
            counters: Counters::default(),
            paced: is_paced(info.device_type).then(Paced::new),
            put_off: Mutex::default(),
            asked: Mutex::default(),
            trouble,
            device,
            queue,
        })
    }

    /// A buffer of `n_bytes`, rounded up.
    ///
    /// # Errors
    /// No memory, or more than one buffer can hold.
    pub(crate) fn buffer(
        &self,
        what: &str,
        n_bytes: usize,
        usage: BufferUsages,
    ) -> Result<Buffer, BackendError> {
        let n_bytes = n_bytes.next_multiple_of(ROUNDING).max(ROUNDING);
        let out_of_memory =
            || BackendError::OutOfMemory { device: self.name.clone(), what: what.to_owned(), bytes: n_bytes };
        if n_bytes as u64 > self.device.limits().max_buffer_size {
            return Err(out_of_memory());
        }
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let descriptor =
            BufferDescriptor { label: Some(what), size: n_bytes as u64, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        let mut scope: Scope = Box::pin(scope.pop());
        match ready(&mut scope) {
            Some(Some(_)) => return Err(out_of_memory()),
            Some(None) => {}
            None => self.lock_asked().push(Asked { what: what.to_owned(), n_bytes, scope }),
        }
        self.counters.buffers.fetch_add(1, Ordering::Relaxed);
        self.counters.buffer_bytes.fetch_add(n_bytes as u64, Ordering::Relaxed);
        self.check()?;
        Ok(buffer)
    }

    fn lock_asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all that was submitted and for the driver's word on every buffer.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) async fn settle(&self) -> Result<(), BackendError> {
        let asked = std::mem::take(&mut *self.lock_asked());
        for Asked { what, n_bytes, scope } in asked {
            if scope.await.is_some() {
                return Err(BackendError::OutOfMemory { device: self.name.clone(), what, bytes: n_bytes });
            }
        }
        let (done, tell) = answer();
        self.queue.on_submitted_work_done(move || tell(()));
        self.wait()?;
        done.await;
        self.check()
    }

    /// What the driver reported since the last call.
    ///
    /// # Errors
    /// The device was lost, or refused something.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        // Native devices tell of a loss while they are polled, and only then.
        let mut polled = self.device.poll(PollType::Poll);
        let has_refused = || self.trouble.lock().unwrap_or_else(PoisonError::into_inner).refused.is_some();
        if has_refused() {
            // A lost device refuses what it is given, and tells of the loss when what it was given before is done.
            polled = self.device.poll(PollType::wait_indefinitely());
        }
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let device = self.name.clone();
        if let Some(reason) = &trouble.lost {
            return Err(BackendError::DeviceLost { device, reason: reason.clone() });
        }
        if let Err(error) = polled {
            return Err(BackendError::DeviceLost { device, reason: error.to_string() });
        }
        match trouble.refused.take() {
            Some(reason) => Err(BackendError::Refused { device, what: "a piece of work".to_owned(), reason }),
            None => Ok(()),
        }
    }

    /// Submits the commands of a run, after those that were put off.
    pub(crate) fn submit(&self, encoder: CommandEncoder) -> SubmissionIndex {
        self.counters.submits.fetch_add(1, Ordering::Relaxed);
        // Held until they are submitted: another thread's run may rest on what was put off, and must not come before it.
        let mut buffers = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(encoder.finish());
        self.queue.submit(buffers.drain(..))
    }

    /// Puts commands off until others are submitted, so that a run and the copy of a state before it are one submission.
    pub(crate) fn put_off(&self, encoder: CommandEncoder) {
        self.put_off.lock().unwrap_or_else(PoisonError::into_inner).push(encoder.finish());
    }

    /// Waits until all that was submitted is done; a browser does that by itself.
    ///
    /// # Errors
    /// The device was lost.
    pub(crate) fn wait(&self) -> Result<(), BackendError> {
        self.wait_for(None)
    }

    /// Waits until a submission is done, or all where none is named; what was submitted after it may still run.
    ///
    /// # Errors
    /// The device was lost.
    pub(crate) fn wait_for(&self, submission_index: Option<SubmissionIndex>) -> Result<(), BackendError> {
        if let Err(error) = self.device.poll(PollType::Wait { submission_index, timeout: None }) {
            self.check()?;
            let (device, reason) = (self.name.clone(), error.to_string());
            return Err(BackendError::DeviceLost { device, reason });
        }
        self.check()
    }

    /// The counts so far.
    pub(crate) fn created(&self) -> Created {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Created {
            buffers: get(&self.counters.buffers),
            buffer_bytes: get(&self.counters.buffer_bytes),
            pipelines: get(&self.counters.pipelines),
            bind_groups: get(&self.counters.bind_groups),
            submits: get(&self.counters.submits),
            dispatches: get(&self.counters.dispatches),
        }
    }
}
