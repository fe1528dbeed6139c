//! What took how long.

use std::time::{Duration, Instant};

/// How many of the slowest are named.
const N_SLOWEST: usize = 10;

/// What takes less is not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// What took how long.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<(String, Duration)>);

impl Times {
    /// Does some work, and notes how long it takes.
    pub(crate) fn take<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.note(name, start.elapsed());
        done
    }

    pub(crate) fn note(&mut self, name: &str, time: Duration) {
        self.0.push((name.to_owned(), time));
    }

    /// What took so long, in its order, and all of it together, in a line; nothing where it is not worth a word.
    pub(crate) fn in_order(&self) -> String {
        let worth: Vec<_> = self.0.iter().filter(|(_, time)| *time >= WORTH_TELLING).map(named).collect();
        let all: Duration = self.0.iter().map(|(_, time)| *time).sum();
        if worth.is_empty() {
            String::new()
        } else {
            format!("took {:.0} s: {}\n", all.as_secs_f64(), worth.join("; "))
        }
    }

    /// The slowest, slowest first, in a line; `None` where nothing is worth a word.
    pub(crate) fn slowest(&self) -> Option<String> {
        let mut all: Vec<_> = self.0.iter().filter(|(_, time)| *time >= WORTH_TELLING).collect();
        all.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        let names: Vec<_> = all.into_iter().take(N_SLOWEST).map(named).collect();
        (!names.is_empty()).then(|| names.join("; "))
    }
}

fn named((name, time): &(String, Duration)) -> String {
    format!("{name} {:.0} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_in_their_order_with_their_sum() {
        let mut times = Times::default();
        assert_eq!(times.in_order(), "");
        for (name, seconds) in [("one", 3.0), ("quick", 0.6), ("two", 70.0)] {
            times.note(name, Duration::from_secs_f64(seconds));
        }
        assert_eq!(times.in_order(), "took 74 s: one 3 s; two 70 s\n");
    }

    #[test]
    fn the_slowest_come_first_and_the_quick_are_not_named() {
        let mut times = Times::default();
        assert_eq!(times.slowest(), None);
        for (name, seconds) in [("quick", 0.1), ("slow", 3.6), ("slower", 70.0)] {
            times.note(name, Duration::from_secs_f64(seconds));
        }
        assert_eq!(times.slowest().as_deref(), Some("slower 70 s; slow 4 s"));
        assert_eq!(times.take("work", || 7), 7);
    }
}
