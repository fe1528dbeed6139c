//! What a new tokenizer is to be like.

use std::collections::BTreeSet;

use crate::error::TrainError;

/// Special tokens that every tokenizer made here has, at the ids that LFM2 has them at.
pub(crate) const SPECIAL: [&str; 14] = [
    "<|pad|>",
    "<|startoftext|>",
    "<|endoftext|>",
    "<|fim_pre|>",
    "<|fim_mid|>",
    "<|fim_suf|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|tool_list_start|>",
    "<|tool_list_end|>",
    "<|tool_call_start|>",
    "<|tool_call_end|>",
    "<|tool_response_start|>",
    "<|tool_response_end|>",
];
/// The one that fills rows.
pub(crate) const PAD: &str = SPECIAL[0];
/// The one that begins a text.
pub(crate) const BOS: &str = SPECIAL[1];
/// The one that ends a turn and a text.
pub(crate) const EOS: &str = SPECIAL[7];

/// Bytes, which are the alphabet.
const N_BYTES: usize = 256;

/// How digits become tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digits {
    /// Up to three at once, as in most models.
    #[default]
    UpToThree,
    /// Each alone, so that a number is always cut in the same way.
    Single,
}

impl Digits {
    /// The rule by which texts are cut into words before their bytes are joined: LFM2's, with vowel marks kept on their letters.
    ///
    /// LFM2 and those that it took the rule from cut a word of Arabic behind each vowel mark, because marks are no letters to a regular expression.
    pub(crate) fn rule(self) -> String {
        let digits = match self {
            Self::UpToThree => r"\p{N}{1,3}",
            Self::Single => r"\p{N}",
        };
        format!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|{digits}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    }
}

/// What a new tokenizer is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerOptions {
    /// Tokens in all: special ones, bytes, what is found, whole texts.
    pub n_vocab: usize,
    /// How digits become tokens.
    pub digits: Digits,
    /// Special tokens beside LFM2's.
    pub special: Vec<String>,
    /// Texts that are one token each wherever they stand, such as an instruction that begins every prompt.
    pub whole: Vec<String>,
    /// How often a pair must occur to become a token.
    pub min_frequency: u64,
    /// The chat template; LFM2's without one.
    pub chat_template: Option<String>,
}

impl TokenizerOptions {
    /// A tokenizer of so many tokens.
    #[must_use]
    pub fn new(n_vocab: usize) -> Self {
        let (special, whole) = (Vec::new(), Vec::new());
        Self { n_vocab, digits: Digits::default(), special, whole, min_frequency: 2, chat_template: None }
    }

    /// All special tokens, in the order of their ids.
    pub(crate) fn all_special(&self) -> Vec<&str> {
        SPECIAL.into_iter().chain(self.special.iter().map(String::as_str)).collect()
    }

    /// Checks that the tokens are told apart and have room.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let mut seen = BTreeSet::new();
        for token in self.all_special().into_iter().chain(self.whole.iter().map(String::as_str)) {
            if token.is_empty() || !seen.insert(token) {
                let expected = "a text that no other token is";
                return Err(TrainError::Setting {
                    setting: "a token",
                    found: format!("{token:?}"),
                    expected,
                });
            }
        }
        let least = seen.len() + N_BYTES;
        if self.n_vocab < least {
            return Err(TrainError::SmallVocabulary { n_vocab: self.n_vocab, least });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart_and_have_room() {
        assert!(TokenizerOptions::new(270).check().is_ok());
        let error = TokenizerOptions::new(269).check().unwrap_err().to_string();
        assert!(error.contains("269") && error.contains("270"), "{error}");
        for special in ["", "<|im_end|>"] {
            let options =
                TokenizerOptions { special: vec![special.to_owned()], ..TokenizerOptions::new(300) };
            assert!(options.check().unwrap_err().to_string().contains("no other token is"));
        }
        let twice = TokenizerOptions { whole: vec!["a b".to_owned(); 2], ..TokenizerOptions::new(300) };
        assert!(twice.check().is_err());
    }
}
