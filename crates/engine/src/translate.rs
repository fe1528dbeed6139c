//! Whole texts from Arabic to English and back, sentence by sentence.

use std::collections::VecDeque;
use std::ops::Range;

use hala_plan::{Backend, Cancel};
use hala_text::language::detect;
use hala_text::layout::{Piece, layout};
use hala_text::normalise::{NormaliseOptions, normalise};
use hala_text::{Bos, ChatInput, Language, Message, Role};
use serde::Serialize;

use crate::{EngineError, FinishReason, GenerateOptions, Generation, Session, Timings, Usage};

/// From which language into which; what is not given is found out from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Direction {
    /// The language of the text.
    pub from: Option<Language>,
    /// The language wanted.
    pub to: Option<Language>,
}

impl Direction {
    /// Into this language, from the other one.
    pub fn to(language: Language) -> Self {
        Self { from: None, to: Some(language) }
    }

    /// The language to translate `text` into: as given, or the other one than the text's.
    ///
    /// # Errors
    /// Both languages are given and the same.
    pub fn target(&self, text: &str) -> Result<Language, EngineError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from == to => Err(EngineError::SameLanguage(to)),
            (_, Some(to)) => Ok(to),
            (Some(from), None) => Ok(from.other()),
            (None, None) => Ok(detect(text).unwrap_or(Language::English).other()),
        }
    }
}

/// A sentence and its translation, as byte ranges of the two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Where the sentence is in the source.
    pub source: Range<usize>,
    /// Where its translation is in the target.
    pub target: Range<usize>,
}

/// A translated text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Translated {
    /// The translation; paragraphs, line breaks and surrounding white space are the source's.
    pub text: String,
    /// The language of the translation.
    pub to: Language,
    /// Which sentence became which.
    pub segments: Vec<Segment>,
    /// Why it ended: `Length` where a sentence ran into its token limit.
    pub finish: FinishReason,
    /// Tokens.
    pub usage: Usage,
    /// Times.
    pub timings: Timings,
}

/// Translates texts with a model that was trained on the Hala recipe's prompt (arXiv 2509.14008).
#[derive(Debug)]
pub struct Translator<B: Backend> {
    session: Session<B>,
}

impl<B: Backend> Translator<B> {
    /// A translator in a session of its own.
    pub fn new(session: Session<B>) -> Self {
        Self { session }
    }

    /// The session.
    pub fn session(&self) -> &Session<B> {
        &self.session
    }

    /// Begins a translation; the stream does the work.
    ///
    /// # Errors
    /// Contradictory languages, or a word that is longer than the context.
    pub fn stream(
        &mut self,
        text: &str,
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Translating<'_, B>, EngineError> {
        let to = direction.target(text)?;
        let mut work = VecDeque::new();
        for piece in layout(text) {
            match piece {
                Piece::Space(range) => work.push_back(Work::Copy(range)),
                Piece::Text(range) if is_copied(&text[range.clone()], to) => {
                    work.push_back(Work::Copy(range));
                }
                Piece::Text(range) => self.fit(text, range, to, &mut work)?,
            }
        }
        let translated = Translated {
            text: String::new(),
            to,
            segments: Vec::new(),
            finish: FinishReason::Stop,
            usage: Usage::default(),
            timings: Timings::default(),
        };
        let source = text.to_owned();
        Ok(Translating { translator: self, source, work, current: None, cancel: cancel.clone(), translated })
    }

    /// Translates a whole text.
    ///
    /// # Errors
    /// As for [`Translator::stream`], and a lost device.
    pub async fn translate(
        &mut self,
        text: &str,
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Translated, EngineError> {
        let mut stream = self.stream(text, direction, cancel)?;
        while stream.next().await?.is_some() {}
        stream.finish()
    }

    /// Translates texts one after the other, each in its own direction; stops early when cancelled, with the
    /// text that was under way as the last one.
    ///
    /// # Errors
    /// As for [`Translator::translate`].
    pub async fn translate_all(
        &mut self,
        texts: &[&str],
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Vec<Translated>, EngineError> {
        let mut all = Vec::with_capacity(texts.len());
        for text in texts {
            let translated = self.translate(text, direction, cancel).await?;
            let is_cancelled = translated.finish == FinishReason::Cancelled;
            all.push(translated);
            if is_cancelled {
                break;
            }
        }
        Ok(all)
    }

    /// The prompt for one sentence.
    fn prompt(&self, sentence: &str, to: Language) -> Result<Vec<u32>, EngineError> {
        let options =
            NormaliseOptions { nfc: true, strip_bidi_controls: true, ..NormaliseOptions::default() };
        let sentence = normalise(sentence, options);
        let content = format!("Translate everything that follows into {}:\n\n{sentence}", to.name());
        let messages = [Message::new(Role::User, content)];
        let tokenizer = self.session.engine().tokenizer()?;
        let input = ChatInput::prompt(&messages);
        let text = tokenizer.chat_template()?.render(&input)?;
        Ok(tokenizer.encode(&text, Bos::Auto)?)
    }

    /// Queues a sentence, halved at white space until prompt and translation fit the context.
    fn fit(
        &self,
        text: &str,
        range: Range<usize>,
        to: Language,
        work: &mut VecDeque<Work>,
    ) -> Result<(), EngineError> {
        let prompt = self.prompt(&text[range.clone()], to)?;
        let limit = self.session.context();
        if prompt.len() <= limit / 3 {
            work.push_back(Work::Translate { range, prompt });
            return Ok(());
        }
        let Some(space) = middle_space(text, &range) else {
            if prompt.len() < limit {
                work.push_back(Work::Translate { range, prompt });
                return Ok(());
            }
            let max = self.session.engine().model().facts().max_context;
            return Err(EngineError::PromptTooLong { found: prompt.len(), limit, max });
        };
        self.fit(text, range.start..space.start, to, work)?;
        work.push_back(Work::Copy(space.clone()));
        self.fit(text, space.end..range.end, to, work)
    }
}

/// Whether a sentence stays as it is: it has no letters, or is in the target language already.
fn is_copied(sentence: &str, to: Language) -> bool {
    detect(sentence).is_none_or(|language| language == to)
}

/// The run of white space nearest to the middle of a range.
fn middle_space(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let middle = range.start + range.len() / 2;
    let spaces = text[range.clone()].char_indices().filter(|(_, c)| c.is_whitespace());
    let (at, _) = spaces.min_by_key(|(i, _)| (range.start + i).abs_diff(middle))?;
    let at = range.start + at;
    let start = text[..at].trim_end().len().max(range.start);
    let end = text.len() - text[at..].trim_start().len();
    (start > range.start && end < range.end).then_some(start..end)
}

/// What is left to do, in the order of the text.
#[derive(Debug)]
enum Work {
    /// Copy this part of the source.
    Copy(Range<usize>),
    /// Translate this sentence.
    Translate { range: Range<usize>, prompt: Vec<u32> },
}

/// A sentence that is being translated.
#[derive(Debug)]
struct Current {
    source: Range<usize>,
    target_start: usize,
    generation: Generation,
    /// White space that came last, and is left out unless more text follows.
    space: bool,
}

/// A translation while it streams.
#[derive(Debug)]
pub struct Translating<'a, B: Backend> {
    translator: &'a mut Translator<B>,
    source: String,
    work: VecDeque<Work>,
    current: Option<Current>,
    cancel: Cancel,
    translated: Translated,
}

impl<B: Backend> Translating<'_, B> {
    /// The next text of the translation; `None` when it has ended.
    ///
    /// # Errors
    /// A lost device, or logits that are no numbers. Cancellation is no error: the stream ends.
    pub async fn next(&mut self) -> Result<Option<String>, EngineError> {
        loop {
            if let Some(current) = &mut self.current {
                let piece = current.generation.next(&mut self.translator.session).await?;
                let text = piece.map(|p| self.take(&p.text));
                match text {
                    None => self.end_sentence()?,
                    Some(text) if text.is_empty() => {}
                    Some(text) => return Ok(Some(text)),
                }
                continue;
            }
            if self.translated.finish == FinishReason::Cancelled {
                return Ok(None);
            }
            match self.work.pop_front() {
                None => return Ok(None),
                Some(Work::Copy(range)) => {
                    let text = self.source[range].to_owned();
                    self.translated.text.push_str(&text);
                    return Ok(Some(text));
                }
                Some(Work::Translate { range, prompt }) => self.begin_sentence(range, &prompt)?,
            }
        }
    }

    /// Sentences and pieces of white space that are not done yet.
    pub fn n_left(&self) -> usize {
        self.work.len() + usize::from(self.current.is_some())
    }

    /// What was translated so far.
    pub fn so_far(&self) -> &Translated {
        &self.translated
    }

    /// Ends the stream, wherever it is, and gives what was translated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(mut self) -> Result<Translated, EngineError> {
        if self.n_left() > 0 {
            self.end_sentence()?;
            self.translated.finish = FinishReason::Cancelled;
        }
        Ok(self.translated)
    }

    fn begin_sentence(&mut self, source: Range<usize>, prompt: &[u32]) -> Result<(), EngineError> {
        // A translation is rarely twice as long as its source; the rest is for very short ones.
        let max_tokens = Some(2 * prompt.len() + 32);
        let options = GenerateOptions { max_tokens, ..GenerateOptions::default() };
        let generation = Generation::new(&self.translator.session, prompt, &options, &self.cancel)?;
        let target_start = self.translated.text.len();
        self.current = Some(Current { source, target_start, generation, space: false });
        Ok(())
    }

    /// Takes generated text into the translation: no white space around a sentence, and no line break in it.
    fn take(&mut self, text: &str) -> String {
        let Some(current) = &mut self.current else { return String::new() };
        let mut taken = String::new();
        for c in text.chars() {
            if c.is_whitespace() {
                current.space = true;
                continue;
            }
            let is_first = self.translated.text.len() + taken.len() == current.target_start;
            if std::mem::take(&mut current.space) && !is_first {
                taken.push(' ');
            }
            taken.push(c);
        }
        self.translated.text.push_str(&taken);
        taken
    }

    fn end_sentence(&mut self) -> Result<(), EngineError> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let generated = current.generation.finish()?;
        let target = current.target_start..self.translated.text.len();
        self.translated.segments.push(Segment { source: current.source, target });
        self.translated.usage.add(generated.usage);
        self.translated.timings.add(generated.timings);
        if generated.finish != FinishReason::Stop && self.translated.finish != FinishReason::Cancelled {
            self.translated.finish = generated.finish;
        }
        Ok(())
    }
}
