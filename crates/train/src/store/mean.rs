//! The mean of checkpoints, value by value.

use std::path::PathBuf;

use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::run_fault::RunFault;

/// The mean of a tensor over folders, summed in f64 in their order.
///
/// # Errors
/// A folder that cannot be read, or lacks the tensor.
pub fn mean_of(folders: &[PathBuf], name: &str) -> Result<Vec<f32>, RunFault> {
    let mut sum: Vec<f64> = Vec::new();
    for folder in folders {
        let values = Checkpoint::open(folder)?.load(name, DType::F32)?.to_f32();
        sum.resize(values.len(), 0.0);
        sum.iter_mut().zip(&values).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    Ok(sum.into_iter().map(|sum| (sum / folders.len() as f64) as f32).collect())
}
