//! Tables of rotary angles, so that every backend turns by exactly the same ones.

use hala_tensor::{Shape, Tensor, TensorError};
use hala_weights::Config;

use crate::ModelError;
use crate::settings::{required, unsupported};

/// How rotary frequencies are stretched for contexts longer than those of the first training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// Not at all.
    Default,
    /// All by one factor (Chen et al., arXiv 2306.15595).
    Linear {
        /// The factor.
        factor: f64,
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

/// Rotary position embedding of one head (Su et al., arXiv 2104.09864).
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// Reads `rope_parameters` or the older `rope_scaling`, `rope_theta` and `theta`.
    ///
    /// # Errors
    /// A base that is no positive number; a kind of scaling that is not supported, or one that lacks its numbers.
    pub fn read(config: &Config, head_size: usize, n_positions: usize) -> Result<Self, ModelError> {
        let nested = match config.object("rope_parameters")? {
            Some(nested) => Some(nested),
            None => config.object("rope_scaling")?,
        };
        let inner_theta = nested.as_ref().map(|n| n.f64(&["rope_theta"])).transpose()?.flatten();
        let outer_theta = config.f64(&["rope_theta", "theta"])?;
        let theta = required(inner_theta.or(outer_theta), &["rope_theta", "theta"])?;
        if !(theta.is_finite() && theta > 0.0) {
            return Err(unsupported("rope_theta", &theta.to_string(), "a number above 0"));
        }
        let scaling = nested.as_ref().map_or(Ok(Scaling::Default), scaling)?;
        Ok(Self { theta, scaling, head_size, n_positions })
    }

    /// `[S, A]`: for each position the A/2 cosines, then the A/2 sines; angles in f32 as in transformers.
    ///
    /// # Errors
    /// None for sizes that a Plan accepts.
    pub fn table(&self) -> Result<Tensor, TensorError> {
        let frequencies = self.frequencies();
        let mut values = Vec::with_capacity(self.n_positions * self.head_size);
        for position in 0..self.n_positions {
            let angles = frequencies.iter().map(|f| position as f32 * f);
            values.extend(angles.clone().map(f32::cos));
            values.extend(angles.map(f32::sin));
        }
        Tensor::from_f32(Shape::matrix(self.n_positions, self.head_size), values)
    }

    /// `1 / theta^(2i/A)` for each pair, stretched.
    fn frequencies(&self) -> Vec<f32> {
        let pairs = (0..self.head_size / 2).map(|i| (2 * i) as f32 / self.head_size as f32);
        pairs.map(|exponent| self.stretch(1.0 / (self.theta as f32).powf(exponent))).collect()
    }

    fn stretch(&self, frequency: f32) -> f32 {
        match self.scaling {
            Scaling::Default => frequency,
            Scaling::Linear { factor } => frequency / factor as f32,
            Scaling::Llama3 { factor, low, high, original } => {
                let wave = 2.0 * std::f64::consts::PI / f64::from(frequency);
                let share = ((original / wave - low) / (high - low)).clamp(0.0, 1.0);
                let f = f64::from(frequency);
                ((1.0 - share) * f / factor + share * f) as f32
            }
        }
    }
}

fn scaling(nested: &Config) -> Result<Scaling, ModelError> {
    let number = |key: &str| {
        let missing = || ModelError::MissingSetting { key: format!("rope_parameters.{key}") };
        nested.f64(&[key])?.ok_or_else(missing)
    };
    if let Some(share) = nested.f64(&["partial_rotary_factor"])?.filter(|s| *s != 1.0) {
        return Err(unsupported("rope_parameters.partial_rotary_factor", &share.to_string(), "1"));
    }
    match nested.str(&["rope_type", "type"])? {
        None | Some("default") => Ok(Scaling::Default),
        Some("linear") => Ok(Scaling::Linear { factor: number("factor")? }),
        Some("llama3") => Ok(Scaling::Llama3 {
            factor: number("factor")?,
            low: number("low_freq_factor")?,
            high: number("high_freq_factor")?,
            original: number("original_max_position_embeddings")?,
        }),
        Some(found) => Err(unsupported("rope_parameters.rope_type", found, "default, linear or llama3")),
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
    fn linear_scaling_slows_every_pair() {
        let scaled = Rope { scaling: Scaling::Linear { factor: 2.0 }, ..ROPE };
        for (a, b) in ROPE.frequencies().iter().zip(scaled.frequencies()) {
            assert_eq!(a / 2.0, b);
        }
    }

    #[test]
    fn llama3_scaling_keeps_short_waves_and_stretches_long_ones() {
        let scaling = Scaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, original: 8192.0 };
        let (plain, scaled) = (ROPE.frequencies(), Rope { scaling, ..ROPE }.frequencies());
        assert_eq!(plain[0], scaled[0]);
        assert_eq!(plain[31] / 8.0, scaled[31]);
        assert!(plain.iter().zip(&scaled).any(|(a, b)| *b < *a && *b > a / 8.0));
    }
}
