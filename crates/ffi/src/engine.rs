//! A model on a device: loading it, and what may be asked of it.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use hala::{Cancel as Flag, Event, Notice, RuntimeOptions, Shared};

use crate::cancel::{self, Cancel};
use crate::choices::Choices;
use crate::entry::{anywhere, entry};
use crate::event::json;
use crate::failure::Failure;
use crate::handles::{Handles, Kind};
use crate::log::{self, LogLevel};
use crate::owned::{Out, OwnedText};
use crate::progress::{ProgressCallback, ProgressKind, Teller};
use crate::sized::{self, Given};
use crate::source::{self, Source};
use crate::status::Status;
use crate::text::Text;

/// A model on a device. What works with it holds it too: a session or a stream goes on after the engine's last handle was released.
pub struct Engine {
    _opaque: [u8; 0],
}

pub(crate) static ENGINES: Handles<Shared> = Handles::new(Kind::Engine);

/// Choices made when a model is loaded. Zero is what suits the machine and the model.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// sizeof(HalaLoadOptions).
    pub struct_size: usize,
    /// What runs it: `auto` (a real GPU that does no harm and is not slower, or else the CPU; for the model that ships with Hala the CPU), `cpu`,
    /// `wgpu` or `plain` (slow, and the truth that others are tested against).
    pub backend: Text,
    /// The GPU whose name contains this, whatever its case.
    pub adapter: Text,
    /// How matrices are held: `auto`, `f32`, `bf16`, `f16`, `fp8`, `int8` or `int4`.
    pub weights: Text,
    /// Tokens that a sequence can hold.
    pub context: usize,
    /// Threads of the CPU; as many as the machine runs at once by default.
    pub threads: usize,
    /// Sequences at once; as many as suit the device by default.
    pub parallel: usize,
    /// Stops the loading.
    pub cancel: *const Cancel,
    /// Is told how it goes, until hala_engine_load() returns.
    pub on_progress: ProgressCallback,
    /// Handed to `on_progress`.
    pub user_data: *mut c_void,
    /// The folder in which is kept what is known of GPUs: which of them `auto` leaves alone, as after a driver's crash, and which kernels are fast;
    /// Hala's in the user's folder for caches by default. An app on a phone, which has none, names one that is neither emptied nor backed up.
    pub devices: Text,
}

// SAFETY: numbers and pointers alone.
unsafe impl Given for LoadOptions {
    const NAME: &'static str = "HalaLoadOptions";
    const FIRST_SIZE: usize = std::mem::offset_of!(Self, devices);
}

impl LoadOptions {
    /// The same as the runtime has it.
    ///
    /// # Errors
    /// A word that is none.
    ///
    /// # Safety
    /// Its texts are as the struct says.
    pub(crate) unsafe fn runtime(&self, flag: &Flag) -> Result<RuntimeOptions, Failure> {
        // SAFETY: as the caller says.
        let choices = unsafe {
            Choices {
                backend: self.backend.read_given("backend")?,
                adapter: self.adapter.read_given("adapter")?,
                weights: self.weights.read_given("weights")?,
                devices: self.devices.read_given("devices")?,
                context: self.context,
                threads: self.threads,
                parallel: self.parallel,
            }
        };
        choices.runtime(flag)
    }
}

/// Passes on what happens with a runtime: `tell` is told of loading, the log of all else.
pub(crate) fn pass(event: Event<'_>, tell: &dyn Fn(ProgressKind, &str, u64, u64)) {
    match event {
        Event::Loading(progress) => {
            tell(ProgressKind::Loading, progress.name, progress.n_done as u64, progress.n_total as u64);
        }
        Event::Notice(notice @ (Notice::OnCpu { .. } | Notice::AskedFor { .. })) => {
            log::tell(LogLevel::Warn, &notice.to_string());
        }
        Event::Notice(notice) => log::tell(LogLevel::Info, &notice.to_string()),
        Event::FirstRun { device, stage } => {
            log::tell(LogLevel::Info, &format!("{device} runs a model for the first time: {}", stage.next()));
        }
        Event::DeviceLost { reason } => {
            log::tell(LogLevel::Warn, &format!("the device was lost, and is set up again: {reason}"));
        }
        Event::DeviceChanged { device, reason } => {
            let message = format!("{} takes over: {reason}", device.name);
            log::tell(LogLevel::Warn, &message);
        }
        #[cfg(feature = "hub")]
        Event::Fetching(event) => crate::download::pass(event, tell),
    }
}

/// Chooses a device, opens a model, and moves it to the device. `*engine` is then held once.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_engine_load(
    source: *const Source,
    options: *const LoadOptions,
    engine: *mut *mut Engine,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { ENGINES.put(engine, "engine", || load(source, options)) })
}

/// Loads a model, and tells how it goes until it is loaded.
///
/// # Safety
/// As for the function of the interface.
unsafe fn load(source: *const Source, options: *const LoadOptions) -> Result<Shared, Failure> {
    // SAFETY: as the caller says.
    let (source, options) = unsafe { (source::read(source)?, sized::read(options)?) };
    let flag = cancel::flag(options.cancel)?;
    // SAFETY: as the caller says.
    let runtime = unsafe { options.runtime(&flag) }?;
    let teller = Teller { callback: options.on_progress, user_data: options.user_data };
    // Told until the model is loaded; what happens later goes to the log.
    let loading = Arc::new(Mutex::new(Some(teller)));
    let told = Arc::clone(&loading);
    let tell = move |kind, name: &str, done, total| {
        let teller = *told.lock().unwrap_or_else(PoisonError::into_inner);
        if teller.is_some_and(|teller| !teller.tell(kind, name, done, total)) {
            flag.cancel();
        }
    };
    let listener = move |event: Event<'_>| pass(event, &tell);
    let loaded = hala::blocking::Runtime::with(source, runtime, listener);
    *loading.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(Shared::new(loaded?.into_inner()))
}

/// Holds an engine once more.
#[unsafe(no_mangle)]
pub extern "C" fn hala_engine_retain(engine: *const Engine) -> Status {
    anywhere(|| ENGINES.retain(engine))
}

/// Holds an engine once less; its memory is given back when nobody holds it, and no session or stream is left that works with it. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn hala_engine_release(engine: *const Engine) -> Status {
    anywhere(|| ENGINES.release(engine))
}

/// What was loaded and what runs it, as JSON: family, parameters, layers, width, vocabulary, context, weightBytes, cacheBytesPerToken, sampling,
/// backend, device, reason (why that device, in words), reasonCode (the same as a word), threads and more. May be asked while it works.
///
/// # Safety
/// `info` points to a place for a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_engine_info(engine: *const Engine, info: *mut OwnedText) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let out = unsafe { Out::required(info, "info") }?;
        let told = json(&ENGINES.get(engine)?.current()?.info()?)?;
        out.put(|| told);
        Ok(())
    })
}
