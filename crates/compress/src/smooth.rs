//! SmoothQuant: what makes single channels of inputs large is moved from the norm before a product into the product's matrices, so
//! that inputs lose less where they are rounded to int8.
//!
//! With a factor `s` for each channel, `norm' = norm / s` and `W' = W · s` give the same products. `s = max|x|^α / max|W|^(1−α)`, of
//! the channel's inputs and of all matrices that read the norm, rounded to a power of two: so that both are exact in every type of
//! floats, where rounded factors would cost a bit of each weight. A norm of which the checkpoint holds what it is beyond 1 cannot be
//! exact, so there the matrices are multiplied with what its rounding left to do. Source: Xiao et al., arXiv 2211.10438, section 4.

use std::collections::{BTreeMap, BTreeSet};

use hala_weights::Checkpoint;

use crate::chunks::each_chunk;
use crate::error::CompressError;
use crate::float::{Float, with_float};
use crate::job::Sink;

/// The strength that serves most models, after the paper.
pub const DEFAULT_STRENGTH: f32 = 0.5;

/// Factors beyond these powers of two would bring weights near the ends of f16.
const MAX_POWER: f64 = 12.0;

/// What the matrices behind one norm are multiplied with.
#[derive(Debug, Clone, PartialEq)]
pub struct NormedInputs {
    /// The checkpoint's name of the norm.
    pub norm: String,
    /// `a` and `b` where the norm multiplies with `a · w + b` of the checkpoint's `w`.
    pub affine: [f32; 2],
    /// The checkpoint's names of all matrices that read the norm.
    pub weights: Vec<String>,
    /// The largest magnitude of each channel.
    pub largest: Vec<f32>,
}

/// Factors of norms and of columns.
#[derive(Debug, Default)]
pub(crate) struct Smoothing {
    norms: BTreeMap<String, Norm>,
    /// Of each matrix, its norm.
    matrices: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Norm {
    /// What the file holds now, in the type of the file.
    bytes: Vec<u8>,
    factors: Vec<f32>,
}

impl Smoothing {
    /// The factors of all norms of which every matrix `is_smoothed`.
    ///
    /// # Errors
    /// There is no such norm; a matrix cannot be read, or is not as wide as its inputs.
    pub(crate) fn new(
        checkpoint: &Checkpoint,
        inputs: &[NormedInputs],
        strength: f32,
        is_smoothed: impl Fn(&str) -> bool,
    ) -> Result<Self, CompressError> {
        let mut found = Self::default();
        // A norm that is read in several places has all their matrices.
        let mut by_norm: BTreeMap<&str, Vec<&NormedInputs>> = BTreeMap::new();
        inputs.iter().for_each(|inputs| by_norm.entry(&inputs.norm).or_default().push(inputs));
        for (norm, inputs) in by_norm {
            let weights: BTreeSet<&str> =
                inputs.iter().flat_map(|i| i.weights.iter().map(String::as_str)).collect();
            if !weights.iter().all(|weight| is_smoothed(weight)) {
                continue;
            }
            let mut largest = vec![0.0f32; inputs[0].largest.len()];
            inputs.iter().for_each(|inputs| raise(&mut largest, &inputs.largest));
            let mut columns = vec![0.0f32; largest.len()];
            for weight in &weights {
                raise_to_columns(checkpoint, weight, &mut columns)?;
            }
            let factors = largest.iter().zip(&columns).map(|(x, w)| factor(*x, *w, strength)).collect();
            found.norms.insert(norm.to_owned(), divided(checkpoint, norm, inputs[0].affine, factors)?);
            found.matrices.extend(weights.iter().map(|weight| ((*weight).to_owned(), norm.to_owned())));
        }
        if found.norms.is_empty() {
            return Err(CompressError::NothingToSmooth { origin: checkpoint.origin() });
        }
        Ok(found)
    }

    /// The factors of a matrix's columns.
    pub(crate) fn columns(&self, matrix: &str) -> Option<&[f32]> {
        Some(&self.norms.get(self.matrices.get(matrix)?)?.factors)
    }

    /// Whether this tensor is a norm with factors.
    pub(crate) fn is_norm(&self, name: &str) -> bool {
        self.norms.contains_key(name)
    }

    /// Writes a norm without what went into the matrices.
    pub(crate) fn write_norm(&self, name: &str, sink: &Sink<'_>) -> Result<(), CompressError> {
        self.norms.get(name).map_or(Ok(()), |norm| sink.write(name, 0, &norm.bytes))
    }
}

/// A norm divided by factors, which become what its rounding made of them.
fn divided(
    checkpoint: &Checkpoint,
    name: &str,
    affine: [f32; 2],
    mut factors: Vec<f32>,
) -> Result<Norm, CompressError> {
    let [a, b] = affine.map(f64::from);
    let mut bytes = Vec::new();
    with_float!(checkpoint.stored_dtype(name)?, F => {
        each_chunk(checkpoint, name, 1, |w| {
            if w.len() != factors.len() {
                return Err(CompressError::Inputs { name: name.to_owned() });
            }
            for (w, factor) in w.iter().zip(&mut factors) {
                let value = a * f64::from(*w) + b;
                let rounded = F::round(((value / f64::from(*factor) - b) / a) as f32);
                let left = value / (a * f64::from(rounded) + b);
                // A norm of 0 stays one, whatever its factor.
                let (stored, left) = if left.is_finite() && left > 0.0 { (rounded, left) } else { (*w, 1.0) };
                F::write(stored, &mut bytes);
                *factor = left as f32;
            }
            Ok(())
        })?;
    });
    Ok(Norm { bytes, factors })
}

/// Multiplies each column of some rows with its factor.
pub(crate) fn multiply(x: &mut [f32], factors: &[f32]) {
    for row in x.chunks_exact_mut(factors.len()) {
        row.iter_mut().zip(factors).for_each(|(x, s)| *x *= s);
    }
}

/// Divides `xᵀx` by the factors of both its channels.
pub(crate) fn divide_products(h: &mut [f32], factors: &[f32]) {
    for (row, s) in h.chunks_exact_mut(factors.len()).zip(factors) {
        row.iter_mut().zip(factors).for_each(|(h, t)| *h /= s * t);
    }
}

/// `max|x|^α / max|w|^(1−α)` as a power of two; 1 where nothing comes in or goes out.
fn factor(x: f32, w: f32, strength: f32) -> f32 {
    if x == 0.0 || w == 0.0 {
        return 1.0;
    }
    let (x, w, strength) = (f64::from(x), f64::from(w), f64::from(strength));
    let power = strength * x.log2() - (1.0 - strength) * w.log2();
    power.round_ties_even().clamp(-MAX_POWER, MAX_POWER).exp2() as f32
}

/// The larger of each two magnitudes.
fn raise(largest: &mut [f32], others: &[f32]) {
    largest.iter_mut().zip(others).for_each(|(x, y)| *x = x.max(y.abs()));
}

/// The largest magnitude of each column of a matrix, where that is above what is known.
fn raise_to_columns(checkpoint: &Checkpoint, name: &str, largest: &mut [f32]) -> Result<(), CompressError> {
    let shape = checkpoint.tensor(name)?.shape();
    if shape.n_columns() != largest.len() {
        return Err(CompressError::Inputs { name: name.to_owned() });
    }
    each_chunk(checkpoint, name, 1, |x| {
        x.chunks_exact(largest.len()).for_each(|row| raise(largest, row));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_powers_of_two_between_inputs_and_weights() {
        assert_eq!(factor(16.0, 0.25, 0.5), 8.0);
        assert_eq!(factor(16.0, 0.25, 0.0), 4.0);
        assert_eq!(factor(16.0, 0.25, 1.0), 16.0);
        assert_eq!(factor(3.0, 3.0, 0.5), 1.0);
        assert_eq!((factor(0.0, 1.0, 0.5), factor(1.0, 0.0, 0.5)), (1.0, 1.0));
        assert_eq!((factor(1e30, 1e-30, 0.5), factor(1e-30, 1e30, 0.5)), (4096.0, 1.0 / 4096.0));
    }
}
