//! One text on its way through a session: cut into sentences, each of them translated, all else copied.

use std::collections::VecDeque;
use std::ops::Range;

use hala_plan::{Backend, Cancel};
use hala_text::fold::{EasternForms, fold};
use hala_text::layout::{Piece, layout};
use hala_text::other_language::other_language;
use hala_text::treatment::treatment;
use hala_text::{Language, Message, OtherLanguage, Role, Treatment};

use crate::{
    Direction, Engine, EngineError, FinishReason, GenerateOptions, Generation, Segment, Session, Timings,
    Translated, Usage,
};

/// How sentences become prompts.
#[derive(Debug, Clone, Copy)]
struct Prompting {
    to: Language,
    eastern: EasternForms,
}

impl Prompting {
    /// The prompt for one sentence.
    fn prompt<B: Backend>(self, engine: &Engine<B>, sentence: &str) -> Result<Vec<u32>, EngineError> {
        let sentence = fold(sentence, self.eastern);
        let (to, sentence) = (self.to.name(), sentence.trim());
        let content = format!("Translate everything that follows into {to}:\n\n{sentence}");
        engine.chat_prompt(&[Message::new(Role::User, content)], &[])
    }
}

/// Queues a sentence, halved at white space until prompt and translation fit the context.
fn fit<B: Backend>(
    engine: &Engine<B>,
    text: &str,
    range: Range<usize>,
    prompting: Prompting,
    work: &mut VecDeque<Work>,
) -> Result<(), EngineError> {
    let prompt = prompting.prompt(engine, &text[range.clone()])?;
    let facts = engine.model().facts();
    if prompt.len() <= facts.context / 3 {
        work.push_back(Work::Translate { range, prompt });
        return Ok(());
    }
    let Some(space) = middle_space(text, &range) else {
        if prompt.len() < facts.context {
            work.push_back(Work::Translate { range, prompt });
            return Ok(());
        }
        let (limit, max) = (facts.context, facts.max_context);
        return Err(EngineError::PromptTooLong { found: prompt.len(), limit, max });
    };
    fit(engine, text, range.start..space.start, prompting, work)?;
    work.push_back(Work::Copy(space.clone()));
    fit(engine, text, space.end..range.end, prompting, work)
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

/// A translation while it streams, from a session that is handed to every step: after a lost device, one on another.
#[derive(Debug)]
pub struct Translation {
    source: String,
    work: VecDeque<Work>,
    current: Option<Current>,
    cancel: Cancel,
    translated: Translated,
}

impl Translation {
    /// Prepares to translate `text`; each [`Translation::next`] does some of the work.
    ///
    /// # Errors
    /// Contradictory languages, or a word that is longer than the context.
    pub fn new<B: Backend>(
        engine: &Engine<B>,
        text: &str,
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        let to = direction.target(text)?;
        let other_language = other_language(text);
        let keeps_letters = other_language.is_some_and(OtherLanguage::is_in_arabic_script);
        let eastern = if keeps_letters { EasternForms::Keep } else { EasternForms::Fold };
        let prompting = Prompting { to, eastern };
        let mut work = VecDeque::new();
        for piece in layout(text) {
            match piece {
                Piece::Space(range) => work.push_back(Work::Copy(range)),
                Piece::Text(range) => match treatment(&text[range.clone()], direction.from, to) {
                    Treatment::Copy(_) => work.push_back(Work::Copy(range)),
                    Treatment::Translate => fit(engine, text, range, prompting, &mut work)?,
                },
            }
        }
        let translated = Translated {
            text: String::new(),
            to,
            other_language,
            segments: Vec::new(),
            finish: FinishReason::Stop,
            usage: Usage::default(),
            timings: Timings::default(),
        };
        Ok(Self { source: text.to_owned(), work, current: None, cancel: cancel.clone(), translated })
    }

    /// The next text of the translation; `None` when it has ended.
    ///
    /// # Errors
    /// A lost device, or logits that are no numbers. Cancellation is no error: the stream ends.
    pub async fn next<B: Backend>(
        &mut self,
        session: &mut Session<B>,
    ) -> Result<Option<String>, EngineError> {
        loop {
            if let Some(current) = &mut self.current {
                let piece = current.generation.next(session).await?;
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
                Some(Work::Translate { range, prompt }) => self.begin_sentence(session, range, &prompt)?,
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

    fn begin_sentence<B: Backend>(
        &mut self,
        session: &Session<B>,
        source: Range<usize>,
        prompt: &[u32],
    ) -> Result<(), EngineError> {
        // A translation is rarely twice as long as its source; the rest is for very short ones.
        let max_tokens = Some(2 * prompt.len() + 32);
        let options = GenerateOptions { max_tokens, ..GenerateOptions::default() };
        let generation = Generation::new(session, prompt, &options, &self.cancel)?;
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
