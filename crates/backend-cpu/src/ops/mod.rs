//! Every op as a plain loop with f64 sums: the specification that runs.

pub(crate) mod add;
pub(crate) mod attention;
pub(crate) mod concat;
pub(crate) mod convolve;
pub(crate) mod embed;
pub(crate) mod gate;
pub(crate) mod gather;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod rope_kv;
pub(crate) mod round;
pub(crate) mod sample;
pub(crate) mod short_conv;
pub(crate) mod softcap;
pub(crate) mod swiglu;
#[cfg(feature = "training")]
pub(crate) mod training;

/// An element of a KV cache.
pub(crate) trait Cell: Copy + Send + Sync + bytemuck::Zeroable {
    /// The nearest cell to a value.
    fn from_value(value: f32) -> Self;
    /// The cell's value.
    fn value(self) -> f32;
}

impl Cell for f32 {
    fn from_value(value: f32) -> Self {
        value
    }

    fn value(self) -> f32 {
        self
    }
}

impl Cell for half::f16 {
    fn from_value(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn value(self) -> f32 {
        self.to_f32()
    }
}

/// `out = weight · x / √(mean(x²) + eps)`
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let sum: f64 = x.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    let inverse = 1.0 / (sum / x.len() as f64 + f64::from(eps)).sqrt();
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = (f64::from(*w) * (f64::from(*x) * inverse)) as f32;
    }
}

/// `Σ a[i] · b[i]` in f64.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
