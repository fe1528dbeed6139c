//! The threaded path: every op shared out over threads, with kernels for the machine's instructions.
//!
//! Work is split by output rows (of products), by tokens (of norms and rotations), by channels (of the convolution) and by
//! key/value heads (of attention), never along a sum: a token's result is the same with any number of threads and
//! however a prompt is cut into runs. Sums are in f32, in a fixed order of several partial sums.

pub(crate) mod add;
pub(crate) mod attention;
pub(crate) mod concat;
pub(crate) mod convolve;
pub(crate) mod embed;
pub(crate) mod float_panels;
pub(crate) mod floats;
pub(crate) mod gate;
pub(crate) mod isa;
pub(crate) mod layout;
pub(crate) mod level;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod panels;
pub(crate) mod rope_kv;
pub(crate) mod round;
pub(crate) mod short_conv;
pub(crate) mod softcap;
pub(crate) mod swiglu;
#[cfg(feature = "training")]
pub(crate) mod training;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_floats;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_floats;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
mod inputs;
mod machine;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_floats;
mod pieces;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
mod product;
mod quantised;
mod scratch;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128_floats;
#[cfg(test)]
mod tests;
mod tiles;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use machine::Machine;
pub(crate) use scratch::Scratch;
