//! The steps of a model's Plan, each by the device's clock.

use std::collections::BTreeMap;

use anyhow::Result;
use hala_benches::session::{Session, Whose};
use hala_benches::timing;
use hala_plan::{Backend, Plan, Work};

use crate::ceilings::Ceilings;

/// Steps of one kind.
#[derive(Debug)]
struct Row {
    /// The op and its sizes, as `matmul 1024 → 3072`.
    label: String,
    work: Work,
    kernels: String,
    /// Seconds of each.
    seconds: Vec<f64>,
}

/// What is profiled, and how its rows begin.
pub(crate) struct Profiled<'a> {
    pub(crate) name: &'a str,
    pub(crate) plan: &'a Plan,
    /// The Plan's index in the session.
    pub(crate) index: usize,
    /// Tokens before the run.
    pub(crate) position: usize,
    pub(crate) n_runs: usize,
    /// Whose rows are run.
    pub(crate) whose: Whose,
}

/// The head of the table.
pub(crate) fn print_head() {
    println!("\n| model | T | step | kernel | n | µs each | GB/s | GFLOP/s | of the ceiling |");
    println!("|---|---|---|---|---|---|---|---|---|");
}

impl Profiled<'_> {
    /// Prints a row for each kind of step, in the order in which they come.
    pub(crate) fn print<B: Backend>(&self, session: &mut Session<'_, B>, ceilings: Ceilings) -> Result<()> {
        for Row { label, work, kernels, seconds } in self.rows(session)? {
            let Self { name, plan, .. } = self;
            let (n, t) = (seconds.len(), plan.n_tokens());
            let seconds = timing::middle(seconds).max(f64::MIN_POSITIVE);
            let (bytes, flops) = (work.n_bytes as f64 / seconds, work.n_flops as f64 / seconds);
            // A step waits for one or for the other.
            let share = (bytes / ceilings.read).max(flops / ceilings.flops);
            println!(
                "| {name} | {t} | {label} | {kernels} | {n} | {:.0} | {:.2} | {:.1} | {:.0} % |",
                seconds * 1e6,
                bytes / 1e9,
                flops / 1e9,
                100.0 * share
            );
        }
        Ok(())
    }

    fn rows<B: Backend>(&self, session: &mut Session<'_, B>) -> Result<Vec<Row>> {
        let n_steps = self.plan.steps().len();
        let ids = vec![0; self.plan.n_tokens()];
        let mut runs: Vec<Vec<f64>> = vec![Vec::new(); n_steps];
        let mut kernels: Vec<Vec<String>> = vec![Vec::new(); n_steps];
        for run in 0..=self.n_runs {
            let mut sums = vec![0.0; n_steps];
            for timing in session.profile(self.index, &ids, self.position, self.whose)? {
                sums[timing.step] += timing.seconds;
                if !kernels[timing.step].contains(&timing.kernel) {
                    kernels[timing.step].push(timing.kernel);
                }
            }
            // The first run warms up.
            if run > 0 {
                runs.iter_mut().zip(sums).for_each(|(seconds, sum)| seconds.push(sum));
            }
        }
        let mut rows: BTreeMap<String, (usize, Row)> = BTreeMap::new();
        for (i, (seconds, kernels)) in runs.into_iter().zip(kernels).enumerate() {
            let step = &self.plan.steps()[i];
            let work = self.plan.work(step, self.position);
            let label = format!("{} {}", step.op.name(), work.sizes);
            let (key, kernels) = (label.clone(), kernels.join(", "));
            let row = || (i, Row { label, work, kernels, seconds: Vec::new() });
            let (_, row) = rows.entry(key).or_insert_with(row);
            row.seconds.push(timing::middle(seconds));
        }
        let mut rows: Vec<(usize, Row)> = rows.into_values().collect();
        rows.sort_by_key(|(first, _)| *first);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}
