//! What to generate, and how.

use hala_text::{Specials, Thinking};

use crate::draft::mode::Draft;
use crate::sampling::Sampling;

/// What to generate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerateOptions {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The most tokens; `None` for as many as the context has room for.
    pub max_tokens: Option<usize>,
    /// Strings that end the text; they are not part of it. A thought before the text may have them.
    pub stop: Vec<String>,
    /// Ids that end the text, besides those of the checkpoint.
    pub stop_ids: Vec<u32>,
    /// Whether the checkpoint's end-of-text ids are ignored.
    pub ignore_eos: bool,
    /// Whether special tokens are part of the text, such as the marks about a call of a tool. Those that end it never are.
    pub specials: Specials,
    /// How the text begins: whether a thought may come before it, which is then told apart. [`Conversation::prompt`] finds it out.
    ///
    /// [`Conversation::prompt`]: crate::Conversation::prompt
    pub thinking: Thinking,
    /// Whether tokens are proposed where the text repeats something, so that a run gives several.
    pub draft: Draft,
    /// Log-probabilities wanted with each token: of the chosen one and of this many of the likeliest.
    pub logprobs: Option<usize>,
}

impl GenerateOptions {
    /// Those of the `i`-th of several texts after one prompt: seeds follow each other, and after the last comes 0.
    pub fn of_choice(&self, i: u64) -> Self {
        let sampling = Sampling { seed: self.sampling.seed.wrapping_add(i), ..self.sampling.clone() };
        Self { sampling, ..self.clone() }
    }
}
