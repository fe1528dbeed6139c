//! Random numbers that depend on the seed and the step alone, so that the same seed gives the same text anywhere.

/// The number of step `step` under `seed`, uniform in [0, 1).
///
/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014) of a counter: a device
/// can compute it without carrying state.
pub(crate) fn uniform(seed: u64, step: u64) -> f64 {
    let mut z = seed.wrapping_add(step.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence_of_seed_zero() {
        // First output of SplitMix64 from state 0 is 0xe220a8397b1dcdaf.
        assert_eq!(uniform(0, 0), (0xe220_a839_7b1d_cdaf_u64 >> 11) as f64 / (1u64 << 53) as f64);
    }

    #[test]
    fn numbers_fill_the_range_evenly() {
        let mut bins = [0usize; 10];
        (0..10_000).for_each(|i| bins[(uniform(7, i) * 10.0) as usize] += 1);
        // 10,000 draws into 10 bins: a standard deviation is 30.
        assert!(bins.iter().all(|n| n.abs_diff(1000) < 150), "{bins:?}");
    }
}
