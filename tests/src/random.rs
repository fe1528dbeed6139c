//! Seeded random numbers and tensors: the same on every machine, and another sequence for every name.

use hala_tensor::{DType, Shape, Tensor, TensorBuilder};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator seeded by a name, hashed by FNV-1a.
    pub fn new(name: &str) -> Self {
        let hash = |h: u64, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly distributed in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Evenly distributed in −1…1.
    pub fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    /// Mean 0, standard deviation 1, at most 3.5 in magnitude: the sum of four even ones.
    pub fn normal(&mut self) -> f32 {
        // Each has the variance 1/3.
        (0..4).map(|_| self.uniform()).sum::<f32>() * 0.75f32.sqrt()
    }

    /// `n` normal numbers of this standard deviation.
    pub fn normals(&mut self, n: usize, deviation: f32) -> Vec<f32> {
        (0..n).map(|_| self.normal() * deviation).collect()
    }

    /// `n` numbers spread around `middle`, as the weights of a norm are.
    pub fn around(&mut self, middle: f32, n: usize) -> Vec<f32> {
        (0..n).map(|_| middle * (1.0 + 0.2 * self.normal())).collect()
    }

    /// `n` ids below `n_vocab`.
    pub fn ids(&mut self, n: usize, n_vocab: usize) -> Vec<u32> {
        (0..n).map(|_| self.below(n_vocab) as u32).collect()
    }

    /// A matrix of normal numbers of this standard deviation.
    pub fn matrix(&mut self, n_rows: usize, n_columns: usize, deviation: f32) -> Tensor {
        float(Shape::matrix(n_rows, n_columns), self.normals(n_rows * n_columns, deviation))
    }

    /// The weight of a projection, `[n_out, n_in]`, that keeps the magnitude of what it multiplies.
    pub fn projection(&mut self, n_out: usize, n_in: usize, dtype: DType) -> Tensor {
        let values = self.normals(n_out * n_in, 1.0 / (n_in as f32).sqrt());
        encoded(Shape::matrix(n_out, n_in), dtype, &values)
    }
}

/// A matrix, held as f32, with its last row replaced by `value`.
pub fn with_last_row(matrix: &Tensor, value: f32) -> Tensor {
    let mut values = matrix.to_f32();
    let n = values.len() - matrix.shape().n_columns();
    values[n..].fill(value);
    float(matrix.shape(), values)
}

/// A tensor held as f32.
pub fn float(shape: Shape, values: Vec<f32>) -> Tensor {
    Tensor::from_f32(shape, values).expect("values fill the shape")
}

/// A vector held as f32.
pub fn vector(values: Vec<f32>) -> Tensor {
    float(Shape::vector(values.len()), values)
}

/// A tensor held in any element type.
pub fn encoded(shape: Shape, dtype: DType, values: &[f32]) -> Tensor {
    let mut builder = TensorBuilder::new(shape, dtype).expect("an element type for weights");
    values.chunks(shape.n_columns()).for_each(|row| builder.push_row(row).expect("finite values"));
    builder.finish().expect("values fill the shape")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let x = Rng::new("seed").normals(100_000, 1.0);
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        let square = x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32;
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.02, "{mean} {square}");
        assert!(x.iter().all(|x| x.abs() <= 3.5));
    }

    #[test]
    fn a_name_always_gives_the_same_numbers() {
        assert_eq!(Rng::new("a").ids(9, 500), Rng::new("a").ids(9, 500));
        assert_ne!(Rng::new("a").ids(9, 500), Rng::new("b").ids(9, 500));
    }
}
