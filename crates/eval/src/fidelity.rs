//! Sums over positions of what two models say of the next token.

use hala_engine::{argmax, log_sum_exp};
use serde::Serialize;

/// How the next-token distributions of a model compare with those of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Fidelity {
    /// Positions that were compared.
    pub n_positions: usize,
    /// Positions whose next token is known, for the perplexities.
    pub n_scored: usize,
    /// Positions where both have the same likeliest token.
    n_same: usize,
    /// Σ KL(reference ‖ model), in nats.
    divergence: f64,
    /// Σ −log p(next token), in nats: the reference's, and the model's.
    losses: [f64; 2],
}

impl Fidelity {
    /// Adds a position: the logits of both, and the token that came next, where it is known.
    ///
    /// # Panics
    /// `next` is no index of the logits: a fault of the caller.
    pub fn add(&mut self, reference: &[f32], model: &[f32], next: Option<u32>) {
        let [p, q] = [reference, model].map(log_probabilities);
        self.n_positions += 1;
        self.n_same += usize::from(argmax(reference) == argmax(model));
        self.divergence += p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
        if let Some(next) = next {
            self.n_scored += 1;
            self.losses[0] -= p[next as usize];
            self.losses[1] -= q[next as usize];
        }
    }

    /// Share of positions where both have the same likeliest token.
    pub fn top1(&self) -> f64 {
        self.n_same as f64 / self.n_positions.max(1) as f64
    }

    /// Mean Kullback–Leibler divergence of the model from the reference, in nats.
    pub fn divergence(&self) -> f64 {
        self.divergence / self.n_positions.max(1) as f64
    }

    /// Perplexity of the reference and of the model, exp of the mean −log p(next token).
    pub fn perplexities(&self) -> [f64; 2] {
        self.losses.map(|loss| (loss / self.n_scored.max(1) as f64).exp())
    }
}

/// `log softmax`, in f64.
fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let total = log_sum_exp(logits);
    logits.iter().map(|x| f64::from(*x) - total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_distribution_diverges_by_nothing() {
        let mut fidelity = Fidelity::default();
        // Logits may be shifted.
        fidelity.add(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0], Some(2));
        assert!(fidelity.divergence().abs() < 1e-12 && fidelity.top1() == 1.0);
        let p = 3f64.exp() / (1f64.exp() + 2f64.exp() + 3f64.exp());
        fidelity.perplexities().iter().for_each(|x| assert!((x - 1.0 / p).abs() < 1e-9));
    }

    #[test]
    fn divergence_is_that_of_the_formula() {
        let mut fidelity = Fidelity::default();
        let [p, q] = [[0.5f64, 0.5], [0.25, 0.75]];
        let logits = [p, q].map(|p| p.map(|p| p.ln() as f32));
        fidelity.add(&logits[0], &logits[1], Some(1));
        let expected: f64 = p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum();
        assert!((fidelity.divergence() - expected).abs() < 1e-7);
        assert_eq!((fidelity.top1(), fidelity.n_scored), (0.0, 1));
        assert!((fidelity.perplexities()[1] - 4.0 / 3.0).abs() < 1e-6);
    }
}
