//! What is good to know and belongs to no call: notices of loading, lost devices, and what drivers say.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::entry::{entry, inside};
use crate::failure::Failure;
use crate::status::Status;
use crate::text::{Terminated, Text};

/// Takes a line of the log. It may be called on any thread, several at once, and while a function of Hala runs. `false` ends it.
pub type LogCallback =
    Option<unsafe extern "C" fn(level: i32, message: Text, user_data: *mut c_void) -> bool>;

/// Levels of the log: how much whoever reads it wants, and how much each line matters.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed.
    Error = 1,
    /// Something is not as it should be.
    Warn = 2,
    /// Something is good to know.
    Info = 3,
    /// For those who look for a fault.
    Debug = 4,
}

/// Whoever takes the log.
struct Sink {
    taker: Box<dyn Taker>,
    level: LogLevel,
    /// Which of all that were set it is.
    number: usize,
}

/// Takes lines of the log, on any thread, several at once.
pub(crate) trait Taker: Send + Sync {
    /// Takes a line; false ends it.
    fn take(&self, level: LogLevel, message: &str) -> bool;
}

/// A callback of the C interface.
struct Callback {
    function: unsafe extern "C" fn(i32, Text, *mut c_void) -> bool,
    user_data: *mut c_void,
}

// SAFETY: the header says that the callback is called on any thread, with the pointer that came with it.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Taker for Callback {
    fn take(&self, level: LogLevel, message: &str) -> bool {
        let message = Terminated::new(message);
        // SAFETY: the pointers are as the caller gave them, and stay until another is set, which waits for this.
        inside(|| unsafe { (self.function)(level as i32, message.lend(), self.user_data) })
    }
}

/// Whether other crates' log comes here: not where the program has a logger of its own, which has it already.
static IS_OURS: LazyLock<bool> = LazyLock::new(|| log::set_logger(&Bridge).is_ok());

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// How many sinks were set.
static SET: AtomicUsize = AtomicUsize::new(0);

/// Tells whoever takes the log.
pub(crate) fn tell(level: LogLevel, message: &str) {
    let ended = {
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = sink.as_ref().filter(|sink| level as i32 <= sink.level as i32) else { return };
        (!sink.taker.take(level, message)).then_some(sink.number)
    };
    if let Some(number) = ended {
        end(number);
    }
}

/// Ends the one of this number. Another may have been set meanwhile, which has not ended.
pub(crate) fn end(number: usize) {
    SINK.write().unwrap_or_else(PoisonError::into_inner).take_if(|sink| sink.number == number);
}

/// Has lines up to a level taken from now on, in the place of whoever took them before; its number.
pub(crate) fn set(taker: Box<dyn Taker>, level: LogLevel) -> usize {
    let number = SET.fetch_add(1, Ordering::Relaxed);
    put(Some(Sink { taker, level, number }));
    number
}

fn put(sink: Option<Sink>) {
    let most = match sink.as_ref().map(|sink| sink.level) {
        None => LevelFilter::Off,
        Some(LogLevel::Error) => LevelFilter::Error,
        Some(LogLevel::Warn | LogLevel::Info) => LevelFilter::Warn,
        Some(LogLevel::Debug) => LevelFilter::Debug,
    };
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
    if *IS_OURS {
        log::set_max_level(most);
    }
}

impl LogLevel {
    /// The level of a number of the interface.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn of(level: i32) -> Result<Self, Failure> {
        let levels = [Self::Error, Self::Warn, Self::Info, Self::Debug];
        let found = levels.into_iter().find(|known| *known as i32 == level);
        found.ok_or_else(|| Failure::argument("level", format!("{level} is none: there are 1 to 4")))
    }
}

/// What other crates log, drivers' messages among it.
struct Bridge;

impl Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Error => LogLevel::Error,
            Level::Warn => LogLevel::Warn,
            Level::Info | Level::Debug | Level::Trace => LogLevel::Debug,
        };
        tell(level, &format!("{}: {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// Sends the log to `callback`: lines up to `level`, a HalaLogLevel. NULL ends it. When this returns, the callback before it is called no more.
///
/// # Safety
/// `callback` may be called with `user_data` on any thread until another is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_set_log(callback: LogCallback, user_data: *mut c_void, level: i32) -> Status {
    entry(|| {
        match callback {
            None => put(None),
            Some(function) => {
                set(Box::new(Callback { function, user_data }), LogLevel::of(level)?);
            }
        }
        Ok(())
    })
}
