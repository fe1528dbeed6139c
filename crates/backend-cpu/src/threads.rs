//! Where the pool's threads come from: the system, or, in WebAssembly with shared memory, whoever lends them.

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
pub use lent::lend_thread;
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
pub(crate) use lent::start;
#[cfg(not(all(target_family = "wasm", target_feature = "atomics")))]
pub(crate) use system::start;

/// Waits until a thread's work has ended.
pub(crate) type Join = Box<dyn FnOnce() + Send + Sync>;

/// The system's threads.
#[cfg(not(all(target_family = "wasm", target_feature = "atomics")))]
mod system {
    use std::io;
    use std::thread;

    use crate::threads::Join;

    /// Runs `life` on a thread of its own.
    pub(crate) fn start(name: String, life: impl FnOnce() + Send + 'static) -> io::Result<Join> {
        let thread = thread::Builder::new().name(name).spawn(life)?;
        // A worker catches panics, so it always ends in order.
        Ok(Box::new(move || drop(thread.join())))
    }
}

/// Threads of a host that starts them itself: a browser's workers, which share the module's memory.
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
mod lent {
    use std::collections::VecDeque;
    use std::io;
    use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use crate::threads::Join;

    /// How long a thread that was promised is waited for: on a machine with other work it comes late.
    const PATIENCE: Duration = Duration::from_secs(60);

    type Life = Box<dyn FnOnce() + Send>;

    /// What waits for a thread, and how many threads wait for work.
    struct Market {
        lives: VecDeque<Life>,
        n_idle: usize,
    }

    static MARKET: Mutex<Market> = Mutex::new(Market { lives: VecDeque::new(), n_idle: 0 });
    static CHANGED: Condvar = Condvar::new();

    fn market() -> MutexGuard<'static, Market> {
        MARKET.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the calling thread to the pools of this module, for as long as the thread lives.
    pub fn lend_thread() -> ! {
        loop {
            let mut market = market();
            market.n_idle += 1;
            CHANGED.notify_all();
            let life = loop {
                if let Some(life) = market.lives.pop_front() {
                    break life;
                }
                market = CHANGED.wait(market).unwrap_or_else(PoisonError::into_inner);
            };
            market.n_idle -= 1;
            drop(market);
            life();
        }
    }

    /// Runs `life` on a thread that was lent.
    pub(crate) fn start(name: String, life: impl FnOnce() + Send + 'static) -> io::Result<Join> {
        let mut market = market();
        while market.n_idle <= market.lives.len() {
            let (held, waited) =
                CHANGED.wait_timeout(market, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            market = held;
            if waited.timed_out() {
                return Err(io::Error::other(format!("nobody has lent a thread for {name}")));
            }
        }
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = Arc::clone(&ended);
        market.lives.push_back(Box::new(move || {
            life();
            *theirs.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            theirs.1.notify_all();
        }));
        CHANGED.notify_all();
        Ok(Box::new(move || {
            let is_over = ended.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(ended.1.wait_while(is_over, |is_over| !*is_over));
        }))
    }
}
