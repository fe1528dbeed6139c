//! `ids[t] = sample(logits[t])`: each row's next token, chosen where its logits are, for the next run to read.
//!
//! ```text
//! x′[i] = −∞ where i is banned; x[i] / r or x[i] · r where it was seen and x[i] is above 0 or not; else x[i]
//! temperature 0: the i of the largest x′, the first of equals
//! else: w[i] = exp((x′[i] − max x′) / temperature), the likeliest first, the first of equals before the others;
//!       of them the first top_k, then those before which the sum is below top_p of theirs, then those of at least min_p;
//!       of these the first with which the sum is above the share `at` of theirs
//! ```
//!
//! A backend may decline, and gives [`DECLINED`]: where a logit is NaN or +∞, where all are −∞ and one is to be drawn, and
//! where it cannot be sure that [`MAX_CANDIDATES`] tokens are enough to draw from. Tokens that are e⁻³² times as likely as
//! the likeliest may be left out: they would be drawn once in some 10¹³ times.
//!
//! Inputs: `logits [T, V]`. Outputs: `ids [T]`, the ids of the next run. Besides, each row of a run has its [`Turn`] and the [`TokenSet`]s
//! that are banned and seen, adds its id to those seen, and keeps it for the host: see [`Backend::queue`](crate::Backend::queue).

use bytemuck::{Pod, Zeroable};

use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::Tolerance;

/// The op's name.
pub const NAME: &str = "sample";

/// Candidates that every backend can draw from.
pub const MAX_CANDIDATES: usize = 256;

/// What is chosen where a backend cannot: the host must look at the logits itself.
pub const DECLINED: u32 = u32::MAX;

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// V, logits.
    pub n_vocab: u32,
}

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Choice {
    /// 0 takes the likeliest token, whatever the next three say.
    pub temperature: f32,
    /// Only so many of the likeliest; 0 for all.
    pub top_k: u32,
    /// Only the likeliest that together reach this share; 1 for all.
    pub top_p: f32,
    /// Only those at least so many times as likely as the likeliest; 0 for all.
    pub min_p: f32,
    /// r: tokens seen are so many times less favoured; 1 for no penalty.
    pub repetition_penalty: f32,
}

impl Choice {
    /// The likeliest token.
    pub const GREEDY: Self =
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repetition_penalty: 1.0 };
}

/// What changes from one of a row's tokens to the next, as kernels read it.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Turn {
    /// How the token is chosen.
    pub choice: Choice,
    /// Where it is drawn, from 0 to 1.
    pub at: f32,
    /// Its place among those that the host reads together.
    pub place: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, V]`.
    pub logits: BufferId,
    /// `[T]`, u32: those that the Plan itself reads.
    pub ids: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        Self { logits: io.inputs[0], ids: io.outputs[0] }
    }
}

/// A set of token ids, a bit each: id i is bit i % 32 of word i / 32, as kernels read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenSet {
    words: Vec<u32>,
}

impl TokenSet {
    /// The empty set of a vocabulary of `n_vocab`.
    pub fn new(n_vocab: usize) -> Self {
        Self { words: vec![0; Self::n_words(n_vocab)] }
    }

    /// The set of these ids.
    pub fn of(n_vocab: usize, ids: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::new(n_vocab);
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }

    /// Words that hold a set of `n_vocab` ids.
    pub const fn n_words(n_vocab: usize) -> usize {
        n_vocab.div_ceil(32)
    }

    /// The words.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Puts an id in; ids that the vocabulary lacks are passed over.
    pub fn insert(&mut self, id: u32) {
        if let Some(word) = self.words.get_mut(id as usize / 32) {
            *word |= 1 << (id % 32);
        }
    }

    /// Whether an id is in.
    pub fn contains(&self, id: u32) -> bool {
        self.words.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
    }

    /// Takes out all ids.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Makes it hold what `other` holds, of the ids that it has bits for.
    pub fn copy_from(&mut self, other: &Self) {
        self.clear();
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word = *other);
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { logits, ids } = self;
        let n_vocab = declared.shape(logits).n_columns();
        declared.expect_activations(NAME, logits, [declared.n_tokens(), n_vocab])?;
        declared.expect(NAME, ids, &[declared.n_tokens()])?;
        Ok(Recorded { params: Params { n_vocab: n_vocab as u32 }, inputs: vec![logits], outputs: vec![ids] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn n_chosen_from(&self) -> Option<usize> {
        Some(self.n_vocab as usize)
    }

    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        // Ids are no numbers that could be near.
        None
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        let n_bytes = 4 * self.n_vocab as usize;
        Work { sizes: self.n_vocab.to_string(), n_bytes, n_flops: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_ignores_what_it_has_no_bit_for() {
        let set = TokenSet::of(33, [0, 31, 32, 64]);
        assert_eq!(set.words(), [0x8000_0001, 1]);
        let found: Vec<u32> = (0..99).filter(|id| set.contains(*id)).collect();
        assert_eq!(found, [0, 31, 32]);
        let mut larger = TokenSet::of(64, [5]);
        larger.copy_from(&set);
        assert_eq!(larger, TokenSet::of(64, [0, 31, 32]));
    }
}
