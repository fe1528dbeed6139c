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

struct Sink {
    callback: unsafe extern "C" fn(i32, Text, *mut c_void) -> bool,
    user_data: *mut c_void,
    level: LogLevel,
    /// Which of all that were set it is.
    number: usize,
}

// SAFETY: the header says that the callback is called on any thread, with the pointer that came with it.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

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
        let message = Terminated::new(message);
        // SAFETY: the pointers are as the caller gave them, and stay until another sink is set, which waits for this.
        let goes_on = inside(|| unsafe { (sink.callback)(level as i32, message.lend(), sink.user_data) });
        (!goes_on).then_some(sink.number)
    };
    if let Some(number) = ended {
        // Another may have been set meanwhile, which has not ended.
        SINK.write().unwrap_or_else(PoisonError::into_inner).take_if(|sink| sink.number == number);
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
        let levels = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug];
        let found = levels.into_iter().find(|known| *known as i32 == level);
        let sink = match (callback, found) {
            (None, _) => None,
            (Some(callback), Some(level)) => {
                Some(Sink { callback, user_data, level, number: SET.fetch_add(1, Ordering::Relaxed) })
            }
            (Some(_), None) => {
                return Err(Failure::argument("level", format!("{level} is none: there are 1 to 4")));
            }
        };
        let most = match &sink {
            None => LevelFilter::Off,
            Some(Sink { level: LogLevel::Error, .. }) => LevelFilter::Error,
            Some(Sink { level: LogLevel::Warn | LogLevel::Info, .. }) => LevelFilter::Warn,
            Some(Sink { level: LogLevel::Debug, .. }) => LevelFilter::Debug,
        };
        *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
        if *IS_OURS {
            log::set_max_level(most);
        }
        Ok(())
    })
}
