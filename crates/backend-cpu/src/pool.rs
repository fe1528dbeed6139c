//! The threads that share the work of one op.

use hala_plan::BackendError;

/// A fixed set of threads; with one, everything runs on the caller's.
#[derive(Debug)]
pub(crate) struct Pool {
    threads: Option<rayon::ThreadPool>,
    n_threads: usize,
}

impl Pool {
    /// Starts `n_threads` threads, at least 1.
    pub(crate) fn new(n_threads: usize) -> Result<Self, BackendError> {
        let n_threads = n_threads.max(1);
        let build = || {
            rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .thread_name(|i| format!("hala-{i}"))
                .build()
                .map_err(|e| BackendError::Unavailable { backend: "cpu", reason: e.to_string() })
        };
        let threads = if n_threads > 1 { Some(build()?) } else { None };
        Ok(Self { threads, n_threads })
    }

    /// Threads that work at once.
    pub(crate) fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// Runs `work` where parallel iterators use these threads.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.threads {
            Some(threads) => threads.install(work),
            None => work(),
        }
    }
}
