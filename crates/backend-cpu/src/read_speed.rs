//! How fast the machine reads memory: what decoding, which reads every weight for each token, cannot outrun.

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use web_time::Instant;

use crate::pages::Pages;
use crate::simd::Machine;
use crate::simd::isa::{Isa, Work};

/// Bytes that are read: more than caches hold.
const N_BYTES: usize = 256 << 20;

/// Words that a thread takes at a time at most: 1 MiB.
const PIECE: usize = 128 << 10;

/// Passes over the memory; the fastest counts.
const N_PASSES: usize = 12;

/// Bytes a second that the machine's threads read from memory together.
pub(crate) fn measure(machine: &Machine) -> f64 {
    let words = Pages::<u64>::filled(N_BYTES / size_of::<u64>(), 1);
    let mut sums = vec![0; machine.pool.n_threads()];
    let mut fastest = Duration::MAX;
    for _ in 0..N_PASSES {
        let start = Instant::now();
        machine.pool.share(&mut sums, words.len(), PIECE, |sum, range| {
            machine.level.run(Sum { words: &words, range, sum });
        });
        fastest = fastest.min(start.elapsed());
    }
    black_box(&sums);
    N_BYTES as f64 / fastest.as_secs_f64()
}

/// Adds words up, which is vectorised.
struct Sum<'a> {
    words: &'a [u64],
    range: Range<usize>,
    sum: &'a mut u64,
}

impl Work for Sum<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        *self.sum = self.words[self.range].iter().fold(*self.sum, |sum, word| sum.wrapping_add(*word));
    }
}
