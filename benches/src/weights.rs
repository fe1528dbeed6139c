//! Random weights, the same on every machine.

use anyhow::Result;
use hala_tensor::{DType, Shape, Tensor, TensorBuilder};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly distributed in −1…1.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    /// Mean 0, standard deviation 1: the sum of twelve even ones.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() / 2.0
    }

    /// As normal numbers, but one in a hundred is ten times as large: trained weights have such tails.
    pub fn heavy(&mut self) -> f32 {
        let x = self.normal();
        if self.bits().is_multiple_of(100) { 10.0 * x } else { x }
    }
}

/// A matrix of even random numbers that keeps the magnitude of what it multiplies.
///
/// # Errors
/// A type that is not for weights.
pub fn matrix(rng: &mut Rng, n_rows: usize, n_columns: usize, dtype: DType) -> Result<Tensor> {
    let mut builder = TensorBuilder::new(Shape::matrix(n_rows, n_columns), dtype)?;
    let factor = (3.0 / n_columns as f32).sqrt();
    let mut row = vec![0.0; n_columns];
    for _ in 0..n_rows {
        row.iter_mut().for_each(|x| *x = rng.uniform() * factor);
        builder.push_row(&row)?;
    }
    Ok(builder.finish()?)
}

/// A vector of numbers around 1, as norms have.
///
/// # Errors
/// None that happens.
pub fn vector(rng: &mut Rng, shape: Shape) -> Result<Tensor> {
    let values = (0..shape.n_elements()).map(|_| 1.0 + 0.2 * rng.uniform()).collect();
    Ok(Tensor::from_f32(shape, values)?)
}
