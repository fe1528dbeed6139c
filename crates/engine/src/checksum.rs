//! A sum over bytes that differs where any of them does: of files, and of samples of weights.

use std::io::{self, Read, Write};

/// An odd number whose bits are mixed well, so that multiplying loses nothing: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum so far. It tells damage, and is no proof against those who forge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checksum {
    sum: u64,
    /// Bytes that fill no word yet, and how many.
    rest: [u8; 8],
    n_rest: usize,
    n_bytes: u64,
}

impl Checksum {
    /// Adds bytes; however they are cut, the sum is the same.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) {
        self.n_bytes += bytes.len() as u64;
        if self.n_rest > 0 {
            let n = bytes.len().min(8 - self.n_rest);
            self.rest[self.n_rest..][..n].copy_from_slice(&bytes[..n]);
            self.n_rest += n;
            bytes = &bytes[n..];
            if self.n_rest < 8 {
                return;
            }
            self.mix(u64::from_le_bytes(self.rest));
            self.n_rest = 0;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        self.rest[..rest.len()].copy_from_slice(rest);
        self.n_rest = rest.len();
    }

    /// Each step can be undone, so sums that differ once differ to the end.
    fn mix(&mut self, word: u64) {
        self.sum = (self.sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    }

    /// The sum of all bytes.
    pub(crate) fn sum(mut self) -> u64 {
        self.rest[self.n_rest..].fill(0);
        self.mix(u64::from_le_bytes(self.rest));
        self.mix(self.n_bytes);
        self.sum ^ (self.sum >> 32)
    }
}

/// What passes through, summed.
#[derive(Debug)]
pub(crate) struct Summed<T> {
    inner: T,
    checksum: Checksum,
}

impl<T> Summed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, checksum: Checksum::default() }
    }

    /// What is behind it, with the sum.
    pub(crate) fn into_parts(self) -> (T, u64) {
        (self.inner, self.checksum.sum())
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.checksum.add(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(bytes)?;
        self.checksum.add(&bytes[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[&[u8]]) -> u64 {
        let mut checksum = Checksum::default();
        parts.iter().for_each(|part| checksum.add(part));
        checksum.sum()
    }

    #[test]
    fn a_sum_is_of_all_bytes_however_they_are_cut() {
        let bytes: Vec<u8> = (0..100).collect();
        for n in [0, 1, 7, 8, 9, 50, 99, 100] {
            assert_eq!(sum(&[&bytes[..n], &bytes[n..]]), sum(&[&bytes]), "{n}");
        }
        for i in 0..100 {
            let mut other = bytes.clone();
            other[i] ^= 1 << (i % 8);
            assert_ne!(sum(&[&other]), sum(&[&bytes]), "{i}");
        }
        assert_ne!(sum(&[&[0; 3]]), sum(&[&[0; 4]]));
    }
}
