//! How much of a prompt goes into one submission, so that none takes long: systems reset GPUs that are busy for seconds, and a phone's screen waits for
//! the same GPU.
//!
//! The first submission is small. Each is waited for and timed, and the next ones are as large as what was seen allows. What a step costs is
//! counted in operations; how long an operation takes is what is learnt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hala_plan::{Plan, Step};

/// A submission should take no longer.
const TARGET: Duration = Duration::from_millis(100);

/// A submission's own time, whatever is in it: to be told of it, and to wake.
const OVERHEAD: Duration = Duration::from_millis(1);

/// The cost of the first submission: 5 ms of a GPU of 20 GFLOP/s, the slowest that runs WebGPU.
const FIRST: f64 = 1e8;

/// The most by which a submission may cost more than what was allowed for the one before.
const GROWTH: f64 = 4.0;

/// Submissions that are remembered; the slowest of them counts, since GPUs slow down as they get warm.
const N_REMEMBERED: usize = 4;

/// Operations in the time that a GPU takes to read a byte: 400 GFLOP/s beside 50 GB/s, as phones have.
const OPERATIONS_A_BYTE: f64 = 8.0;

/// The cost of a step that neither reads nor computes much.
const STEP: f64 = 1e5;

/// What a step of a Plan costs that begins at `position`, in operations.
pub(crate) fn cost(plan: &Plan, step: &Step, position: usize) -> f64 {
    let work = plan.work(step, position);
    STEP + work.n_flops as f64 + OPERATIONS_A_BYTE * work.n_bytes as f64
}

/// What is known of a GPU's speed, and what follows for the next submission.
#[derive(Debug)]
pub(crate) struct Pace {
    /// What the next submission may cost.
    room: f64,
    /// Seconds for an operation in the last submissions.
    rates: [f64; N_REMEMBERED],
    n_noted: usize,
    /// The costliest step for one row of a prompt.
    costliest: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { room: FIRST, rates: [0.0; N_REMEMBERED], n_noted: 0, costliest: 0.0 }
    }
}

impl Pace {
    /// The end of the steps that go with the first of these; one at least.
    pub(crate) fn n_steps(&self, costs: &[f64]) -> usize {
        let mut sum = 0.0;
        let fits = |cost: &&f64| {
            sum += **cost;
            sum <= self.room
        };
        costs.iter().take_while(fits).count().max(1)
    }

    /// Learns from a submission of this cost.
    pub(crate) fn note(&mut self, cost: f64, time: Duration) {
        let seconds = time.saturating_sub(OVERHEAD).as_secs_f64();
        self.rates[self.n_noted % N_REMEMBERED] = seconds / cost;
        self.n_noted += 1;
        let slowest = self.rates.iter().copied().fold(0.0, f64::max);
        self.room = (TARGET.as_secs_f64() / slowest).min(GROWTH * self.room).min(f64::MAX);
    }

    /// Learns what the steps of a run of `n_rows` rows cost.
    pub(crate) fn see(&mut self, costs: &[f64], n_rows: usize) {
        self.costliest = costs.iter().copied().fold(0.0, f64::max) / n_rows.max(1) as f64;
    }

    /// The largest of these sizes in which no step takes too long; the smallest at least, and before anything is known.
    pub(crate) fn largest(&self, sizes: &[usize]) -> usize {
        let fits = |n: &&usize| self.costliest > 0.0 && **n as f64 * self.costliest <= self.room;
        sizes.iter().rev().find(fits).or(sizes.first()).copied().unwrap_or(1)
    }
}

/// Tells the time since some moment.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A device's pace, and the clock that it goes by.
pub(crate) struct Paced {
    pace: Mutex<Pace>,
    clock: Clock,
}

impl std::fmt::Debug for Paced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paced").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl Paced {
    /// By a clock.
    pub(crate) fn by(clock: Clock) -> Self {
        Self { pace: Mutex::default(), clock }
    }

    /// By the machine's clock.
    pub(crate) fn new() -> Self {
        let start = Instant::now();
        Self::by(Arc::new(move || start.elapsed()))
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&mut Pace) -> T) -> T {
        use_it(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Plan of a hundred steps of some GFLOP each, on a GPU of so many GFLOP/s; the steps of each submission, and the longest time of one.
    fn run(pace: &mut Pace, gflop: f64, speed: f64) -> (Vec<usize>, Duration) {
        let costs = vec![gflop * 1e9; 100];
        let (mut start, mut counts, mut longest) = (0, Vec::new(), Duration::ZERO);
        while start < costs.len() {
            let n = pace.n_steps(&costs[start..]);
            let cost = costs[start..start + n].iter().sum::<f64>();
            let time = OVERHEAD + Duration::from_secs_f64(cost / (speed * 1e9));
            pace.note(cost, time);
            (start, longest) = (start + n, longest.max(time));
            counts.push(n);
        }
        (counts, longest)
    }

    #[test]
    fn the_first_submission_is_small_and_later_ones_are_as_long_as_they_may() {
        let mut pace = Pace::default();
        let (counts, longest) = run(&mut pace, 0.05, 20.0);
        assert_eq!(counts[..2], [2, 8]);
        assert!(longest <= TARGET + OVERHEAD, "{longest:?}");
        let (counts, longest) = run(&mut pace, 0.05, 20.0);
        assert_eq!(counts, [40, 40, 20]);
        assert!(longest <= TARGET + OVERHEAD, "{longest:?}");
    }

    #[test]
    fn a_fast_gpu_gets_a_whole_plan_at_once_before_long() {
        let mut pace = Pace::default();
        run(&mut pace, 0.05, 5000.0);
        assert_eq!(run(&mut pace, 0.05, 5000.0).0, [100]);
    }

    #[test]
    fn a_gpu_that_slows_down_gets_less_at_once_and_one_that_recovers_gets_more() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            run(&mut pace, 0.05, 80.0);
        }
        assert_eq!(run(&mut pace, 0.05, 80.0).0, [100]);
        // One submission is too long, and none after it.
        assert_eq!(run(&mut pace, 0.05, 20.0).0, [100]);
        assert_eq!(run(&mut pace, 0.05, 20.0).0, [40, 40, 20]);
        for _ in 0..2 {
            run(&mut pace, 0.05, 80.0);
        }
        assert_eq!(run(&mut pace, 0.05, 80.0).0, [100]);
    }

    #[test]
    fn rows_are_as_many_as_leave_no_step_too_long() {
        let mut pace = Pace::default();
        let sizes = [32, 128, 512];
        assert_eq!(pace.largest(&sizes), 32);
        // 20 MFLOP a row: 512 rows are half a second of 20 GFLOP/s, and 128 more than a tenth.
        let mut seen = |speed| {
            for _ in 0..8 {
                run(&mut pace, 0.64, speed);
            }
            pace.see(&[0.64e9, 0.1e9], 32);
            pace.largest(&sizes)
        };
        assert_eq!([20.0, 30.0, 200.0].map(&mut seen), [32, 128, 512]);
    }

    #[test]
    fn a_step_that_is_too_long_by_itself_goes_alone() {
        let mut pace = Pace::default();
        let (counts, _) = run(&mut pace, 10.0, 20.0);
        assert_eq!(counts, [1; 100]);
    }
}
