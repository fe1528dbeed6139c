//! Tensors combined: along an arc, or as weighted sums; a few rows at a time, in f32.

use hala_tensor::{DType, Shape};
use hala_weights::Rows;

use super::method::Method;
use super::plan::{Models, Output, Part, model};
use crate::chunks::{check_finite, each_chunk_of};
use crate::error::CompressError;
use crate::float::{Float, with_float};
use crate::job::Sink;

/// Where two tensors point nearly the same way, they are combined on the straight line: the cosine from which on.
const PARALLEL: f64 = 0.9995;

/// Tensors shorter than this have no direction.
const NO_LENGTH: f64 = 1e-8;

/// The types of a merge: that in which inputs are read and results rounded, and that of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Types {
    pub(crate) dtype: DType,
    pub(crate) out: DType,
}

/// Makes one tensor.
pub(crate) fn combine(
    models: &Models,
    method: Method,
    output: &Output,
    types: Types,
    sink: &Sink<'_>,
) -> Result<(), CompressError> {
    let mut sources = Sources::open(models, &output.parts, types.dtype)?;
    let factors = match method {
        Method::Slerp => slerp(&mut sources, &output.parts)?,
        Method::Linear => linear(output),
    };
    let (mut sum, mut bytes, mut offset) = (Vec::new(), Vec::new(), 0);
    sources.each_chunk(|chunks| {
        sum.clear();
        sum.resize(chunks[0].len(), 0.0);
        for (chunk, factor) in chunks.iter().zip(&factors) {
            sum.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += factor * x);
        }
        bytes.clear();
        with_float!(types.dtype, F => round::<F>(&mut sum));
        with_float!(types.out, F => sum.iter().for_each(|x| F::write(*x, &mut bytes)));
        sink.write(&output.name, offset, &bytes)?;
        offset += bytes.len() as u64;
        Ok(())
    })
}

fn round<F: Float>(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = F::round(*x));
}

/// Weights, divided by their sum where asked for.
fn linear(output: &Output) -> Vec<f32> {
    let sum: f64 = output.parts.iter().map(|part| part.weight).sum();
    let sum = if output.is_normalised && sum.abs() > NO_LENGTH { sum } else { 1.0 };
    output.parts.iter().map(|part| (part.weight / sum) as f32).collect()
}

/// The factors of both tensors on the way from the first to the second, as a fraction of the angle between them (Shoemake, 1985).
fn slerp(sources: &mut Sources<'_>, parts: &[Part]) -> Result<Vec<f32>, CompressError> {
    let Some(t) = parts.get(1).map(|part| part.weight) else { return Ok(vec![1.0]) };
    let (mut dot, mut squares) = (0.0, [0.0; 2]);
    sources.each_chunk(|chunks| {
        let [a, b] = [&chunks[0], &chunks[1]];
        dot += product(a, b);
        squares[0] += product(a, a);
        squares[1] += product(b, b);
        Ok(())
    })?;
    let length = |squares: f64| if squares.sqrt() > NO_LENGTH { squares.sqrt() } else { 1.0 };
    let cosine: f64 = dot / (length(squares[0]) * length(squares[1]));
    if cosine.abs() > PARALLEL {
        return Ok(vec![(1.0 - t) as f32, t as f32]);
    }
    let angle = cosine.acos();
    Ok([1.0 - t, t].map(|share| ((share * angle).sin() / angle.sin()) as f32).to_vec())
}

/// Σ xy, in eight sums, which are vectorised.
fn product(x: &[f32], y: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (x, x_rest) = x.as_chunks::<8>();
    let (y, y_rest) = y.as_chunks::<8>();
    for (x, y) in x.iter().zip(y) {
        (0..8).for_each(|i| sums[i] += f64::from(x[i]) * f64::from(y[i]));
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The tensors that are combined.
struct Sources<'m> {
    rows: Vec<Rows<'m>>,
    names: Vec<String>,
    shape: Shape,
    dtype: DType,
}

impl<'m> Sources<'m> {
    fn open(models: &'m Models, parts: &[Part], dtype: DType) -> Result<Self, CompressError> {
        let mut rows = Vec::new();
        for part in parts {
            rows.push(model(models, &part.model)?.rows(&part.name)?);
        }
        let shape = rows[0].shape();
        if let Some((other, part)) = rows.iter().zip(parts).find(|(rows, _)| rows.shape() != shape) {
            return Err(CompressError::Shapes {
                name: part.name.clone(),
                models: [parts[0].model.clone(), part.model.clone()],
                shapes: [shape, other.shape()],
            });
        }
        let names = parts.iter().map(|part| format!("{} of {}", part.name, part.model)).collect();
        Ok(Self { rows, names, shape, dtype })
    }

    /// Goes through all tensors at once, some rows at a time.
    fn each_chunk(
        &mut self,
        mut visit: impl FnMut(&[Vec<f32>]) -> Result<(), CompressError>,
    ) -> Result<(), CompressError> {
        let n_columns = self.shape.n_columns().max(1);
        each_chunk_of(&mut self.rows, 1, |start, chunks| {
            for (chunk, name) in chunks.iter_mut().zip(&self.names) {
                check_finite(name, start, chunk, n_columns)?;
                with_float!(self.dtype, F => round::<F>(chunk));
            }
            visit(chunks)
        })
    }
}
