//! How text is generated: what somebody asks for, joined with what the checkpoint says.

use hala_engine::{Draft, EngineError, GenerateOptions, Sampling, SamplingChoice, SamplingDefaults};

/// What somebody asks of a generation; what is left open is the checkpoint's to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// How tokens are chosen.
    pub sampling: SamplingChoice,
    /// The most tokens.
    pub max_tokens: Option<usize>,
    /// Strings that end the text; they are not part of it.
    pub stop: Vec<String>,
    /// When tokens are proposed and verified together.
    pub draft: Draft,
    /// Log-probabilities wanted with each token: of the chosen one and of this many of the likeliest.
    pub logprobs: Option<usize>,
}

impl Wishes {
    /// The options: each is as asked for, or else the checkpoint's, or else `base`'s where the checkpoint says nothing.
    ///
    /// # Errors
    /// A value outside of its range: one that was asked for, or one of the checkpoint that would count.
    pub fn options(
        self,
        base: &Sampling,
        defaults: &SamplingDefaults,
    ) -> Result<GenerateOptions, EngineError> {
        Ok(GenerateOptions {
            sampling: defaults.choose(base, &self.sampling)?,
            max_tokens: defaults.max_tokens(self.max_tokens)?,
            stop: self.stop,
            draft: self.draft,
            logprobs: self.logprobs,
            ..GenerateOptions::default()
        })
    }

    /// Refuses values that mean nothing, before anything is loaded.
    ///
    /// # Errors
    /// A value outside of its range.
    pub fn check(&self) -> Result<(), EngineError> {
        SamplingDefaults::default().choose(&Sampling::default(), &self.sampling).map(drop)
    }
}
