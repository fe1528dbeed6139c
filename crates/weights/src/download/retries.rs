//! How often and when something is tried again.

use std::time::Duration;

use super::event::{DownloadEvent, Watch};
use super::fault::Fault;

/// How long to wait before the first retry; doubled for each one after it.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Waits are cut into pieces of so long, between which a stop is seen.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is left of the retries of one file.
#[derive(Debug)]
pub(crate) struct Retries {
    n_left: usize,
    wait: Duration,
}

impl Retries {
    pub(crate) fn new(n_left: usize) -> Self {
        Self { n_left, wait: FIRST_WAIT }
    }

    /// Waits before another attempt after `fault`, each time twice as long.
    ///
    /// # Errors
    /// `fault`, where it is none that another attempt could mend, or there were enough of them; stopped while it waited.
    pub(crate) fn again(&mut self, fault: Fault, watch: &mut Watch<'_>) -> Result<(), Fault> {
        if !fault.is_passing() || self.n_left == 0 {
            return Err(fault);
        }
        self.n_left -= 1;
        watch.tell(DownloadEvent::Retrying { reason: &fault.to_string() });
        let mut left = self.wait;
        while !left.is_zero() {
            if watch.is_stopped() {
                return Err(Fault::Stopped);
            }
            watch.tell(DownloadEvent::Waiting);
            let piece = left.min(LOOK_EVERY);
            std::thread::sleep(piece);
            left -= piece;
        }
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }
}
