//! Work that is asked for piece by piece.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, TryLockError};

use hala::{Cancel as Flag, CompletionHead, SharedStream};

use crate::entry::{anywhere, entry};
use crate::event::{Answer, Event, Listener, Owned};
use crate::failure::Failure;
use crate::handles::{Handles, Kind};
use crate::session::Turn;
use crate::status::Status;

/// Work that was begun and gives its events one by one: for programs that would rather ask than be called. It goes on while somebody waits for
/// it, or for other work on the same engine.
pub struct Stream {
    _opaque: [u8; 0],
}

/// Work on its way.
pub(crate) struct Work {
    stream: SharedStream,
    answer: Answer,
    ready: VecDeque<Owned>,
    /// Texts that have not ended.
    n_left: usize,
    /// Of a session, which has one turn at a time.
    _turn: Option<Turn>,
}

impl Work {
    /// What `stream` gives, as events of `answer`.
    pub(crate) fn new(stream: SharedStream, answer: Answer) -> Self {
        Self { stream, answer, ready: VecDeque::new(), n_left: 1, _turn: None }
    }

    /// The same, of so many texts.
    pub(crate) fn of_texts(self, n: usize) -> Self {
        Self { n_left: n, ..self }
    }

    /// The same, as a turn of a session.
    pub(crate) fn in_turn(self, turn: Option<Turn>) -> Self {
        Self { _turn: turn, ..self }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// What ended the work; it was stopped on request.
    pub(crate) fn next(&mut self) -> Result<Option<Owned>, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(output) = self.stream.next() else {
                // Texts that were not begun have no end of their own.
                return if self.n_left == 0 { Ok(None) } else { Err(Failure::aborted()) };
            };
            let output = output?;
            self.n_left -= usize::from(output.is_end());
            self.ready.extend(Owned::of(output, &self.answer)?);
        }
    }

    /// Goes on to the end, tells `listener`, and hands each event to `keep`. Where the listener wants no more, the work ends.
    ///
    /// # Errors
    /// As for [`Work::next`]; the first of several texts that failed, after all others.
    pub(crate) fn drive(mut self, listener: Listener, mut keep: impl FnMut(Owned)) -> Result<(), Failure> {
        let mut failed = None;
        while let Some(event) = self.next()? {
            if !listener.tell(event.event()) {
                return Err(Failure::aborted());
            }
            failed = failed.or_else(|| event.failure());
            keep(event);
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A stream.
struct Held {
    flag: Flag,
    /// None once it has ended.
    going: Mutex<Option<Going>>,
}

impl Held {
    fn of(work: Work) -> Self {
        let flag = work.stream.cancel().clone();
        Self { flag, going: Mutex::new(Some(Going { work, last: None })) }
    }
}

/// A stream's work, and the event that was given last, which stays until the next.
struct Going {
    work: Work,
    last: Option<Box<Owned>>,
}

static STREAMS: Handles<Held> = Handles::new(Kind::Stream);

/// Begins work, and writes a handle for it to a place of the caller's.
///
/// # Errors
/// As for [`Handles::put`].
///
/// # Safety
/// As for [`Handles::put`].
pub(crate) unsafe fn put(
    place: *mut *mut Stream,
    begin: impl FnOnce() -> Result<Work, Failure>,
) -> Result<(), Failure> {
    // SAFETY: as the caller says.
    unsafe { STREAMS.put(place, "stream", || Ok(Held::of(begin()?))) }
}

/// A stream of work, held once.
#[cfg(feature = "jni")]
pub(crate) fn add(work: Work) -> *mut Stream {
    STREAMS.add(Held::of(work))
}

/// Waits for the next event, and works meanwhile. `*event` stays until the next call for this stream, or until it is released; it is NULL at
/// the end. After a failure the stream has ended. HALA_STATUS_BUSY where another thread waits for this stream.
///
/// # Safety
/// `event` points to a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_stream_next(stream: *const Stream, event: *mut *const Event) -> Status {
    entry(|| {
        if event.is_null() {
            return Err(Failure::null("event"));
        }
        // SAFETY: as the caller says.
        unsafe { event.write(std::ptr::null()) };
        next(stream, |next| {
            // SAFETY: as the caller says.
            unsafe { event.write(next.event()) };
            Ok(())
        })?;
        Ok(())
    })
}

/// Waits for the next event, and gives what `read` makes of it; `None` at the end. The event stays until the next.
///
/// # Errors
/// A handle that is none, a stream that another thread waits for, what ended the work.
pub(crate) fn next<T>(
    stream: *const Stream,
    read: impl FnOnce(&Owned) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let held = STREAMS.get(stream)?;
    let mut place = lock(&held)?;
    let Some(Going { work, last }) = place.as_mut() else { return Ok(None) };
    match work.next() {
        Ok(Some(next)) => read(last.insert(Box::new(next))).map(Some),
        ended => {
            *place = None;
            ended.map(|_| None)
        }
    }
}

fn lock(held: &Held) -> Result<MutexGuard<'_, Option<Going>>, Failure> {
    held.going.try_lock().or_else(|error| match error {
        TryLockError::Poisoned(poisoned) => Ok(poisoned.into_inner()),
        TryLockError::WouldBlock => {
            Err(Failure::new(Status::Busy, "another thread waits for this stream: one at a time"))
        }
    })
}

/// Stops a stream from any thread: hala_stream_next() then answers HALA_STATUS_ABORTED. The flag that it was begun under stays as it is. May be called inside of a callback.
#[unsafe(no_mangle)]
pub extern "C" fn hala_stream_cancel(stream: *const Stream) -> Status {
    anywhere(|| cancel(stream))
}

/// Stops a stream.
///
/// # Errors
/// A handle that is none.
pub(crate) fn cancel(stream: *const Stream) -> Result<(), Failure> {
    STREAMS.get(stream)?.flag.cancel();
    Ok(())
}

/// Holds a stream once less.
///
/// # Errors
/// A handle that is none.
pub(crate) fn release(stream: *const Stream) -> Result<(), Failure> {
    STREAMS.release(stream)
}

/// Holds a stream once more.
#[unsafe(no_mangle)]
pub extern "C" fn hala_stream_retain(stream: *const Stream) -> Status {
    anywhere(|| STREAMS.retain(stream))
}

/// Holds a stream once less; when nobody holds it, its work ends, wherever it is. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn hala_stream_release(stream: *const Stream) -> Status {
    anywhere(|| release(stream))
}

/// What a completion begins with, of an answer that begins now.
pub(crate) fn head(model: Option<&str>) -> CompletionHead {
    CompletionHead::named(hala::any_seed(), model)
}
