//! Cuts a sentence that is too long for the context, and puts aside what cannot be cut.

use std::ops::Range;

use hala_plan::Backend;
use hala_text::fold::EasternForms;
use hala_text::{Language, translation_request};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::segment::Obstacle;

/// A part of a sentence, as bytes of the whole text.
#[derive(Debug)]
pub(crate) enum Part {
    /// White space, or nothing where a cut is between two characters.
    Space(Range<usize>),
    /// To be translated.
    Prompted { range: Range<usize>, prompt: Vec<u32> },
    /// To be passed through as it is.
    Stuck(Range<usize>, Obstacle),
}

/// Bytes for each token of the context that are too many however a text is encoded: longer ones are cut before they are
/// encoded, which takes its time.
const MAX_BYTES_PER_TOKEN: usize = 16;

/// Makes prompts of sentences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutter<'a, B: Backend> {
    pub(crate) engine: &'a Engine<B>,
    /// The language to translate into.
    pub(crate) to: Language,
    pub(crate) eastern: EasternForms,
}

impl<B: Backend> Cutter<'_, B> {
    /// The prompt for one sentence.
    ///
    /// # Errors
    /// As for [`Engine::chat_prompt`].
    pub(crate) fn prompt(&self, sentence: &str) -> Result<Vec<u32>, EngineError> {
        self.engine.chat_prompt(&[translation_request(sentence, self.to, self.eastern)], &[])
    }

    /// The parts of the sentence at `range` of `text`, in their order: the sentence itself where it fits, else halves of
    /// it and of them, cut behind commas before spaces. What has neither and is too long is copied, as is what cannot be
    /// prompted. The parts put together are the sentence.
    ///
    /// # Errors
    /// What no other sentence would avoid.
    pub(crate) fn parts(&self, text: &str, range: Range<usize>) -> Result<Vec<Part>, EngineError> {
        let mut parts = Vec::new();
        self.add(text, range, &mut parts)?;
        Ok(parts)
    }

    fn add(&self, text: &str, range: Range<usize>, parts: &mut Vec<Part>) -> Result<(), EngineError> {
        let part = &text[range.clone()];
        let context = self.engine.model().facts().context;
        let prompt = match self.prompt_of(part, context)? {
            Prompt::Fits(prompt) => {
                parts.push(Part::Prompted { range, prompt });
                return Ok(());
            }
            Prompt::Refused => {
                parts.push(Part::Stuck(range, Obstacle::Refused));
                return Ok(());
            }
            Prompt::Long(prompt) => prompt,
        };
        let Some(gap) = middle_gap(part) else {
            // As much room is left for the translation as the source takes.
            parts.push(match prompt.filter(|prompt| prompt.len() <= context / 2) {
                Some(prompt) => Part::Prompted { range, prompt },
                None => Part::Stuck(range, Obstacle::TooLong),
            });
            return Ok(());
        };
        let gap = range.start + gap.start..range.start + gap.end;
        self.add(text, range.start..gap.start, parts)?;
        parts.push(Part::Space(gap.clone()));
        self.add(text, gap.end..range.end, parts)
    }

    fn prompt_of(&self, part: &str, context: usize) -> Result<Prompt, EngineError> {
        if part.len() > MAX_BYTES_PER_TOKEN * context {
            return Ok(Prompt::Long(None));
        }
        match self.prompt(part) {
            Ok(prompt) if prompt.len() <= context / 3 => Ok(Prompt::Fits(prompt)),
            Ok(prompt) => Ok(Prompt::Long(Some(prompt))),
            Err(EngineError::Text(_)) => Ok(Prompt::Refused),
            Err(error) => Err(error),
        }
    }
}

/// What became of prompting a part.
enum Prompt {
    Fits(Vec<u32>),
    /// None where it is so long that it was not encoded.
    Long(Option<Vec<u32>>),
    /// The template or the tokenizer did not take it.
    Refused,
}

/// Where a text is cut in two: the white space behind the comma or semicolon that is nearest to its middle, else the
/// white space there; `None` where it has neither inside. Commas of Arabic and Chinese need no space behind them.
fn middle_gap(text: &str) -> Option<Range<usize>> {
    let middle = text.len() / 2;
    // Both halves have a letter or digit.
    let (first, last) = (text.find(char::is_alphanumeric)?, text.rfind(char::is_alphanumeric)?);
    let nearest = |gaps: &mut dyn Iterator<Item = Range<usize>>| {
        let inside = gaps.filter(|gap| first < gap.start && gap.end <= last);
        inside.min_by_key(|gap| gap.start.abs_diff(middle))
    };
    let space_from = |at: usize| at..text.len() - text[at..].trim_start().len();
    let behind_marks = text.char_indices().filter(|(_, c)| is_comma(*c)).filter_map(|(at, c)| {
        let gap = space_from(at + c.len_utf8());
        (!c.is_ascii() || !gap.is_empty()).then_some(gap)
    });
    let starts = text
        .char_indices()
        .filter(|(at, c)| c.is_whitespace() && !text[..*at].ends_with(char::is_whitespace));
    nearest(&mut { behind_marks }).or_else(|| nearest(&mut starts.map(|(at, _)| space_from(at))))
}

fn is_comma(c: char) -> bool {
    matches!(c, ',' | ';' | '،' | '؛' | '、' | '，' | '；')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(text: &str) -> Option<(&str, &str)> {
        middle_gap(text).map(|gap| (&text[..gap.start], &text[gap.end..]))
    }

    #[test]
    fn a_text_is_cut_behind_the_comma_nearest_to_its_middle() {
        assert_eq!(halves("a, b c, d e f, g"), Some(("a, b c,", "d e f, g")));
        assert_eq!(halves("قال نعم، ثم ذهب إلى البيت"), Some(("قال نعم،", "ثم ذهب إلى البيت")));
        assert_eq!(halves("one two; three"), Some(("one two;", "three")));
        assert_eq!(halves("你好，世界"), Some(("你好，", "世界")));
    }

    #[test]
    fn without_a_comma_it_is_cut_at_white_space_which_stays_whole() {
        assert_eq!(halves("one two  three four"), Some(("one two", "three four")));
        assert_eq!(halves("1,000,000 people"), Some(("1,000,000", "people")));
        assert_eq!(halves(r#"{"a":1,"b":[2,3]}"#), None);
    }

    #[test]
    fn neither_half_is_without_a_letter_or_digit() {
        for text in ["", "word", " word ", "- word", "word !", ", word ,"] {
            assert_eq!(halves(text), None, "{text:?}");
        }
    }
}
