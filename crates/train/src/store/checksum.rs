//! A sum over all bytes of a training state, which differs where any of them does.

/// An odd number whose bits are mixed well, so that multiplying loses nothing: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum so far. It tells damage, and is no proof against those who forge.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checksum(u64);

impl Checksum {
    /// Adds a text.
    pub(super) fn add_text(&mut self, text: &str) {
        self.add_word(text.len() as u64);
        text.bytes().for_each(|byte| self.add_word(byte.into()));
    }

    /// Adds values, bit by bit.
    pub(super) fn add_values(&mut self, values: &[f32]) {
        self.add_word(values.len() as u64);
        values.iter().for_each(|value| self.add_word(value.to_bits().into()));
    }

    /// Each step can be undone, so sums that differ once differ to the end.
    fn add_word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(FACTOR).rotate_left(29);
    }

    /// The sum of all.
    pub(super) fn sum(self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_differs_where_a_bit_does() {
        let values: Vec<f32> = (0..100u8).map(f32::from).collect();
        let sum = |values: &[f32], text: &str| {
            let mut sum = Checksum::default();
            sum.add_values(values);
            sum.add_text(text);
            sum.sum()
        };
        for i in 0..100 {
            let mut other = values.clone();
            other[i] = f32::from_bits(other[i].to_bits() ^ 1 << (i % 32));
            assert_ne!(sum(&other, "x"), sum(&values, "x"), "{i}");
        }
        assert_ne!(sum(&values, "x"), sum(&values, "y"));
        assert_ne!(sum(&[0.0], ""), sum(&[0.0, 0.0], ""));
    }
}
