//! Texts cut into words as the new tokenizer will cut them, its special and whole tokens left out.

use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper,
    SplitDelimiterBehavior,
};

use crate::tokenizer::options::TokenizerOptions;

pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Cuts texts into words.
#[derive(Debug)]
pub(crate) struct Words {
    rule: PreTokenizerWrapper,
    /// Special tokens and whole ones, which are no words.
    tokens: Vec<String>,
}

impl Words {
    pub(crate) fn new(options: &TokenizerOptions) -> Result<Self, Failed> {
        let pattern = SplitPattern::Regex(options.digits.rule());
        let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?;
        let bytes = ByteLevel::new(false, true, false);
        let rule = PreTokenizerWrapper::Sequence(Sequence::new(vec![split.into(), bytes.into()]));
        let mut tokens: Vec<String> = options.all_special().into_iter().map(str::to_owned).collect();
        tokens.extend(options.whole.iter().cloned());
        // Of two that begin alike the longer one is meant.
        tokens.sort_by_key(|token| std::cmp::Reverse(token.len()));
        Ok(Self { rule, tokens })
    }

    /// The rule, for the tokenizer.
    pub(crate) fn rule(&self) -> PreTokenizerWrapper {
        self.rule.clone()
    }

    /// The words of a text, as bytes are written in a vocabulary.
    pub(crate) fn of(&self, text: &str) -> Result<Vec<String>, Failed> {
        let mut words = Vec::new();
        for part in self.parts(text) {
            let mut pieces = PreTokenizedString::from(part);
            self.rule.pre_tokenize(&mut pieces)?;
            let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
            words.extend(splits.into_iter().map(|(word, _, _)| word.to_owned()));
        }
        Ok(words)
    }

    /// The parts of a text between its special and whole tokens.
    fn parts<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut parts = vec![text];
        for token in &self.tokens {
            parts = parts.into_iter().flat_map(|part| part.split(token.as_str())).collect();
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::options::Digits;

    fn words(options: &TokenizerOptions, text: &str) -> Vec<String> {
        Words::new(options)
            .unwrap()
            .of(text)
            .unwrap()
            .into_iter()
            .map(|word| word.replace('Ġ', " "))
            .collect()
    }

    #[test]
    fn digits_are_cut_in_threes_or_one_by_one() {
        let options = TokenizerOptions::new(300);
        assert_eq!(words(&options, "in 12345"), ["in", " ", "123", "45"]);
        let single = TokenizerOptions { digits: Digits::Single, ..options };
        assert_eq!(words(&single, "in 123"), ["in", " ", "1", "2", "3"]);
    }

    #[test]
    fn tokens_are_no_words() {
        let whole = vec!["Translate:".to_owned(), "Translate: now".to_owned()];
        let options = TokenizerOptions { whole, ..TokenizerOptions::new(300) };
        assert_eq!(words(&options, "Translate: now a<|im_end|>b Translate:"), [" a", "b", " "]);
    }

    #[test]
    fn vowel_marks_stay_on_their_letters() {
        let options = TokenizerOptions::new(300);
        for text in ["السَّلَامُ", "كِتَابٌ", "❤️"] {
            assert_eq!(words(&options, text).len(), 1, "{text}");
        }
    }
}
