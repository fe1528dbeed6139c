//! Native methods of the log, whose lines are asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use ::jni::EnvUnowned;
use ::jni::objects::{JByteArray, JClass};
use ::jni::sys::{jint, jlong};
use serde::Serialize;

use super::border::call;
use super::values::{bytes_given, handle, number};
use crate::event::json;
use crate::handles::{Handles, Kind};
use crate::log::{self, LogLevel, Taker};

/// What a handle of a log points to, by its type.
struct Handle {
    _opaque: [u8; 0],
}

/// A log that somebody reads. Letting go of it ends it.
struct Reading {
    lines: Mutex<Receiver<String>>,
    /// Which of all that were set it is.
    number: usize,
}

impl Drop for Reading {
    fn drop(&mut self) {
        log::end(self.number);
    }
}

static LOGS: Handles<Reading> = Handles::new(Kind::Log);

/// Lines that wait for whoever asks.
const N_WAITING: usize = 256;

#[derive(Serialize)]
struct Line<'a> {
    level: i32,
    text: &'a str,
    /// Lines before it that were left out, as too many waited.
    n_lost: usize,
}

/// Keeps lines for whoever asks, and waits for nobody.
struct Queue {
    lines: SyncSender<String>,
    n_lost: AtomicUsize,
}

impl Taker for Queue {
    fn take(&self, level: LogLevel, text: &str) -> bool {
        let n_lost = self.n_lost.swap(0, Ordering::Relaxed);
        let Ok(line) = json(&Line { level: level as i32, text, n_lost }) else { return true };
        match self.lines.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.n_lost.fetch_add(n_lost + 1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Begins to read the log up to a level, in the place of whoever read it before.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_log<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    level: jint,
) -> jlong {
    call(env, |_| {
        let level = LogLevel::of(level)?;
        let (sender, lines) = sync_channel(N_WAITING);
        let number_of_sink = log::set(Box::new(Queue { lines: sender, n_lost: AtomicUsize::new(0) }), level);
        let log: *const Handle = LOGS.add(Reading { lines: Mutex::new(lines), number: number_of_sink });
        Ok(number(log))
    })
}

/// Waits for the next line; null after the end.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_logNext<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    log: jlong,
) -> JByteArray<'l> {
    call(env, |env| {
        let reading = LOGS.get(handle::<Handle>(log))?;
        let line = reading.lines.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        bytes_given(env, line.as_deref())
    })
}

/// Ends the reading: whoever waits gets what there is, and then null.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_logCancel<'l>(env: EnvUnowned<'l>, _: JClass<'l>, log: jlong) {
    call(env, |_| {
        log::end(LOGS.get(handle::<Handle>(log))?.number);
        Ok(())
    });
}

/// Lets go of it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_logRelease<'l>(env: EnvUnowned<'l>, _: JClass<'l>, log: jlong) {
    call(env, |_| LOGS.release(handle::<Handle>(log)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_takes_are_counted_and_stop_nothing() {
        let (sender, lines) = sync_channel(2);
        let queue = Queue { lines: sender, n_lost: AtomicUsize::new(0) };
        for text in ["a", "b", "c", "d"] {
            assert!(queue.take(LogLevel::Warn, text));
        }
        assert_eq!(lines.recv().unwrap(), r#"{"level":2,"text":"a","n_lost":0}"#);
        assert!(queue.take(LogLevel::Error, "e"));
        assert_eq!(lines.iter().take(2).last().unwrap(), r#"{"level":1,"text":"e","n_lost":2}"#);
        drop(lines);
        assert!(!queue.take(LogLevel::Warn, "f"));
    }
}
