//! Tables of rotary angles, so that every backend turns by exactly the same ones.

use hala_tensor::{Shape, Tensor, TensorError};

/// How rotary frequencies are stretched for contexts longer than those of the first training.
///
/// Source: transformers' `modeling_rope_utils`, whose order of operations in f32 is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// Not at all; also what `dynamic` is within the context that the model was made for.
    Default,
    /// All by one factor (Chen et al., arXiv 2306.15595).
    Linear {
        /// The factor.
        factor: f64,
    },
    /// By the factor, and only some of the pairs turn at all.
    Proportional {
        /// The factor.
        factor: f64,
        /// Pairs that turn, the first ones.
        n_turning: usize,
    },
    /// Pairs that turn often left alone, those that turn seldom by the factor, those between by degrees (Peng et al., arXiv 2309.00071).
    Yarn(Yarn),
    /// Each pair by its own factor (Ding et al., arXiv 2402.13753).
    LongRope {
        /// Of each pair.
        factors: Vec<f64>,
        /// What cosines and sines are multiplied with.
        attention: f64,
        /// Positions up to which these factors go, where others follow.
        limit: Option<usize>,
    },
    /// Long waves by the factor, short ones not, those between by degrees (Llama 3.1).
    Llama3 {
        /// The factor of the longest waves.
        factor: f64,
        /// Waves longer than `original / low` are stretched whole.
        low: f64,
        /// Waves shorter than `original / high` are left alone.
        high: f64,
        /// Context of the first training, in tokens.
        original: f64,
    },
}

/// The numbers of YaRN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// The factor of pairs that turn seldom.
    pub factor: f64,
    /// What cosines and sines are multiplied with.
    pub attention: f64,
    /// Pairs that turn more often than this within `original` tokens are left alone.
    pub beta_fast: f64,
    /// Pairs that turn less often are stretched whole.
    pub beta_slow: f64,
    /// Context of the first training, in tokens.
    pub original: f64,
    /// Whether the bounds between those pairs are rounded outwards to whole pairs.
    pub truncate: bool,
}

/// Rotary position embedding of one head (Su et al., arXiv 2104.09864).
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// Stretching.
    pub scaling: Scaling,
    /// A, elements of a head.
    pub head_size: usize,
    /// S, positions in the table.
    pub n_positions: usize,
}

impl Rope {
    /// `[S, A]`: for each position the A/2 cosines, then the A/2 sines; angles in f32 as in transformers.
    ///
    /// # Errors
    /// None for sizes that a Plan accepts.
    pub fn table(&self) -> Result<Tensor, TensorError> {
        let (frequencies, amplitude) = (self.frequencies(), self.amplitude());
        let mut values = Vec::with_capacity(self.n_positions * self.head_size);
        for position in 0..self.n_positions {
            let angles = frequencies.iter().map(|f| position as f32 * f);
            values.extend(angles.clone().map(|angle| angle.cos() * amplitude));
            values.extend(angles.map(|angle| angle.sin() * amplitude));
        }
        Tensor::from_f32(Shape::matrix(self.n_positions, self.head_size), values)
    }

    /// `1 / theta^(2i/A)` for each of the A/2 pairs, stretched: radians a token.
    pub fn frequencies(&self) -> Vec<f32> {
        let bases = || {
            let exponents = (0..self.head_size / 2).map(|i| (2 * i) as f32 / self.head_size as f32);
            exponents.map(|exponent| (self.theta as f32).powf(exponent))
        };
        let plain = bases().map(|base| 1.0 / base);
        match &self.scaling {
            Scaling::Default => plain.collect(),
            Scaling::Linear { factor } => plain.map(|f| f / *factor as f32).collect(),
            Scaling::Proportional { factor, n_turning } => {
                let turning = |(i, f)| if i < *n_turning { f / *factor as f32 } else { 0.0 };
                plain.enumerate().map(turning).collect()
            }
            Scaling::Yarn(yarn) => {
                let shares = yarn.shares(self.head_size, self.theta);
                bases().zip(shares).map(|(base, share)| yarn.stretch(base, share)).collect()
            }
            Scaling::LongRope { factors, .. } => {
                bases().zip(factors).map(|(base, factor)| 1.0 / (*factor as f32 * base)).collect()
            }
            &Scaling::Llama3 { factor, low, high, original } => {
                plain.map(|f| llama3(f, factor, [low, high], original)).collect()
            }
        }
    }

    /// What cosines and sines are multiplied with, so that scores keep their spread over longer contexts.
    pub fn amplitude(&self) -> f32 {
        match &self.scaling {
            Scaling::Yarn(yarn) => yarn.attention as f32,
            Scaling::LongRope { attention, .. } => *attention as f32,
            Scaling::Default
            | Scaling::Linear { .. }
            | Scaling::Proportional { .. }
            | Scaling::Llama3 { .. } => 1.0,
        }
    }

    /// Positions for which one table is right, of a model made for `max_context`.
    pub fn limit(&self, max_context: usize) -> usize {
        match &self.scaling {
            Scaling::LongRope { limit: Some(limit), .. } => max_context.min(*limit),
            _ => max_context,
        }
    }
}

impl Yarn {
    /// Of each pair, how far it is on the way from being left alone (0) to being stretched whole (1).
    fn shares(&self, head_size: usize, theta: f64) -> impl Iterator<Item = f32> + use<> {
        let size = head_size as f64;
        // The pair that turns so many times within the first training's context.
        let pair = |n_turns: f64| {
            size * (self.original / (n_turns * 2.0 * std::f64::consts::PI)).ln() / (2.0 * theta.ln())
        };
        let (mut first, mut last) = (pair(self.beta_fast), pair(self.beta_slow));
        if self.truncate {
            (first, last) = (first.floor(), last.ceil());
        }
        let (first, mut last) = (first.max(0.0), last.min(size - 1.0));
        if first == last {
            last += 0.001;
        }
        let (start, width) = (first as f32, (last - first) as f32);
        (0..head_size / 2).map(move |i| ((i as f32 - start) / width).clamp(0.0, 1.0))
    }

    fn stretch(&self, base: f32, share: f32) -> f32 {
        let kept = 1.0 - share;
        1.0 / (self.factor as f32 * base) * (1.0 - kept) + 1.0 / base * kept
    }
}

fn llama3(frequency: f32, factor: f64, [low, high]: [f64; 2], original: f64) -> f32 {
    let f = f64::from(frequency);
    let wave = 2.0 * std::f64::consts::PI / f;
    if wave > original / low {
        (f / factor) as f32
    } else if wave < original / high {
        frequency
    } else {
        let share = (original / wave - low) / (high - low);
        ((1.0 - share) * f / factor + share * f) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROPE: Rope = Rope { theta: 1e6, scaling: Scaling::Default, head_size: 64, n_positions: 9 };

    #[test]
    fn the_first_pair_turns_by_one_radian_a_token() {
        let table = ROPE.table().unwrap().to_f32();
        assert_eq!(table[..64], [[1.0; 32], [0.0; 32]].concat());
        assert_eq!(table[5 * 64], 5f32.cos());
        assert_eq!(table[5 * 64 + 32], 5f32.sin());
    }

    #[test]
    fn cosines_and_sines_are_as_long_as_yarn_asks() {
        let yarn = Yarn {
            factor: 4.0,
            attention: 1.25,
            beta_fast: 32.0,
            beta_slow: 1.0,
            original: 64.0,
            truncate: true,
        };
        let table = Rope { scaling: Scaling::Yarn(yarn), ..ROPE }.table().unwrap().to_f32();
        for (cos, sin) in (0..32).map(|i| (table[7 * 64 + i], table[7 * 64 + 32 + i])) {
            assert!((cos.hypot(sin) - 1.25).abs() < 1e-6, "{cos} {sin}");
        }
    }

    #[test]
    fn a_context_ends_where_other_factors_begin() {
        let scaling = |limit| Scaling::LongRope { factors: vec![1.0; 32], attention: 1.0, limit };
        assert_eq!(Rope { scaling: scaling(Some(128)), ..ROPE }.limit(512), 128);
        assert_eq!(Rope { scaling: scaling(Some(1024)), ..ROPE }.limit(512), 512);
        assert_eq!(Rope { scaling: scaling(None), ..ROPE }.limit(512), 512);
        assert_eq!(ROPE.limit(512), 512);
    }
}
