//! Gemma 2's norms, of which GGUF files hold the factors and checkpoints what these are beyond 1.

use super::fault::{GgufFault, wrong};
use super::header::Tensor;
use crate::file_dtype::FileDType;

/// The values of a norm as a checkpoint has them, in f32; `None` for other tensors.
///
/// Taking 1 away is exact for factors from ½, and so is adding it again. The tensor is then one of f32.
///
/// # Errors
/// A norm that holds no floats.
pub(super) fn beyond_1(tensor: &mut Tensor, file: &[u8]) -> Result<Option<Vec<u8>>, GgufFault> {
    if !tensor.name.ends_with("norm.weight") {
        return Ok(None);
    }
    let factors = tensor.floats(file);
    let factors = factors.ok_or_else(|| {
        wrong(&tensor.name, &format!("it is a norm in {}, and F32 is expected", tensor.dtype))
    })?;
    let values: Vec<u8> = factors.iter().flat_map(|x| (x - 1.0).to_le_bytes()).collect();
    tensor.dtype = FileDType::F32;
    tensor.range.end = tensor.range.start + values.len();
    Ok(Some(values))
}
