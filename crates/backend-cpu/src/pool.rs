//! The threads that share the work of one op: they spin between ops, and sleep when none comes.

use std::cell::UnsafeCell;
use std::fmt;
use std::hint;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use hala_plan::BackendError;

use crate::shared::Shared;
use crate::spans::Spans;
use crate::threads::{self, Join};

/// Turns that an idle worker waits for the next op before it sleeps: some 100 µs, longer than the gaps between the
/// ops of one token, which number about a hundred and would each pay for a wake-up.
const N_SPINS: usize = 5_000;

/// Turns that the caller waits for its workers before it offers its core to others each time.
const N_SPINS_BEFORE_YIELD: usize = 2_000;

/// What a region runs on each thread, given the thread's index.
type Work = dyn Fn(usize) + Sync;

/// A fixed set of threads; with one, everything runs on the caller's.
pub(crate) struct Pool {
    region: Arc<Region>,
    workers: Vec<Join>,
    /// Held while a region runs, because sessions on several threads may share the pool.
    turn: Mutex<()>,
}

/// Whether workers may come in, in the gate's lowest bit; above it is how many are in.
const OPEN: usize = 1;
const ONE_IN: usize = 2;

/// What the caller and the workers share.
struct Region {
    /// Counts the regions; a worker runs each number once at most.
    number: AtomicUsize,
    /// The work of the current number; written while the gate is closed and nobody is in.
    work: UnsafeCell<Option<*const Work>>,
    /// Who comes in after the caller has done all that was left finds it closed, and is not waited for: on a busy machine a worker may
    /// have no core for as long as many ops take.
    gate: AtomicUsize,
    n_asleep: AtomicUsize,
    sleepers: Mutex<()>,
    wake: Condvar,
    stop: AtomicBool,
    panicked: AtomicBool,
}

// SAFETY: `work` is written by the one caller that holds `turn`, while the gate is closed and nobody is in; workers read it after they
// came in through the open gate (release, acquire) and before they leave. What it points to is `Sync`.
unsafe impl Sync for Region {}
// SAFETY: as above; the pointer is not tied to the thread that made it.
unsafe impl Send for Region {}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("n_threads", &self.n_threads()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts threads, so that `n_threads` (at least 1) work at once, the caller among them.
    pub(crate) fn new(n_threads: usize) -> Result<Self, BackendError> {
        let region = Arc::new(Region {
            number: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            gate: AtomicUsize::new(0),
            n_asleep: AtomicUsize::new(0),
            sleepers: Mutex::new(()),
            wake: Condvar::new(),
            stop: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let mut pool = Self { region, workers: Vec::new(), turn: Mutex::new(()) };
        for i in 1..n_threads {
            let region = Arc::clone(&pool.region);
            let worker = threads::start(format!("hala-{i}"), move || region.work_on(i));
            let refused =
                |e| BackendError::Unavailable { backend: "cpu", reason: format!("no thread {i}: {e}") };
            pool.workers.push(worker.map_err(refused)?);
        }
        Ok(pool)
    }

    /// Threads that work at once.
    pub(crate) fn n_threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Shares `0..n` out in pieces of at most `piece`, as [`Spans`] says; each thread calls `work` with its own of the `locals`.
    ///
    /// # Panics
    /// Fewer locals than threads, or a panic in `work`.
    pub(crate) fn share<L: Send>(
        &self,
        locals: &mut [L],
        n: usize,
        piece: usize,
        work: impl Fn(&mut L, Range<usize>) + Sync,
    ) {
        assert!(locals.len() >= self.n_threads(), "a local for each thread");
        let piece = piece.max(1);
        if self.workers.is_empty() || n <= piece {
            let local = &mut locals[0];
            (0..n).step_by(piece).for_each(|start| work(local, start..n.min(start + piece)));
            return;
        }
        let spans = Spans::new(n, self.n_threads(), piece);
        let locals = Shared::new(locals);
        self.region(&|thread_idx| {
            // SAFETY: each thread has an index of its own, so no two hold the same local.
            let local = unsafe { &mut locals.part(thread_idx..thread_idx + 1)[0] };
            while let Some(range) = spans.take(thread_idx) {
                work(local, range);
            }
        });
    }

    /// Runs `work` on this thread and on those workers that come before it is done here, and returns when all of these are.
    fn region(&self, work: &(dyn Fn(usize) + Sync + '_)) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let region = &*self.region;
        // SAFETY: only the lifetime is dropped; workers use the pointer while they are in, and `finish` closes the gate and
        // waits until nobody is before this function returns, unwinding included.
        let erased = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const Work>(work) };
        // SAFETY: this thread holds `turn`, the gate is closed and nobody is in, so nothing else looks at the cell.
        unsafe { *region.work.get() = Some(erased) };
        region.gate.store(OPEN, Ordering::Release);
        // Sequentially consistent, as in `wait`: either a worker sees the number, or it is seen asleep here.
        region.number.fetch_add(1, Ordering::SeqCst);
        if region.n_asleep.load(Ordering::SeqCst) > 0 {
            let _sleepers = region.lock_sleepers();
            region.wake.notify_all();
        }
        let own = panic::catch_unwind(AssertUnwindSafe(|| work(0)));
        region.finish();
        let theirs = region.panicked.swap(false, Ordering::Relaxed);
        if let Err(payload) = own {
            panic::resume_unwind(payload);
        }
        assert!(!theirs, "a worker thread panicked: its message is above");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.region.stop.store(true, Ordering::SeqCst);
        {
            let _sleepers = self.region.lock_sleepers();
            self.region.wake.notify_all();
        }
        self.workers.drain(..).for_each(|join| join());
    }
}

impl Region {
    fn lock_sleepers(&self) -> MutexGuard<'_, ()> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a worker.
    fn work_on(&self, thread_idx: usize) {
        let mut seen = 0;
        while self.wait(seen) {
            seen = self.number.load(Ordering::Acquire);
            if !self.come_in() {
                continue;
            }
            // The region that is open now, which may be a later one than was waited for.
            seen = self.number.load(Ordering::Acquire);
            // SAFETY: this thread came in, so the caller has written the work and waits until it is out.
            let work = unsafe { (*self.work.get()).map(|work| &*work) };
            let run = || work.map(|work| work(thread_idx));
            if panic::catch_unwind(AssertUnwindSafe(run)).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.gate.fetch_sub(ONE_IN, Ordering::Release);
        }
    }

    /// Takes part in the region that is open; `false` where there is none.
    fn come_in(&self) -> bool {
        let one_more = |gate: usize| (gate & OPEN != 0).then(|| gate + ONE_IN);
        self.gate.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok()
    }

    /// Waits for another number than `seen`; false where the pool ends.
    fn wait(&self, seen: usize) -> bool {
        for _ in 0..N_SPINS {
            if self.number.load(Ordering::Acquire) != seen {
                return true;
            }
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            hint::spin_loop();
        }
        let mut sleepers = self.lock_sleepers();
        self.n_asleep.fetch_add(1, Ordering::SeqCst);
        while self.number.load(Ordering::SeqCst) == seen && !self.stop.load(Ordering::SeqCst) {
            sleepers = self.wake.wait(sleepers).unwrap_or_else(PoisonError::into_inner);
        }
        self.n_asleep.fetch_sub(1, Ordering::SeqCst);
        self.number.load(Ordering::Acquire) != seen
    }

    /// Closes the gate, and waits until nobody is in.
    fn finish(&self) {
        let mut n_spins = 0;
        self.gate.fetch_and(!OPEN, Ordering::AcqRel);
        while self.gate.load(Ordering::Acquire) > 0 {
            n_spins += 1;
            if n_spins < N_SPINS_BEFORE_YIELD {
                hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_worked_on_once() {
        for n_threads in [1, 2, 5] {
            let pool = Pool::new(n_threads).unwrap();
            let mut locals = vec![Vec::new(); n_threads];
            for (n, piece) in [(0, 1), (1, 1), (31, 4), (1025, 7)] {
                locals.iter_mut().for_each(Vec::clear);
                pool.share(&mut locals, n, piece, |local, range| local.extend(range));
                let mut all: Vec<usize> = locals.concat();
                all.sort_unstable();
                assert_eq!(all, (0..n).collect::<Vec<_>>(), "{n_threads} threads");
            }
        }
    }

    #[test]
    fn workers_that_fell_asleep_wake_up() {
        let pool = Pool::new(3).unwrap();
        let mut locals = [0; 3];
        for _ in 0..5 {
            thread::sleep(std::time::Duration::from_millis(5));
            pool.share(&mut locals, 100, 1, |n, range| *n += range.len());
        }
        assert_eq!(locals.iter().sum::<usize>(), 500);
    }

    #[test]
    fn a_worker_that_never_comes_is_not_waited_for() {
        let mut pool = Pool::new(1).unwrap();
        // As where another program has its core.
        pool.workers.push(Box::new(|| ()));
        let mut locals = [0; 2];
        (0..3).for_each(|_| pool.share(&mut locals, 100, 1, |n, range| *n += range.len()));
        assert_eq!(locals, [300, 0]);
    }

    #[test]
    fn callers_on_two_threads_take_turns() {
        let pool = Pool::new(2).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut locals = [0; 2];
                    (0..200).for_each(|_| pool.share(&mut locals, 10, 1, |n, range| *n += range.len()));
                    assert_eq!(locals.iter().sum::<usize>(), 2000);
                });
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2).unwrap();
        let mut locals = [0; 2];
        let fail = AssertUnwindSafe(|| pool.share(&mut locals, 64, 1, |_, range| assert!(range.start != 40)));
        assert!(panic::catch_unwind(fail).is_err());
        pool.share(&mut locals, 64, 1, |n, range| *n += range.len());
        assert_eq!(locals.iter().sum::<usize>(), 64);
    }
}
