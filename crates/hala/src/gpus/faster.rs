//! Whether a GPU or the CPU decodes a model faster: what was measured of each, and what follows.

use std::time::Duration;

use super::ledger::Verdict;
use crate::unfit::Unfit;

/// The CPU must need no more than this part of the GPU's time: it is wanted for other things too, and a measurement is not exact.
const WORTH_A_CHANGE: f64 = 0.9;

/// What follows from the time of a token on each.
pub(crate) fn verdict(gpu: Duration, cpu: Duration) -> Verdict {
    let [gpu_seconds, cpu_seconds] = [gpu, cpu].map(|time| time.as_secs_f64());
    match cpu_seconds <= WORTH_A_CHANGE * gpu_seconds {
        true => Verdict::Unfit(Unfit::SlowerThanCpu { gpu_seconds, cpu_seconds }),
        false => Verdict::Faster { gpu_seconds, cpu_seconds },
    }
}

/// Bytes that the system could give to programs now, where that is known.
pub(crate) fn available_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The largest model that is held twice on a machine of which nothing is known.
const LARGEST_UNKNOWN: usize = 1 << 30;

/// Whether a model's weights may be in memory once more while it is measured.
pub(crate) fn has_room(weight_bytes: usize, available: Option<usize>) -> bool {
    match available {
        Some(available) => weight_bytes + weight_bytes / 4 <= available,
        None => weight_bytes <= LARGEST_UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_takes_over_where_it_is_faster_by_more_than_a_measurement_may_be_wrong() {
        let is_cpu = |gpu, cpu| {
            let verdict = verdict(Duration::from_millis(gpu), Duration::from_millis(cpu));
            matches!(verdict, Verdict::Unfit(_))
        };
        assert_eq!(
            [is_cpu(100, 30), is_cpu(100, 89), is_cpu(100, 95), is_cpu(20, 80)],
            [true, true, false, false]
        );
        let found = verdict(Duration::from_millis(200), Duration::from_millis(50));
        assert_eq!(found, Verdict::Unfit(Unfit::SlowerThanCpu { gpu_seconds: 0.2, cpu_seconds: 0.05 }));
    }

    #[test]
    fn a_model_is_held_twice_only_where_there_is_room() {
        let gigabyte = 1 << 30;
        assert!(has_room(gigabyte, Some(2 * gigabyte)) && !has_room(gigabyte, Some(gigabyte)));
        assert!(has_room(gigabyte, None) && !has_room(2 * gigabyte, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_how_much_memory_there_is() {
        assert!(available_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
