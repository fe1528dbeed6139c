//! Work without pieces of its own, on a thread of its own: it tells how far it is, and is asked for that.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use hala::{Cancel as Flag, Shared};
use serde::Serialize;

use crate::engine::{ENGINES, Engine};
use crate::entry::caught;
use crate::event::json;
use crate::failure::Failure;
use crate::handles::{Handles, Kind};
use crate::progress::ProgressKind;
use crate::status::Status;

/// What a handle of a task points to, by its type.
pub(super) struct Handle {
    _opaque: [u8; 0],
}

/// Work on its way. Letting go of it stops it.
struct Task {
    flag: Flag,
    /// None after the end: who tells may outlive it, in a runtime.
    told: Mutex<Option<Receiver<Told>>>,
    /// A model that was loaded and not taken yet.
    engine: Mutex<Option<Shared>>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.flag.cancel();
    }
}

static TASKS: Handles<Task> = Handles::new(Kind::Task);

/// What a task tells.
enum Told {
    /// How far it is, as JSON.
    Progress(String),
    Ended(Result<Ended, Failure>),
}

/// What comes of a task.
pub(super) enum Ended {
    /// A loaded model, told as `{"loaded": true}`. It is the task's until it is taken, so that nothing is lost with whoever waited.
    Engine(Shared),
    /// Anything else, as JSON.
    Json(String),
}

/// Pieces of news that wait for whoever asks. More are left out: those that follow say more.
const N_WAITING: usize = 64;

#[derive(Serialize)]
struct Progress<'a> {
    progress: i32,
    name: &'a str,
    done: u64,
    total: u64,
}

/// Who is told how far a task is.
#[derive(Clone)]
pub(super) struct Teller(SyncSender<Told>);

impl Teller {
    /// Tells it, without waiting for anybody.
    pub(super) fn tell(&self, kind: ProgressKind, name: &str, done: u64, total: u64) {
        if let Ok(told) = json(&Progress { progress: kind as i32, name, done, total }) {
            let _ = self.0.try_send(Told::Progress(told));
        }
    }
}

/// Begins a task, and gives its handle.
///
/// # Errors
/// The system has no more threads.
pub(super) fn begin(
    work: impl FnOnce(&Flag, Teller) -> Result<Ended, Failure> + Send + 'static,
) -> Result<*const Handle, Failure> {
    let (sender, told) = sync_channel(N_WAITING);
    let flag = Flag::new();
    let raised = flag.clone();
    let run = move || {
        let ended = caught(|| work(&raised, Teller(sender.clone())));
        // Nobody asks any more: then what came of it goes.
        let _ = sender.send(Told::Ended(ended));
    };
    let started = thread::Builder::new().name(String::from("hala-task")).spawn(run);
    started
        .map_err(|error| Failure::new(Status::OutOfMemory, format!("no thread can be started: {error}")))?;
    Ok(TASKS.add(Task { flag, told: Mutex::new(Some(told)), engine: Mutex::new(None) }))
}

/// Waits for what a task tells next, as JSON; `None` after its end.
///
/// # Errors
/// A handle that is none, what ended the work.
pub(super) fn next(task: *const Handle) -> Result<Option<String>, Failure> {
    let task = TASKS.get(task)?;
    let mut place = lock(&task.told);
    let Some(told) = place.as_ref().map(Receiver::recv) else { return Ok(None) };
    if let Ok(Told::Progress(progress)) = told {
        return Ok(Some(progress));
    }
    *place = None;
    let Ok(Told::Ended(ended)) = told else { return Ok(None) };
    Ok(Some(match ended? {
        Ended::Engine(engine) => {
            *lock(&task.engine) = Some(engine);
            String::from(r#"{"loaded":true}"#)
        }
        Ended::Json(told) => told,
    }))
}

/// Takes the model that a task has loaded: a handle of it, held once.
///
/// # Errors
/// A handle that is none, a task that has loaded none.
pub(super) fn engine(task: *const Handle) -> Result<*mut Engine, Failure> {
    let taken = lock(&TASKS.get(task)?.engine).take();
    let engine = taken.ok_or_else(|| Failure::argument("the task", "it has no model, or that was taken"))?;
    Ok(ENGINES.add(engine))
}

/// Stops a task, which then fails.
///
/// # Errors
/// A handle that is none.
pub(super) fn cancel(task: *const Handle) -> Result<(), Failure> {
    TASKS.get(task)?.flag.cancel();
    Ok(())
}

/// Lets go of a task.
///
/// # Errors
/// A handle that is none.
pub(super) fn release(task: *const Handle) -> Result<(), Failure> {
    TASKS.release(task)
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
