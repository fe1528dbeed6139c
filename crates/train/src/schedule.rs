//! The learning rate along a run: it rises, stays or falls, and ends.

use serde::{Deserialize, Serialize};

/// How the rate goes after it has risen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Half a cosine from the highest rate to the last (Loshchilov and Hutter, arXiv 1608.03983).
    #[default]
    Cosine,
    /// A straight line.
    Linear,
    /// Stays, and falls in a straight line at the end: warm-up, stable, decay (Hu et al., arXiv 2404.06395).
    Wsd,
    /// Stays.
    Constant,
}

/// The learning rate of every step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// How it falls.
    pub shape: Shape,
    /// The highest rate.
    pub peak: f64,
    /// The last rate, as a share of the highest.
    pub last: f64,
    /// Steps over which it rises.
    pub warmup: u64,
    /// Steps over which it falls at the end, for [`Shape::Wsd`].
    pub cooldown: u64,
    /// Steps of the run.
    pub n_steps: u64,
}

impl Schedule {
    /// The rate of a step, counted from 1. The first step has `peak / (warmup + 1)`, step `warmup + 1` has the highest, and the last step the lowest.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        let done = step.saturating_sub(1);
        if done < self.warmup {
            return self.peak * (done + 1) as f64 / (self.warmup + 1) as f64;
        }
        let end = self.n_steps.saturating_sub(1);
        let begin = match self.shape {
            Shape::Wsd => self.warmup.max(end.saturating_sub(self.cooldown)),
            _ => self.warmup,
        };
        let share = match end.saturating_sub(begin) {
            0 => f64::from(u8::from(done > begin)),
            n => (done.saturating_sub(begin) as f64 / n as f64).min(1.0),
        };
        let left = match self.shape {
            Shape::Constant => 1.0,
            Shape::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * share).cos()),
            Shape::Linear | Shape::Wsd => 1.0 - share,
        };
        self.peak * (self.last + (1.0 - self.last) * left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(shape: Shape) -> Schedule {
        Schedule { shape, peak: 1.0, last: 0.1, warmup: 9, cooldown: 20, n_steps: 110 }
    }

    fn rates(schedule: Schedule, steps: &[u64]) -> Vec<f64> {
        steps.iter().map(|step| (schedule.rate(*step) * 1e9).round() / 1e9).collect()
    }

    #[test]
    fn every_shape_rises_to_the_peak_and_ends_at_the_last_rate() {
        for shape in [Shape::Cosine, Shape::Linear, Shape::Wsd] {
            assert_eq!(
                rates(schedule(shape), &[1, 5, 9, 10, 110, 1000]),
                [0.1, 0.5, 0.9, 1.0, 0.1, 0.1],
                "{shape:?}"
            );
        }
        assert_eq!(rates(schedule(Shape::Constant), &[1, 10, 110]), [0.1, 1.0, 1.0]);
    }

    #[test]
    fn between_them_each_has_its_own_way() {
        // Step 60 is halfway from step 10 to step 110, and step 35 a quarter: cos(π/4) = 0.7071….
        assert_eq!(rates(schedule(Shape::Cosine), &[35, 60]), [0.868_198_052, 0.55]);
        assert_eq!(rates(schedule(Shape::Linear), &[35, 60]), [0.775, 0.55]);
        assert_eq!(rates(schedule(Shape::Wsd), &[35, 90, 100]), [1.0, 1.0, 0.55]);
    }

    #[test]
    fn a_run_of_one_step_or_of_warmup_alone_has_a_rate() {
        let one = Schedule { warmup: 0, n_steps: 1, ..schedule(Shape::Cosine) };
        assert_eq!(rates(one, &[1]), [1.0]);
        let short = Schedule { n_steps: 5, ..schedule(Shape::Wsd) };
        assert_eq!(rates(short, &[1, 5]), [0.1, 0.5]);
    }
}
