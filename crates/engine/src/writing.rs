//! The text that tokens make: ids ▸ characters ▸ thought and answer ▸ stop strings.

use hala_text::{Specials, StreamDecoder, TextError, Thinking, Tokenizer};

use crate::options::GenerateOptions;
use crate::stop::{Checked, StopStrings};
use crate::thoughts::{Split, Thoughts};

/// Turns tokens into text as they come; without a tokenizer, into none.
#[derive(Debug)]
pub(crate) struct Writing {
    decoder: Option<StreamDecoder>,
    thoughts: Thoughts,
    stops: StopStrings,
}

/// What a token adds.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// To the thought.
    pub(crate) reasoning: String,
    /// To the answer.
    pub(crate) text: String,
    /// Whether the token is of the thought or its tags.
    pub(crate) is_thought: bool,
    /// Whether a stop string came, which is not part of the text.
    pub(crate) is_stopped: bool,
}

impl Writing {
    /// Text by these options.
    pub(crate) fn new(tokenizer: Option<&Tokenizer>, options: &GenerateOptions) -> Self {
        let decoder = |tokenizer: &Tokenizer| {
            let decoder = tokenizer.stream_decoder(options.specials);
            if options.thinking == Thinking::None {
                return decoder;
            }
            let mut kept = Vec::new();
            kept.extend(tokenizer.id_of(Thinking::OPENING));
            kept.extend(tokenizer.id_of(Thinking::CLOSING));
            decoder.keeping(kept)
        };
        Self {
            decoder: tokenizer.map(decoder),
            thoughts: Thoughts::new(options.thinking),
            stops: StopStrings::new(&options.stop),
        }
    }

    /// Takes the next token.
    ///
    /// # Errors
    /// As for [`StreamDecoder::push`].
    pub(crate) fn push(&mut self, id: u32) -> Result<Written, TextError> {
        let text = self.decoder.as_mut().map(|decoder| decoder.push(id)).transpose()?.unwrap_or_default();
        let split = self.thoughts.push(&text);
        Ok(self.check(split))
    }

    /// The text held back, when no more will come.
    ///
    /// # Errors
    /// As for [`StreamDecoder::finish`].
    pub(crate) fn finish(&mut self) -> Result<Written, TextError> {
        let text = self.decoder.take().map(StreamDecoder::finish).transpose()?.unwrap_or_default();
        let (mut split, rest) = (self.thoughts.push(&text), self.thoughts.finish());
        split.thought += &rest.thought;
        split.answer += &rest.answer;
        let mut written = self.check(split);
        if !written.is_stopped {
            written.text += &self.stops.finish();
        }
        Ok(written)
    }

    /// Begins anew without special tokens, and gives the text of the tokens so far: for translations, which have neither thoughts nor
    /// stop strings.
    ///
    /// # Errors
    /// As for [`StreamDecoder::push`].
    pub(crate) fn rewrite(
        &mut self,
        tokenizer: Option<&Tokenizer>,
        ids: &[u32],
    ) -> Result<String, TextError> {
        self.decoder = tokenizer.map(|tokenizer| tokenizer.stream_decoder(Specials::Skip));
        let mut text = String::new();
        if let Some(decoder) = &mut self.decoder {
            for id in ids {
                text.push_str(&decoder.push(*id)?);
            }
        }
        Ok(text)
    }

    /// Stop strings are for answers: thoughts have paragraphs and examples of their own.
    fn check(&mut self, split: Split) -> Written {
        let (text, is_stopped) = match self.stops.push(&split.answer) {
            Checked::Pass(text) => (text, false),
            Checked::Stop(text) => (text, true),
        };
        Written { reasoning: split.thought, text, is_thought: split.is_thought, is_stopped }
    }
}
