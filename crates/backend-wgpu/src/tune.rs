//! Measuring the ways that the products of a Plan can go, and choosing.

use std::collections::BTreeMap;
use std::sync::Arc;

use hala_plan::{Backend, BackendError, Cancel, Plan, StepInput};

use crate::backend::WgpuBackend;
use crate::choices::Choices;
use crate::choose::{Question, Way};
use crate::state::State;
use crate::weight::Weight;

/// How much faster than the table's own choice another must be, so that noise changes nothing.
const WORTH_A_CHANGE: f64 = 0.97;

/// What is tuned.
#[derive(Debug)]
pub struct Tuning<'a> {
    /// The Plan whose products are measured.
    pub plan: &'a Plan,
    /// Weights by their ids.
    pub weights: &'a [Weight],
    /// A state, which is overwritten.
    pub state: &'a mut State,
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

/// The ways of a question, and how long each took.
struct Measured {
    ways: Vec<Way>,
    seconds: Vec<f64>,
}

impl WgpuBackend {
    /// Measures, by the device's clock, each way that the products of a Plan can go; `progress` is told of runs done and of
    /// all that there are. What was measured is not used before [`WgpuBackend::use_choices`] has it.
    ///
    /// # Errors
    /// A device without a clock, or one that was lost; no memory; cancellation.
    pub async fn tune(
        &self,
        mut tuning: Tuning<'_>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Trial>, BackendError> {
        let in_use = self.gpu.choices();
        let trials = self.trials(&mut tuning, &mut progress).await;
        self.gpu.set_choices(in_use);
        trials
    }

    async fn trials(
        &self,
        tuning: &mut Tuning<'_>,
        progress: &mut impl FnMut(usize, usize),
    ) -> Result<Vec<Trial>, BackendError> {
        let mut found: BTreeMap<String, Measured> = BTreeMap::new();
        let (mut round, mut n_rounds) = (0, 1);
        // In each round every product goes the next of its ways; the first round is the untuned Plan and finds them.
        while round < n_rounds {
            let next = |m: &Measured| m.ways.get(round).or(m.ways.last()).map(ToString::to_string);
            let ways = found.iter().filter_map(|(question, m)| Some((question.clone(), next(m)?)));
            self.gpu.set_choices(Arc::new(Choices { ways: ways.collect(), ..Choices::default() }));
            let mut prepared = self.prepare(tuning.plan, tuning.weights, tuning.state).await?;
            if round == 0 {
                let asked = prepared.asked.iter();
                found = asked.map(|(_, q)| (q.to_string(), self.unmeasured(q))).collect();
                n_rounds = found.values().map(|m| m.ways.len()).max().unwrap_or(0);
            }
            let n_runs = tuning.n_runs.max(1) + 1;
            let mut least = vec![f64::INFINITY; tuning.plan.steps().len()];
            for run in 0..n_runs {
                let sums = self.step_seconds(tuning, &mut prepared).await?;
                if run > 0 {
                    least.iter_mut().zip(sums).for_each(|(least, sum)| *least = least.min(sum));
                }
                progress(round * n_runs + run + 1, n_rounds * n_runs);
            }
            for (question, measured) in &mut found {
                let steps = prepared.asked.iter().filter(|(_, q)| q.to_string() == *question);
                let seconds: Vec<f64> = steps.map(|(step, _)| least[*step]).collect();
                measured.seconds.push(seconds.iter().sum::<f64>() / seconds.len().max(1) as f64);
            }
            round += 1;
        }
        Ok(found.iter().flat_map(|(question, measured)| measured.trials(question)).collect())
    }

    fn unmeasured(&self, question: &Question) -> Measured {
        Measured { ways: question.ways(self.gpu.abilities), seconds: Vec::new() }
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
        let ids = vec![0; tuning.plan.n_tokens()];
        let input = StepInput { ids: &ids, position: 0, cancel: tuning.cancel };
        let mut sums = vec![0.0; tuning.plan.steps().len()];
        for timing in self.profile(prepared, tuning.state, input).await? {
            sums[timing.step] += timing.seconds;
        }
        Ok(sums)
    }
}

impl Measured {
    fn trials(&self, question: &str) -> Vec<Trial> {
        let chosen = chosen(&self.seconds[..self.ways.len()]);
        let trial = |(i, (way, seconds)): (usize, (&Way, &f64))| Trial {
            question: question.to_owned(),
            way: way.to_string(),
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
    fn the_fastest_way_is_chosen_where_it_is_worth_a_change() {
        assert_eq!(chosen(&[1.0, 0.5, 0.7]), 1);
        assert_eq!(chosen(&[1.0, 0.99, 0.98]), 0);
        assert_eq!(chosen(&[0.5, 1.0]), 0);
        assert_eq!(chosen(&[]), 0);
    }
}
