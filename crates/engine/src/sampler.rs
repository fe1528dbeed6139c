//! From logits to the next token: greedy, or drawn from a truncated distribution.

use crate::error::EngineError;
use crate::likeliest;
use crate::logits::{argmax, check, penalise};
use crate::rng::uniform;
use crate::sampling::Sampling;

/// Chooses tokens one after the other.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    n_drawn: u64,
    scratch: Vec<(f64, u32)>,
}

impl Sampler {
    /// A sampler at its first token.
    ///
    /// # Errors
    /// An option outside of its range.
    pub fn new(sampling: Sampling) -> Result<Self, EngineError> {
        sampling.check()?;
        Ok(Self { sampling, n_drawn: 0, scratch: Vec::new() })
    }

    /// The options.
    pub(crate) fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Tokens chosen so far.
    pub(crate) fn n_drawn(&self) -> u64 {
        self.n_drawn
    }

    /// Counts a token that the device chose.
    pub(crate) fn skip(&mut self) {
        self.n_drawn += 1;
    }

    /// Chooses the next token from `logits [V]`, which penalties and biases change in place.
    ///
    /// # Errors
    /// Logits that are no numbers.
    pub fn sample(&mut self, logits: &mut [f32], prompt: &[u32], output: &[u32]) -> Result<u32, EngineError> {
        check(logits)?;
        penalise(logits, &self.sampling, prompt, output);
        let step = self.n_drawn;
        self.n_drawn += 1;
        if self.sampling.temperature == 0.0 || self.sampling.top_k == 1 {
            return Ok(argmax(logits));
        }
        let at = uniform(self.sampling.seed, step);
        let total = self.candidates(logits, at);
        Ok(draw(&self.scratch, at * total))
    }

    /// Fills the scratch with (weight, id), the likeliest first, truncated: temperature, then top-k, top-p, min-p. Gives the weight of all
    /// that are left; those of them that a draw at the share `at` cannot reach may be missing.
    fn candidates(&mut self, logits: &[f32], at: f64) -> f64 {
        let Sampling { temperature, top_k, top_p, min_p, .. } = self.sampling;
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // Below this distance from the best, min-p drops the token anyway, so it need not be sorted.
        let floor = if min_p > 0.0 { max + min_p.ln() * temperature } else { f32::NEG_INFINITY };
        let candidates = &mut self.scratch;
        candidates.clear();
        let all = logits.iter().zip(0u32..).filter(|(x, _)| top_p < 1.0 || **x >= floor);
        // Weights and sums in f32 would end some tokens earlier or later than a device's do.
        let weight = |x: f32| (f64::from(x - max) / f64::from(temperature)).exp();
        let all = all.map(|(x, id)| (weight(*x), id));
        let likelier = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if top_k > 0 {
            candidates.extend(likeliest::first(all, top_k, likelier));
        } else {
            candidates.extend(all);
        }
        let total = sum(candidates);
        // The likeliest come first, up to this share. Whatever weighs less than an equal part of the rest comes to less than the rest, so
        // it is never reached and need not be sorted: nearly the whole vocabulary. The likeliest, whose weight is 1, is never among it.
        let share = if top_p < 1.0 {
            f64::from(top_p)
        } else if min_p > 0.0 {
            1.0
        } else {
            at
        };
        let least = (1.0 - share) * total / candidates.len() as f64;
        candidates.retain(|c| c.0 >= least);
        if top_k == 0 {
            candidates.sort_unstable_by(likelier);
        }
        if top_p >= 1.0 && min_p == 0.0 {
            return total;
        }
        if top_p < 1.0 {
            let enough = f64::from(top_p) * total;
            let mut before = 0.0;
            let kept = candidates.iter().take_while(|c| {
                let keep = before < enough;
                before += c.0;
                keep
            });
            let kept = kept.count().max(1);
            candidates.truncate(kept);
        }
        let kept = candidates.iter().take_while(|c| c.0 >= f64::from(min_p)).count().max(1);
        candidates.truncate(kept);
        sum(candidates)
    }
}

fn sum(candidates: &[(f64, u32)]) -> f64 {
    candidates.iter().map(|c| c.0).sum()
}

/// The candidate at which the weights before it and its own come to more than `goal`.
fn draw(candidates: &[(f64, u32)], goal: f64) -> u32 {
    let mut left = goal;
    for (weight, id) in candidates {
        left -= weight;
        if left < 0.0 {
            return *id;
        }
    }
    candidates.last().map_or(0, |c| c.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [1.0, 3.0, 2.0, -1.0, 2.5];

    fn drawn(sampling: &Sampling, n: u64) -> std::collections::BTreeMap<u32, usize> {
        let mut sampler = Sampler::new(sampling.clone()).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..n {
            let id = sampler.sample(&mut LOGITS.clone(), &[], &[]).unwrap();
            *counts.entry(id).or_default() += 1;
        }
        counts
    }

    fn ids(sampling: &Sampling) -> Vec<u32> {
        drawn(sampling, 500).into_keys().collect()
    }

    #[test]
    fn greedy_takes_the_largest_and_the_first_of_equals() {
        let mut sampler = Sampler::new(Sampling::default()).unwrap();
        assert_eq!(sampler.sample(&mut LOGITS.clone(), &[], &[]).unwrap(), 1);
        assert_eq!(sampler.sample(&mut [2.0, 2.0], &[], &[]).unwrap(), 0);
    }

    #[test]
    fn truncation_keeps_the_likeliest() {
        let base = Sampling { temperature: 1.0, ..Sampling::default() };
        assert_eq!(ids(&Sampling { top_k: 2, ..base.clone() }), [1, 4]);
        assert_eq!(ids(&Sampling { top_p: 0.4, ..base.clone() }), [1]);
        assert_eq!(ids(&Sampling { top_p: 0.6, ..base.clone() }), [1, 4]);
        // exp(2.0 − 3.0) = 0.37 is the third.
        assert_eq!(ids(&Sampling { min_p: 0.3, ..base.clone() }), [1, 2, 4]);
        assert_eq!(ids(&Sampling { min_p: 0.3, top_p: 0.999, ..base }), [1, 2, 4]);
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let n = 20_000;
        let counts = drawn(&Sampling { temperature: 1.0, seed: 3, ..Sampling::default() }, n);
        let total: f64 = LOGITS.iter().map(|x| f64::from(*x).exp()).sum();
        for (id, count) in counts {
            let expected = f64::from(LOGITS[id as usize]).exp() / total;
            let found = count as f64 / n as f64;
            // 20,000 draws: a standard deviation is at most 0.0036.
            assert!((found - expected).abs() < 0.015, "{id}: {found} for {expected}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_tokens() {
        let sampling = Sampling { temperature: 2.0, seed: 42, ..Sampling::default() };
        let run = |sampling: &Sampling| {
            let mut sampler = Sampler::new(sampling.clone()).unwrap();
            (0..50).map(|_| sampler.sample(&mut LOGITS.clone(), &[], &[]).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(run(&sampling), run(&sampling));
        assert_ne!(run(&sampling), run(&Sampling { seed: 43, ..sampling }));
    }

    #[test]
    fn a_low_temperature_is_nearly_greedy_and_does_not_overflow() {
        let sampling = Sampling { temperature: 1e-6, ..Sampling::default() };
        assert_eq!(ids(&sampling), [1]);
    }

    #[test]
    fn options_outside_of_their_range_are_named() {
        let bad = [
            (Sampling { temperature: -1.0, ..Sampling::default() }, "temperature is -1"),
            (Sampling { top_p: 0.0, ..Sampling::default() }, "top_p is 0"),
            (Sampling { min_p: 1.5, ..Sampling::default() }, "min_p is 1.5"),
            (Sampling { repetition_penalty: 0.0, ..Sampling::default() }, "repetition_penalty is 0"),
            (Sampling { presence_penalty: f32::NAN, ..Sampling::default() }, "presence_penalty is NaN"),
        ];
        for (sampling, message) in bad {
            let error = Sampler::new(sampling).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
