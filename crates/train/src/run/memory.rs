//! What a run takes of memory, and what is free.

use hala_weights::Checkpoint;

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::learn::{Estimate, LearnerOptions};
use crate::run::learning::learner_options;
use crate::run_fault::RunFault;

/// Bytes that a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Elements of all parameters.
    pub n_parameters: usize,
    /// Of parameters, gradients and both moments.
    pub state_bytes: usize,
    /// Of activations and their gradients.
    pub activation_bytes: usize,
    /// Of averages, of the model that answers held-out rows, and of what is written.
    pub other_bytes: usize,
}

impl Needs {
    /// What a run takes.
    ///
    /// # Errors
    /// A model that cannot be trained, or options that do not fit it.
    pub fn of(config: &TrainConfig, checkpoint: &Checkpoint) -> Result<Self, TrainError> {
        Self::with(config, checkpoint, &learner_options(config, checkpoint)?)
    }

    fn with(
        config: &TrainConfig,
        checkpoint: &Checkpoint,
        options: &LearnerOptions,
    ) -> Result<Self, TrainError> {
        let Estimate { n_parameters, state_bytes, activation_bytes } = Estimate::of(checkpoint, options)?;
        let saved = config.save_as.bytes();
        // An average with the values beside it; the model that answers with its file; one buffer while it is written.
        let average = if config.ema > 0.0 { 8 } else { 0 };
        let answers = if config.samples > 0 { 2 * saved } else { 0 };
        let other_bytes = n_parameters * (average + answers.max(4));
        Ok(Self { n_parameters, state_bytes, activation_bytes, other_bytes })
    }

    /// All bytes.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.state_bytes + self.activation_bytes + self.other_bytes
    }

    /// Refuses a run that takes more than `available` bytes, and says what would fit.
    ///
    /// # Errors
    /// It does not fit.
    pub fn check(
        config: &TrainConfig,
        checkpoint: &Checkpoint,
        available: usize,
    ) -> Result<Self, TrainError> {
        let needs = Self::of(config, checkpoint)?;
        if needs.n_bytes() <= available {
            return Ok(needs);
        }
        let advice = advice(config, checkpoint, available)?;
        let [needed, available] = [needs.n_bytes(), available].map(words);
        Err(RunFault::Memory { needed, available, advice }.into())
    }
}

/// What would fit: recomputation, fewer rows, or both.
fn advice(config: &TrainConfig, checkpoint: &Checkpoint, available: usize) -> Result<String, TrainError> {
    let mut rows = config.batch_rows;
    while rows >= 64 {
        for recompute in [config.recompute, true] {
            let other = TrainConfig {
                recompute,
                batch_rows: rows,
                context: config.context.map(|context| context.min(rows)),
                ..config.clone()
            };
            let needs = Needs::of(&other, checkpoint)?;
            if needs.n_bytes() <= available {
                let recompute = if recompute && !config.recompute { "`recompute: true` " } else { "" };
                let fewer =
                    if rows < config.batch_rows { format!("`batch_rows: {rows}` ") } else { String::new() };
                let and = if recompute.is_empty() || fewer.is_empty() { "" } else { "and " };
                return Ok(format!("; {recompute}{and}{fewer}would take {}", words(needs.n_bytes())));
            }
        }
        rows /= 2;
    }
    Ok("; not even `recompute: true` and few `batch_rows` would fit: take a smaller model".to_owned())
}

/// Bytes of memory that are free on this machine and within the limit of this process's group; `None` where the system does not tell.
#[must_use]
pub(super) fn available() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let free = meminfo(&text)?;
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    Some(limit.map_or(free, |limit| free.min(limit.saturating_sub(used))))
}

/// The line `MemAvailable:  123 kB`.
fn meminfo(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? * 1024)
}

fn words(n_bytes: usize) -> String {
    match n_bytes {
        n if n < 1_000_000_000 => format!("{:.0} MB", n as f64 / 1e6),
        n => format!("{:.1} GB", n as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_in_bytes() {
        assert_eq!(meminfo("MemTotal: 9 kB\nMemAvailable:   123 kB\n"), Some(125_952));
        assert_eq!(meminfo("MemTotal: 9 kB\n"), None);
        assert_eq!([5_000_000, 2_340_000_000].map(words), ["5 MB", "2.3 GB"]);
    }
}
