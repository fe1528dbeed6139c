//! Numbers at random that depend on seeds and counters alone, so that the same run sees the same rows anywhere.

/// Mixes 64 bits: the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The seed of the `index`-th of several things that are random in a run of this seed.
#[must_use]
pub fn seed_of(seed: u64, index: u64) -> u64 {
    join(seed, index)
}

/// One number of two.
pub(crate) fn join(a: u64, b: u64) -> u64 {
    mix(a ^ mix(b))
}

/// A hash of bytes that stays the same in every version: FNV-1a of 64 bits, mixed.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let step = |h: u64, byte: &u8| (h ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// A hash of ids.
pub(crate) fn hash_ids(ids: &[u32]) -> u64 {
    ids.iter().fold(0, |h, id| join(h, u64::from(*id)))
}

/// A mixed number as one in [0, 1).
pub(crate) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Draws one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws {
    seed: u64,
    n_drawn: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, n_drawn: 0 }
    }

    /// The next number below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        let bits = join(self.seed, self.n_drawn);
        self.n_drawn += 1;
        // The upper half of the product is below n, and as even as 64 bits allow.
        ((u128::from(bits) * u128::from(n)) >> 64) as u64
    }
}

/// Draws from the standard normal distribution, one after the other (Box and Muller, 1958).
#[derive(Debug, Clone, Copy)]
pub struct Normals {
    seed: u64,
    n_drawn: u64,
}

impl Normals {
    /// Draws that depend on a seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, n_drawn: 0 }
    }

    /// The next number.
    pub fn draw(&mut self) -> f64 {
        let uniform = |i: u64| fraction(join(self.seed, 2 * self.n_drawn + i));
        // 1 − u lies above 0, where the logarithm ends.
        let length = (-2.0 * (1.0 - uniform(0)).ln()).sqrt();
        let drawn = length * (std::f64::consts::TAU * uniform(1)).cos();
        self.n_drawn += 1;
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_the_published_one() {
        // First output of SplitMix64 from state 0.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn hashes_stay_the_same_in_every_version() {
        // FNV-1a of "a" is 0xaf63dc4c8601ec8c.
        assert_eq!(hash(b"a"), mix(0xaf63_dc4c_8601_ec8c));
        assert_ne!(hash(b"ab"), hash(b"ba"));
    }

    #[test]
    fn normals_have_the_moments_of_the_distribution() {
        let mut normals = Normals::new(3);
        let drawn: Vec<f64> = (0..100_000).map(|_| normals.draw()).collect();
        let moment = |power: i32| drawn.iter().map(|x| x.powi(power)).sum::<f64>() / drawn.len() as f64;
        // Of 100,000 draws each is within a few hundredths.
        for (power, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            assert!((moment(power) - expected).abs() < 0.06, "{power}: {}", moment(power));
        }
    }

    #[test]
    fn draws_fill_the_range_evenly() {
        let mut draws = Draws::new(7);
        let mut bins = [0u32; 10];
        (0..10_000).for_each(|_| bins[draws.below(10) as usize] += 1);
        // 10,000 draws into 10 bins: a standard deviation is 30.
        assert!(bins.iter().all(|n| n.abs_diff(1000) < 150), "{bins:?}");
    }
}
