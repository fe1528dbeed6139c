//! The innermost loops of products: a tile of sums in registers, over packed operands.

/// What computes a tile: `sums[r, n] = Σₖ a[k, r] · b[k, n]`, with `a` packed `[K, n_rows]` and `b` `[K, n_columns]`, each a word: an f32, or a pair of
/// bf16 of which the earlier is the lower half. The sums are written to rows of `c`, `stride` elements apart, or added to them.
///
/// # Safety
/// The machine has the instructions, and all three point to as many words as that says.
type TileFn = unsafe fn(n_steps: usize, operands: [*const u32; 2], c: *mut f32, stride: usize, add: bool);

/// A kernel, with the shape of its tiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    /// Rows of a tile.
    pub(super) n_rows: usize,
    /// Columns of a tile.
    pub(super) n_columns: usize,
    /// Elements of a word: 2 where products are of bf16.
    pub(super) per_word: usize,
    tile: TileFn,
}

impl Kernel {
    /// The kernel of f32 products for what the machine has.
    pub(crate) fn f32() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self { n_rows: 14, n_columns: 32, per_word: 1, tile: x86::tile_avx512 };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self { n_rows: 6, n_columns: 16, per_word: 1, tile: x86::tile_avx2 };
            }
        }
        Self { n_rows: PORTABLE_ROWS, n_columns: PORTABLE_COLUMNS, per_word: 1, tile: tile_portable }
    }

    /// All kernels that this machine has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let portable =
            Self { n_rows: PORTABLE_ROWS, n_columns: PORTABLE_COLUMNS, per_word: 1, tile: tile_portable };
        let mut found = vec![portable, Self::f32()];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            found.push(Self { n_rows: 6, n_columns: 16, per_word: 1, tile: x86::tile_avx2 });
        }
        found.extend(Self::bf16());
        found
    }

    /// The kernel of bf16 products, whose sums are f32; `None` where the machine has no instructions for them.
    pub(crate) fn bf16() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16") {
            return Some(Self { n_rows: 14, n_columns: 32, per_word: 2, tile: x86::tile_bf16 });
        }
        None
    }

    /// Computes a tile; see [`TileFn`].
    ///
    /// # Panics
    /// Slices that are too short.
    pub(super) fn tile(&self, n_steps: usize, [a, b]: [&[u32]; 2], c: (&mut [f32], usize), add: bool) {
        let (c, stride) = c;
        assert!(a.len() >= n_steps * self.n_rows && b.len() >= n_steps * self.n_columns);
        assert!(c.len() >= (self.n_rows - 1) * stride + self.n_columns);
        // SAFETY: kernels are made only where the machine has their instructions, and the lengths were checked.
        unsafe { (self.tile)(n_steps, [a.as_ptr(), b.as_ptr()], c.as_mut_ptr(), stride, add) }
    }
}

const PORTABLE_ROWS: usize = 4;
const PORTABLE_COLUMNS: usize = 8;

/// See [`TileFn`].
unsafe fn tile_portable(n_steps: usize, [a, b]: [*const u32; 2], c: *mut f32, stride: usize, add: bool) {
    let mut sums = [[0.0f32; PORTABLE_COLUMNS]; PORTABLE_ROWS];
    for step in 0..n_steps {
        // SAFETY: the caller's promise.
        let (a, b) = unsafe {
            (
                &*a.add(step * PORTABLE_ROWS).cast::<[f32; PORTABLE_ROWS]>(),
                &*b.add(step * PORTABLE_COLUMNS).cast::<[f32; PORTABLE_COLUMNS]>(),
            )
        };
        for (sums, a) in sums.iter_mut().zip(a) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        // SAFETY: the caller's promise.
        let c = unsafe { std::slice::from_raw_parts_mut(c.add(r * stride), PORTABLE_COLUMNS) };
        for (c, sum) in c.iter_mut().zip(sums) {
            *c = if add { *c + sum } else { *sum };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512, __m512bh, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_storeu_ps, _mm512_add_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_loadu_si512, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    use std::mem::transmute;

    /// See [`TileFn`](super::TileFn): 14 rows of two vectors, so that 28 sums and both vectors of `b` fill the 32 registers.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn tile_avx512(
        n_steps: usize,
        [a, b]: [*const u32; 2],
        c: *mut f32,
        stride: usize,
        add: bool,
    ) {
        let (mut a, mut b) = (a.cast::<f32>(), b.cast::<f32>());
        let mut sums = [[_mm512_setzero_ps(); 2]; 14];
        for _ in 0..n_steps {
            // SAFETY: the caller's promise.
            unsafe {
                let [left, right] = [_mm512_loadu_ps(b), _mm512_loadu_ps(b.add(16))];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let a = _mm512_set1_ps(*a.add(r));
                    sums[0] = _mm512_fmadd_ps(a, left, sums[0]);
                    sums[1] = _mm512_fmadd_ps(a, right, sums[1]);
                }
                (a, b) = (a.add(14), b.add(32));
            }
        }
        // SAFETY: the caller's promise.
        unsafe { write_512(&sums, c, stride, add) }
    }

    /// See [`TileFn`](super::TileFn): pairs of bf16.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn tile_bf16(
        n_steps: usize,
        [mut a, mut b]: [*const u32; 2],
        c: *mut f32,
        stride: usize,
        add: bool,
    ) {
        let mut sums = [[_mm512_setzero_ps(); 2]; 14];
        for _ in 0..n_steps {
            // SAFETY: the caller's promise; the vectors hold pairs of bf16 whatever their type says.
            unsafe {
                let pair = |b: *const u32| transmute::<_, __m512bh>(_mm512_loadu_si512(b.cast()));
                let [left, right] = [pair(b), pair(b.add(16))];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let a: __m512bh = transmute(_mm512_set1_epi32((*a.add(r)).cast_signed()));
                    sums[0] = _mm512_dpbf16_ps(sums[0], a, left);
                    sums[1] = _mm512_dpbf16_ps(sums[1], a, right);
                }
                (a, b) = (a.add(14), b.add(32));
            }
        }
        // SAFETY: the caller's promise.
        unsafe { write_512(&sums, c, stride, add) }
    }

    /// Writes sums, or adds them.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn write_512(sums: &[[__m512; 2]; 14], c: *mut f32, stride: usize, add: bool) {
        for (r, sums) in sums.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let c = c.add(r * stride + 16 * i);
                    let sum = if add { _mm512_add_ps(_mm512_loadu_ps(c), *sum) } else { *sum };
                    _mm512_storeu_ps(c, sum);
                }
            }
        }
    }

    /// See [`TileFn`](super::TileFn): 6 rows of two vectors fill 12 of the 16 registers.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn tile_avx2(
        n_steps: usize,
        [a, b]: [*const u32; 2],
        c: *mut f32,
        stride: usize,
        add: bool,
    ) {
        let (mut a, mut b) = (a.cast::<f32>(), b.cast::<f32>());
        let mut sums = [[_mm256_setzero_ps(); 2]; 6];
        for _ in 0..n_steps {
            // SAFETY: the caller's promise.
            unsafe {
                let [left, right] = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let a = _mm256_set1_ps(*a.add(r));
                    sums[0] = _mm256_fmadd_ps(a, left, sums[0]);
                    sums[1] = _mm256_fmadd_ps(a, right, sums[1]);
                }
                (a, b) = (a.add(6), b.add(16));
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let c = c.add(r * stride + 8 * i);
                    let sum = if add { _mm256_add_ps(_mm256_loadu_ps(c), *sum) } else { *sum };
                    _mm256_storeu_ps(c, sum);
                }
            }
        }
    }
}
