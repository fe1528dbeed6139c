//! What the machine can do at most: multiplications.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Operations a second of `n_threads` threads that multiply and add f32 in registers, two operations each.
pub fn multiply_add(n_threads: usize) -> f64 {
    const N: usize = 20_000_000;
    let pass = || {
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..n_threads {
                scope.spawn(|| black_box(chains(black_box(N))));
            }
        });
        (n_threads * N * N_LANES * 2) as f64 / start.elapsed().as_secs_f64()
    };
    (0..7).map(|_| pass()).fold(0.0, f64::max)
}

/// Twelve independent vectors of eight.
const N_LANES: usize = 96;

#[cfg(target_arch = "x86_64")]
fn chains(n: usize) -> f32 {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the machine has the features.
        unsafe { fused(n) }
    } else {
        plain(n)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn chains(n: usize) -> f32 {
    plain(n)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused(n: usize) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
    let mut sums = [_mm256_set1_ps(1.0); 12];
    for _ in 0..n {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, a, b);
        }
    }
    sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
}

fn plain(n: usize) -> f32 {
    let (a, b) = (black_box(0.999), black_box(0.001));
    let mut sums = [1.0f32; N_LANES];
    for _ in 0..n {
        for sum in &mut sums {
            *sum = *sum * a + b;
        }
    }
    sums.iter().sum()
}
