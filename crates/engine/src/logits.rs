//! Logits on their way to a distribution: penalties, biases and log-probabilities.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::EngineError;
use crate::likeliest;
use crate::sampling::Sampling;

/// A token and how likely the model found it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The token.
    pub id: u32,
    /// Natural logarithm of its probability, before temperature and truncation.
    pub logprob: f32,
}

/// Log-probabilities at one position.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenLogprob {
    /// The token that was chosen.
    pub chosen: Candidate,
    /// The most likely tokens, the likeliest first.
    pub top: Vec<Candidate>,
}

/// Numbers that are compared side by side, so that loops over a vocabulary are vectorised.
const N_LANES: usize = 32;

/// Refuses logits that are no numbers; −∞ is one, it masks a token.
pub(crate) fn check(logits: &[f32]) -> Result<(), EngineError> {
    let is_no_number = |x: &f32| x.is_nan() || *x == f32::INFINITY;
    // A block is looked at as a whole: few have anything to find.
    let found = logits.chunks(N_LANES).find(|block| block.iter().fold(false, |any, x| any | is_no_number(x)));
    match found.and_then(|block| block.iter().find(|x| is_no_number(x))) {
        Some(found) => Err(EngineError::NotFinite { found: *found }),
        None => Ok(()),
    }
}

/// Index of the largest logit, the first of equals.
pub fn argmax(logits: &[f32]) -> u32 {
    let larger = |max: f32, x: f32| if x > max { x } else { max };
    let (blocks, rest) = logits.as_chunks::<N_LANES>();
    let mut lanes = [f32::NEG_INFINITY; N_LANES];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(max, x)| *max = larger(*max, *x));
    }
    let max = lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger);
    let block = blocks.iter().position(|block| block.iter().fold(false, |any, x| any | (*x == max)));
    let first = block.unwrap_or(blocks.len()) * N_LANES;
    logits[first..].iter().position(|x| *x == max).map_or(0, |i| (first + i) as u32)
}

/// `log Σ exp(logits)`, in f64.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
    f64::from(max) + sum.ln()
}

/// Log-probabilities of the chosen token and of the `n_top` likeliest.
pub(crate) fn logprobs(logits: &[f32], chosen: u32, n_top: usize) -> TokenLogprob {
    let total = log_sum_exp(logits);
    let candidate = |id: u32| Candidate { id, logprob: (f64::from(logits[id as usize]) - total) as f32 };
    let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
    let top = likeliest::first(0..logits.len() as u32, n_top, by_logit);
    TokenLogprob { chosen: candidate(chosen), top: top.into_iter().map(candidate).collect() }
}

/// Applies biases and penalties in place.
///
/// Repetition divides positive and multiplies negative logits of every token of prompt and output (Keskar et al.,
/// arXiv 1909.05858, as transformers does); frequency and presence are subtracted for tokens of the output alone,
/// as in the OpenAI API.
pub(crate) fn penalise(logits: &mut [f32], sampling: &Sampling, prompt: &[u32], output: &[u32]) {
    for (id, bias) in &sampling.logit_bias {
        if let Some(logit) = logits.get_mut(*id as usize) {
            *logit += bias;
        }
    }
    let penalty = sampling.repetition_penalty;
    if penalty != 1.0 {
        let seen: std::collections::BTreeSet<u32> = prompt.iter().chain(output).copied().collect();
        for id in seen {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
            }
        }
    }
    if sampling.frequency_penalty != 0.0 || sampling.presence_penalty != 0.0 {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        output.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
        for (id, count) in counts {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit -= sampling.frequency_penalty * count as f32 + sampling.presence_penalty;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logprobs_sum_to_one_and_are_sorted() {
        let logits = [0.5, 2.0, -1.0, 2.0];
        let found = logprobs(&logits, 2, 9);
        assert_eq!(found.top.iter().map(|c| c.id).collect::<Vec<_>>(), [1, 3, 0, 2]);
        let sum: f32 = found.top.iter().map(|c| c.logprob.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert_eq!(found.chosen, found.top[3]);
        assert_eq!(logprobs(&logits, 0, 2).top.len(), 2);
        assert!(logprobs(&logits, 0, 0).top.is_empty());
    }

    #[test]
    fn repetition_lowers_both_signs_once_a_token() {
        let sampling = Sampling { repetition_penalty: 2.0, ..Sampling::default() };
        let mut logits = [4.0, -4.0, 1.0];
        penalise(&mut logits, &sampling, &[0, 0, 9], &[1]);
        assert_eq!(logits, [2.0, -8.0, 1.0]);
    }

    #[test]
    fn frequency_counts_and_presence_does_not() {
        let sampling = Sampling { frequency_penalty: 0.5, presence_penalty: 1.0, ..Sampling::default() };
        let mut logits = [0.0; 3];
        penalise(&mut logits, &sampling, &[2, 2], &[0, 0, 1]);
        assert_eq!(logits, [-2.0, -1.5, 0.0]);
    }

    #[test]
    fn a_bias_can_forbid_a_token() {
        let sampling =
            Sampling { logit_bias: vec![(1, f32::NEG_INFINITY), (99, 1.0)], ..Sampling::default() };
        let mut logits = [0.0, 5.0];
        penalise(&mut logits, &sampling, &[], &[]);
        assert_eq!(argmax(&logits), 0);
    }

    #[test]
    fn the_largest_is_found_wherever_it_is_and_the_first_of_equals() {
        for n in [1, 31, 32, 33, 100, 257] {
            for i in 0..n {
                let mut logits = vec![-1.0; n];
                logits[i] = 2.0;
                assert_eq!(argmax(&logits), i as u32);
                logits[n - 1] = 2.0;
                assert_eq!(argmax(&logits), i as u32);
            }
            assert_eq!(argmax(&vec![f32::NEG_INFINITY; n]), 0);
        }
        assert_eq!(argmax(&[]), 0);
    }

    #[test]
    fn logits_that_are_no_numbers_are_refused() {
        for i in 0..70 {
            let mut logits = vec![0.0; 70];
            logits[i] = f32::INFINITY;
            assert!(check(&logits).is_err());
        }
        assert!(check(&[0.0, f32::NEG_INFINITY]).is_ok());
        assert!(check(&[0.0, f32::NAN]).is_err());
    }
}
