//! Gemma 2's norms, of which GGUF files hold the factors and checkpoints what these are beyond 1.

use super::fault::{GgufFault, wrong};
use super::header::Tensor;
use crate::file_dtype::FileDType;

/// Whether a tensor is a norm, which a checkpoint has in f32.
pub(super) fn is_norm(tensor: &Tensor) -> bool {
    tensor.name.ends_with("norm.weight")
}

/// The values of a norm as a checkpoint has them, in f32, where they were read.
///
/// Taking 1 away is exact for factors from ½, and so is adding it again. The tensor is then one of f32.
///
/// # Errors
/// A norm that holds no floats.
pub(super) fn beyond_1(tensor: &mut Tensor, bytes: Option<&[u8]>) -> Result<Option<Vec<u8>>, GgufFault> {
    let factors = tensor.floats(bytes.unwrap_or_default());
    let factors = factors.ok_or_else(|| {
        wrong(&tensor.name, &format!("it is a norm in {}, and F32 is expected", tensor.dtype))
    })?;
    tensor.dtype = FileDType::F32;
    tensor.range.end = tensor.range.start + tensor.dims.iter().product::<usize>() * size_of::<f32>();
    Ok(bytes.map(|_| factors.iter().flat_map(|x| (x - 1.0).to_le_bytes()).collect()))
}
