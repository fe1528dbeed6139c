//! Work on a list of things by several threads, of which one at a time is told of what is done.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::error::CompressError;

/// Does `work` on each of `items`, and gives what came of it to `take` on this thread, until `stop` is set. A fault sets it; the first one
/// counts, that others were stopped is no news.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    n_threads: usize,
    stop: &AtomicBool,
    work: impl Fn(&T) -> Result<R, CompressError> + Sync,
    mut take: impl FnMut(&T, R) -> Result<(), CompressError>,
) -> Result<(), CompressError> {
    let next = AtomicUsize::new(0);
    // Without room: a thread goes on when its work was taken note of, so that a stop is seen within one item.
    let (sender, receiver) = mpsc::sync_channel(0);
    thread::scope(|scope| {
        for _ in 0..n_threads.clamp(1, items.len().max(1)) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let result = work(item);
                    stop.fetch_or(result.is_err(), Ordering::Relaxed);
                    if sender.send((item, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut outcome = Ok(());
        for (item, result) in receiver {
            let taken = result.and_then(|made| take(item, made));
            stop.fetch_or(taken.is_err(), Ordering::Relaxed);
            outcome = outcome.and(taken);
        }
        outcome
    })
}
