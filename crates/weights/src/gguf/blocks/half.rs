//! Half floats among the bytes of a block.

use ::half::f16;

/// The scale in f16 that a part of a block begins with.
pub(super) fn half(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}
