//! What the kernels for x86-64 share.

use std::arch::x86_64::{__m256, _MM_HINT_T0, _mm_prefetch, _mm256_storeu_ps};

use super::layout::N_ROWS;

/// Bytes: 1 and 2 KiB gain less, 8 KiB no more.
const AHEAD: usize = 4096;

/// Asks for the codes that come [`AHEAD`] later: with one token they come from memory, and the processor's own reading ahead ends at
/// each 4 KiB.
#[inline(always)]
pub(super) fn prefetch(codes: *const i8) {
    // SAFETY: what is asked for is not read, so it may be anywhere.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(codes.wrapping_add(AHEAD)) };
}

/// Sixteen sums.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn stored([low, high]: [__m256; 2]) -> [f32; N_ROWS] {
    let mut out = [0.0; N_ROWS];
    // SAFETY: `out` has room for two times 8 floats.
    unsafe {
        _mm256_storeu_ps(out.as_mut_ptr(), low);
        _mm256_storeu_ps(out.as_mut_ptr().add(8), high);
    }
    out
}
