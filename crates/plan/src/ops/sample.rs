//! `id = sample(logits)`: the next token, chosen where its logits are, for the next run to read.
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
//! Inputs: `logits [1, V]`. Outputs: `ids [1]`, the ids of the next run. Besides, a run reads its [`Turn`] and the ids that
//! are banned and seen, adds the id to those seen, and keeps it for the host: see [`Backend::queue`](crate::Backend::queue).

use bytemuck::{Pod, Zeroable};

use crate::{BufferId, Op, PlanError, Recorder, Step};

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

/// What changes from one token to the next, as kernels read it.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Turn {
    /// How the token is chosen.
    pub choice: Choice,
    /// Where it is drawn, from 0 to 1.
    pub at: f32,
    /// Its place among those that the host reads together.
    pub slot: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[1, V]`.
    pub logits: BufferId,
    /// `[1]`, u32: those that the Plan itself reads.
    pub ids: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step) -> Self {
        Self { logits: step.inputs[0], ids: step.outputs[0] }
    }
}

/// Words that hold a set of `n_vocab` ids: id i is bit i % 32 of word i / 32.
pub const fn n_words(n_vocab: usize) -> usize {
    n_vocab.div_ceil(32)
}

/// Puts an id into a set; ids that it has no bit for are passed over.
pub fn insert(set: &mut [u32], id: u32) {
    if let Some(word) = set.get_mut(id as usize / 32) {
        *word |= 1 << (id % 32);
    }
}

/// Whether an id is in a set.
pub fn contains(set: &[u32], id: u32) -> bool {
    set.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
}

impl Recorder {
    /// Appends the op; the Plan must be for one token.
    ///
    /// # Errors
    /// Shapes that do not fit together.
    pub fn sample(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { logits, ids } = args;
        let n_vocab = self.shape(logits).n_columns();
        self.expect(NAME, logits, &[1, n_vocab])?;
        self.expect(NAME, ids, &[1])?;
        self.push(Op::Sample(Params { n_vocab: n_vocab as u32 }), vec![logits], vec![ids]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_ignores_what_it_has_no_bit_for() {
        let mut set = vec![0; n_words(33)];
        [0, 31, 32, 64].into_iter().for_each(|id| insert(&mut set, id));
        assert_eq!(set, [0x8000_0001, 1]);
        let found: Vec<u32> = (0..99).filter(|id| contains(&set, *id)).collect();
        assert_eq!(found, [0, 31, 32]);
    }
}
