//! Conversations that keep their tokens' states between turns, and take them to a file and back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hala::{Retained, Shared};

use crate::engine::{ENGINES, Engine};
use crate::entry::{anywhere, entry};
use crate::failure::Failure;
use crate::handles::{Handles, Kind};
use crate::status::Status;
use crate::text::Text;

/// What keeps the states of a conversation's tokens between its turns. It holds its engine. One turn at a time: another one meanwhile is answered with
/// HALA_STATUS_BUSY. Turns of several sessions run together.
pub struct Session {
    _opaque: [u8; 0],
}

/// A session.
pub(crate) struct Held {
    engine: Arc<Shared>,
    retained: Retained,
    is_busy: AtomicBool,
}

static SESSIONS: Handles<Held> = Handles::new(Kind::Session);

impl Held {
    /// Without any tokens.
    ///
    /// # Errors
    /// A handle that is none.
    fn of(engine: *const Engine) -> Result<Self, Failure> {
        let engine = ENGINES.get(engine)?;
        Ok(Self { engine, retained: Retained::default(), is_busy: AtomicBool::new(false) })
    }

    /// With the tokens of a file.
    ///
    /// # Errors
    /// A handle that is none, an empty path, a file that cannot be read or is of another model.
    fn restored(engine: *const Engine, path: &str) -> Result<Self, Failure> {
        let engine = ENGINES.get(engine)?;
        let retained = engine.restore(named(path)?)?;
        Ok(Self { engine, retained, is_busy: AtomicBool::new(false) })
    }
}

/// A turn of a session, until it is dropped.
pub(crate) struct Turn(Arc<Held>);

impl Turn {
    /// Begins a turn, where a session is given.
    ///
    /// # Errors
    /// A handle that is none, a session of another engine, or one that has a turn.
    pub(crate) fn begin(session: *const Session, engine: &Arc<Shared>) -> Result<Option<Self>, Failure> {
        let Some(held) = SESSIONS.get_given(session)? else { return Ok(None) };
        if !Arc::ptr_eq(&held.engine, engine) {
            return Err(Failure::argument("session", "it is one of another engine: make one with this"));
        }
        Self::of(held).map(Some)
    }

    fn of(held: Arc<Held>) -> Result<Self, Failure> {
        if held.is_busy.swap(true, Ordering::Acquire) {
            return Err(Failure::new(Status::Busy, "the session is at work: wait for the end of its turn"));
        }
        Ok(Self(held))
    }

    /// What the turn goes on with.
    pub(crate) fn retained(&self) -> &Retained {
        &self.0.retained
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.is_busy.store(false, Ordering::Release);
    }
}

/// A session without any tokens. `*session` is then held once.
///
/// # Safety
/// `session` points to a place for a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_session_new(engine: *const Engine, session: *mut *mut Session) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { SESSIONS.put(session, "session", || Held::of(engine)) })
}

/// Writes a session's tokens and their states to a file, which appears under its name when it is whole.
///
/// # Safety
/// `path` is as its struct says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_session_save(session: *const Session, path: Text) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        save(session, unsafe { path.read("path") }?)
    })
}

/// Writes a session to a file.
///
/// # Errors
/// A handle that is none, a session at work, an empty path, a file that cannot be written.
pub(crate) fn save(session: *const Session, path: &str) -> Result<(), Failure> {
    let turn = Turn::of(SESSIONS.get(session)?)?;
    Ok(turn.0.engine.save(turn.retained(), named(path)?)?)
}

/// The path of a file.
fn named(path: &str) -> Result<&Path, Failure> {
    if path.is_empty() {
        return Err(Failure::argument("path", "it is empty: name a file"));
    }
    Ok(Path::new(path))
}

/// A session from a file that hala_session_save() wrote, with the same model held in the same way: nothing is computed again. `*session` is then held
/// once.
///
/// # Safety
/// `path` is as its struct says, and `session` points to a place for a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_session_restore(
    engine: *const Engine,
    path: Text,
    session: *mut *mut Session,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { SESSIONS.put(session, "session", || Held::restored(engine, path.read("path")?)) })
}

/// Holds a session once more.
#[unsafe(no_mangle)]
pub extern "C" fn hala_session_retain(session: *const Session) -> Status {
    anywhere(|| SESSIONS.retain(session))
}

/// Holds a session once less; its memory is given back when nobody holds it. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn hala_session_release(session: *const Session) -> Status {
    anywhere(|| release(session))
}

/// Holds a session once less.
///
/// # Errors
/// A handle that is none.
pub(crate) fn release(session: *const Session) -> Result<(), Failure> {
    SESSIONS.release(session)
}

/// A session without any tokens, held once.
///
/// # Errors
/// A handle that is none.
#[cfg(feature = "jni")]
pub(crate) fn add(engine: *const Engine) -> Result<*mut Session, Failure> {
    Ok(SESSIONS.add(Held::of(engine)?))
}

/// A session with the tokens of a file, held once.
///
/// # Errors
/// A handle that is none, an empty path, a file that cannot be read or is of another model.
#[cfg(feature = "jni")]
pub(crate) fn restore(engine: *const Engine, path: &str) -> Result<*mut Session, Failure> {
    Ok(SESSIONS.add(Held::restored(engine, path)?))
}
