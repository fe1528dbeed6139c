//! Measuring the ways that the products of a Plan can go, and choosing.

use std::collections::BTreeMap;
use std::sync::Arc;

use hala_plan::{Backend, BackendError, Cancel, PAGE, Plan, Rows, Span};

use crate::backend::WgpuBackend;
use crate::choices::Choices;
use crate::choose::Layout;
use crate::state::States;
use crate::weight::Weight;

/// How much faster than the table's own choice another must be, so that noise changes nothing.
const WORTH_A_CHANGE: f64 = 0.97;

/// How much slower than the best a way is not tried again.
const HOPELESS: f64 = 2.0;

/// What is tuned.
#[derive(Debug)]
pub struct Tuning<'a> {
    /// The Plan whose products are measured.
    pub plan: &'a Plan,
    /// Weights by their ids.
    pub weights: &'a [Weight],
    /// A pool of states, whose first pages and whose slot after the empty one are overwritten.
    pub states: &'a mut States,
    /// Runs of each way, after one that warms up.
    pub n_runs: usize,
    /// Looked at between runs.
    pub cancel: &'a Cancel,
}

/// One way of one product, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The product: `matmul.norm int8 T=1 1024→3072`.
    pub question: String,
    /// The way.
    pub way: String,
    /// Seconds of one step: the least of the runs, the mean of the Plan's steps.
    pub seconds: f64,
    /// Whether this way goes untuned.
    pub is_default: bool,
    /// Whether it is the one to go.
    pub is_chosen: bool,
}

/// A device whose Plans are recorded and prepared as an untuned device's, until this is dropped: what goes by choices that were measured
/// before hides the ways that these closed.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Untuned<'a> {
    gpu: &'a WgpuBackend,
    in_use: Arc<Choices>,
}

impl Drop for Untuned<'_> {
    fn drop(&mut self) {
        self.gpu.set_choices(Arc::clone(&self.in_use));
    }
}

/// The ways of a question, and how long each took.
struct Measured {
    /// The steps that ask it.
    steps: Vec<usize>,
    ways: Vec<Layout>,
    seconds: Vec<f64>,
}

impl WgpuBackend {
    /// Puts the choices in use aside until what this gives is dropped: for recording Plans that are to be measured.
    pub fn untuned(&self) -> Untuned<'_> {
        let in_use = self.choices();
        self.set_choices(Arc::default());
        Untuned { gpu: self, in_use }
    }

    /// Measures, by the device's clock, each way that the products of a Plan can go; `progress` is told of runs done and of
    /// all that there are. The Plan is one that was recorded on an [untuned](WgpuBackend::untuned) device. What was measured is not used
    /// before [`WgpuBackend::use_choices`] has it.
    ///
    /// # Errors
    /// A device without a clock, or one that was lost; no memory; cancellation.
    pub async fn tune(
        &self,
        mut tuning: Tuning<'_>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Trial>, BackendError> {
        let _untuned = self.untuned();
        self.trials(&mut tuning, &mut progress).await
    }

    async fn trials(
        &self,
        tuning: &mut Tuning<'_>,
        progress: &mut impl FnMut(usize, usize),
    ) -> Result<Vec<Trial>, BackendError> {
        let mut found: BTreeMap<String, Measured> = BTreeMap::new();
        let n_runs = tuning.n_runs.max(1);
        let (mut round, mut n_rounds) = (0, 1);
        // In each round every product goes the next of its ways; the first round is the untuned Plan and finds them.
        while round < n_rounds {
            let next = |m: &Measured| m.ways.get(round).or(m.ways.last()).map(|way| way.name().to_owned());
            let ways = found.iter().filter_map(|(question, m)| Some((question.clone(), next(m)?)));
            self.set_choices(Arc::new(Choices { ways: ways.collect(), ..Choices::default() }));
            let mut prepared = self.prepare(tuning.plan, tuning.weights).await?;
            if round == 0 {
                for (step, question) in &prepared.asked {
                    let ways = || question.layouts(self.gpu.abilities).collect();
                    let measured = || Measured { steps: Vec::new(), ways: ways(), seconds: Vec::new() };
                    found.entry(question.to_string()).or_insert_with(measured).steps.push(*step);
                }
                n_rounds = found.values().map(|m| m.ways.len()).max().unwrap_or(0);
            }
            // The first run warms up: some drivers compile a kernel when it first runs.
            self.step_seconds(tuning, &mut prepared).await?;
            let mut least = vec![f64::INFINITY; tuning.plan.steps().len()];
            for run in 0..n_runs {
                progress(round * n_runs + run, n_rounds * n_runs);
                let sums = self.step_seconds(tuning, &mut prepared).await?;
                least.iter_mut().zip(sums).for_each(|(least, sum)| *least = least.min(sum));
                if found.values().all(|m| m.is_hopeless(round, &least)) {
                    break;
                }
            }
            for measured in found.values_mut() {
                measured.seconds.push(measured.mean(&least));
            }
            round += 1;
            progress(round * n_runs, n_rounds * n_runs);
        }
        Ok(found.iter().flat_map(|(question, measured)| measured.trials(question)).collect())
    }

    /// Seconds of each step in one run.
    async fn step_seconds(
        &self,
        tuning: &mut Tuning<'_>,
        prepared: &mut <Self as Backend>::Prepared,
    ) -> Result<Vec<f64>, BackendError> {
        if tuning.cancel.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        let n_rows = tuning.plan.n_tokens();
        let ids = vec![0; n_rows];
        let pages = |n_pages: &usize| (0..n_rows.div_ceil(PAGE).min(*n_pages) as u32).collect();
        let tables: Vec<Vec<u32>> = tuning.states.size.n_pages.iter().map(pages).collect();
        let spans = [Span { n_rows, position: 0, slot: 1, tables: &tables }];
        let wanted: Vec<u32> = (0..tuning.plan.n_wanted().min(n_rows) as u32).collect();
        let rows = Rows { ids: &ids, spans: &spans, wanted: &wanted, cancel: tuning.cancel };
        let mut sums = vec![0.0; tuning.plan.steps().len()];
        for timing in self.profile(prepared, tuning.states, rows).await? {
            sums[timing.step] += timing.seconds;
        }
        Ok(sums)
    }
}

impl Measured {
    /// The mean of the steps that ask, of the seconds of all steps.
    fn mean(&self, seconds: &[f64]) -> f64 {
        self.steps.iter().map(|step| seconds[*step]).sum::<f64>() / self.steps.len() as f64
    }

    /// Whether the way of this round is so slow that it needs no further run, or there is none.
    fn is_hopeless(&self, round: usize, seconds: &[f64]) -> bool {
        let best = self.seconds.iter().copied().fold(f64::INFINITY, f64::min);
        round >= self.ways.len() || self.mean(seconds) > HOPELESS * best
    }

    fn trials(&self, question: &str) -> Vec<Trial> {
        let chosen = chosen(&self.seconds[..self.ways.len()]);
        let trial = |(i, (way, seconds)): (usize, (&Layout, &f64))| Trial {
            question: question.to_owned(),
            way: way.name().to_owned(),
            seconds: *seconds,
            is_default: i == 0,
            is_chosen: i == chosen,
        };
        self.ways.iter().zip(&self.seconds).enumerate().map(trial).collect()
    }
}

/// Index of the way to go: the fastest, or the first where none is worth a change.
fn chosen(seconds: &[f64]) -> usize {
    let fastest = (0..seconds.len()).min_by(|a, b| seconds[*a].total_cmp(&seconds[*b])).unwrap_or(0);
    match (seconds.get(fastest), seconds.first()) {
        (Some(best), Some(first)) if *best < first * WORTH_A_CHANGE => fastest,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_much_slower_is_hopeless() {
        let measured = Measured { steps: vec![0, 2], ways: vec![Layout::Lanes; 2], seconds: vec![1.0] };
        assert!(!measured.is_hopeless(1, &[1.5, 9.0, 2.5]));
        assert!(measured.is_hopeless(1, &[1.5, 0.0, 2.6]));
        assert!(measured.is_hopeless(2, &[0.1, 0.1, 0.1]));
        let first = Measured { seconds: Vec::new(), ..measured };
        assert!(!first.is_hopeless(0, &[9.0, 9.0, 9.0]));
    }

    #[test]
    fn the_fastest_way_is_chosen_where_it_is_worth_a_change() {
        assert_eq!(chosen(&[1.0, 0.5, 0.7]), 1);
        assert_eq!(chosen(&[1.0, 0.99, 0.98]), 0);
        assert_eq!(chosen(&[0.5, 1.0]), 0);
        assert_eq!(chosen(&[]), 0);
    }
}
