//! How the error of int8 weights depends on the size of their groups.

use anyhow::Result;
use hala_benches::weights::Rng;
use hala_tensor::{DType, Shape, TensorBuilder};

const N_ROWS: usize = 256;
const N_COLUMNS: usize = 4608;

/// Prints a table of group sizes.
pub(crate) fn print() -> Result<()> {
    println!("\n| weights | bits a weight | error, normal | error, heavy-tailed |\n|---|---|---|---|");
    let shape = Shape::matrix(N_ROWS, N_COLUMNS);
    let groups = [16, 32, 64, 128, 256, N_COLUMNS].map(|group| DType::Int8 { group });
    for dtype in groups.into_iter().chain([DType::E4M3]) {
        let bits = dtype.n_bytes(shape) as f64 * 8.0 / shape.n_elements() as f64;
        let (normal, heavy) = (error(dtype, Rng::normal)?, error(dtype, Rng::heavy)?);
        println!("| {dtype} | {bits:.2} | {:.3} % | {:.3} % |", normal * 100.0, heavy * 100.0);
    }
    Ok(())
}

/// Root mean square of the error, relative to that of the weights.
fn error(dtype: DType, draw: fn(&mut Rng) -> f32) -> Result<f64> {
    let shape = Shape::matrix(N_ROWS, N_COLUMNS);
    let mut rng = Rng(7);
    let values: Vec<f32> = (0..shape.n_elements()).map(|_| draw(&mut rng)).collect();
    let mut builder = TensorBuilder::new(shape, dtype)?;
    for row in values.chunks(N_COLUMNS) {
        builder.push_row(row)?;
    }
    let found = builder.finish()?.to_f32();
    let squares = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x) * f64::from(x)).sum::<f64>();
    let errors = squares(&mut values.iter().zip(&found).map(|(a, b)| a - b));
    Ok((errors / squares(&mut values.iter().copied())).sqrt())
}
