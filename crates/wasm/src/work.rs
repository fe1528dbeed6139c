//! One piece of work on the runtime: started, driven to its end, and the runtime put back.

use std::cell::RefCell;
use std::time::Duration;

use hala::{Error, Runtime};
use web_time::Instant;

use crate::host::{HostReader, pause};

/// How long pieces follow each other before the worker sees to its messages.
const PAUSE_EVERY: Duration = Duration::from_millis(8);

/// A runtime whose weights the worker reads.
pub(crate) type Running = Runtime<HostReader>;

/// One piece of work, which has the runtime to itself, and puts it back at its end, however that comes.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    place: &'a RefCell<Option<Running>>,
    running: Option<Running>,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        *self.place.borrow_mut() = self.running.take();
    }
}

impl<'a> Work<'a> {
    /// Takes the runtime.
    ///
    /// # Errors
    /// It is at work.
    pub(crate) fn begin(place: &'a RefCell<Option<Running>>) -> Result<Self, Error> {
        let running = place.borrow_mut().take();
        if running.is_some() { Ok(Self { place, running }) } else { Err(Error::Busy) }
    }

    /// The runtime.
    ///
    /// # Errors
    /// None, as it was taken.
    pub(crate) fn running(&mut self) -> Result<&mut Running, Error> {
        self.running.as_mut().ok_or(Error::Busy)
    }
}

/// Hands out the pieces of steps to the end, with pauses in which the worker sees to its messages.
///
/// # Errors
/// What ended the steps.
pub(crate) async fn drive<P>(
    mut step: impl AsyncFnMut() -> Result<Option<Vec<P>>, Error>,
    mut on_piece: impl FnMut(P),
) -> Result<(), Error> {
    let mut last_pause = Instant::now();
    while let Some(pieces) = step().await? {
        pieces.into_iter().for_each(&mut on_piece);
        if last_pause.elapsed() >= PAUSE_EVERY {
            pause().await;
            last_pause = Instant::now();
        }
    }
    Ok(())
}
