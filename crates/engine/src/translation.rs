//! One text on its way through a session: cut into sentences, each of them translated, all else copied.

use std::collections::VecDeque;
use std::ops::Range;

use hala_plan::{Backend, Cancel};
use hala_text::fold::EasternForms;
use hala_text::layout::{Piece, layout};
use hala_text::other_language::other_language;
use hala_text::treatment::treatment;
use hala_text::{Language, OtherLanguage, Treatment};

use crate::cutting::{Cutter, Part};
use crate::segment::{Outcome, Remarks};
use crate::sentence::{Finished, Sentence};
use crate::{Direction, Engine, EngineError, FinishReason, Segment, Session, Timings, Translated, Usage};

/// What is left to do, in the order of the text.
#[derive(Debug)]
enum Work {
    /// Copy this part of the source, which is no sentence.
    Space(Range<usize>),
    /// Look at this sentence.
    Sentence(Range<usize>),
    /// Copy or translate this sentence, or this part of one.
    Part(Part),
}

/// A translation while it streams, from a session that is handed to every step: after a lost device, one on another.
#[derive(Debug)]
pub struct Translation {
    source: String,
    work: VecDeque<Work>,
    current: Option<Sentence>,
    cancel: Cancel,
    /// The language that the caller says the text is in.
    named_from: Option<Language>,
    eastern: EasternForms,
    translated: Translated,
}

impl Translation {
    /// Prepares to translate `text`; each [`Translation::next`] does some of the work.
    ///
    /// # Errors
    /// Contradictory languages, or a model that has no tokenizer or no template.
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
        // Without text, only what is wrong with every sentence can be wrong.
        Cutter { engine, to, eastern }.prompt("")?;
        let work = layout(text).into_iter().map(|piece| match piece {
            Piece::Space(range) => Work::Space(range),
            Piece::Text(range) => Work::Sentence(range),
        });
        let translated = Translated {
            text: String::new(),
            to,
            other_language,
            segments: Vec::new(),
            finish: FinishReason::Stop,
            usage: Usage::default(),
            timings: Timings::default(),
        };
        Ok(Self {
            source: text.to_owned(),
            work: work.collect(),
            current: None,
            cancel: cancel.clone(),
            named_from: direction.from,
            eastern,
            translated,
        })
    }

    /// The next text of the translation; `None` when it has ended. All of them put together are the translation: text
    /// that may still be taken back, because it may be the beginning of a loop, is held until that is certain.
    ///
    /// A sentence that cannot be translated is copied, and the segment says so.
    ///
    /// # Errors
    /// A lost device, or logits that are no numbers. Cancellation is no error: the stream ends.
    pub async fn next<B: Backend>(
        &mut self,
        session: &mut Session<B>,
    ) -> Result<Option<String>, EngineError> {
        loop {
            if let Some(sentence) = &mut self.current {
                match sentence.next(session).await? {
                    None => self.end_sentence()?,
                    Some(text) => {
                        self.translated.text.push_str(&text);
                        return Ok(Some(text));
                    }
                }
                continue;
            }
            if self.translated.finish == FinishReason::Cancelled {
                return Ok(None);
            }
            let Some(work) = self.work.pop_front() else { return Ok(None) };
            if let Some(text) = self.begin(session, work)? {
                return Ok(Some(text));
            }
        }
    }

    /// Sentences, parts of them and pieces of white space that are not done yet.
    pub fn n_left(&self) -> usize {
        self.work.len() + usize::from(self.current.is_some())
    }

    /// What was translated so far.
    pub fn so_far(&self) -> &Translated {
        &self.translated
    }

    /// Ends the stream, wherever it is, and gives what was handed out.
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

    /// Begins a piece of work; gives the text where that is all of it.
    fn begin<B: Backend>(&mut self, session: &Session<B>, work: Work) -> Result<Option<String>, EngineError> {
        match work {
            Work::Space(range) | Work::Part(Part::Space(range)) => Ok(Some(self.copy(range))),
            Work::Sentence(range) => self.begin_sentence(session.engine(), range),
            Work::Part(Part::Stuck(range, obstacle)) => {
                Ok(Some(self.copy_sentence(range, Outcome::PassedThrough(obstacle))))
            }
            Work::Part(Part::Prompted { range, prompt }) => {
                let sentence = (&self.source[range.clone()], range);
                self.current = Some(Sentence::new(session, sentence, &prompt, &self.cancel)?);
                Ok(None)
            }
        }
    }

    /// Copies a sentence, or cuts it into parts that fit.
    fn begin_sentence<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        range: Range<usize>,
    ) -> Result<Option<String>, EngineError> {
        let to = self.translated.to;
        if let Treatment::Copy(reason) = treatment(&self.source[range.clone()], self.named_from, to) {
            return Ok(Some(self.copy_sentence(range, Outcome::Copied(reason))));
        }
        let parts = Cutter { engine, to, eastern: self.eastern }.parts(&self.source, range)?;
        parts.into_iter().rev().for_each(|part| self.work.push_front(Work::Part(part)));
        Ok(None)
    }

    /// Copies a part of the source.
    fn copy(&mut self, source: Range<usize>) -> String {
        let text = self.source[source].to_owned();
        self.translated.text.push_str(&text);
        text
    }

    fn copy_sentence(&mut self, source: Range<usize>, outcome: Outcome) -> String {
        let text = self.copy(source.clone());
        self.push_segment(source, text.len(), outcome);
        text
    }

    /// Notes that the last bytes of the target are a sentence's.
    fn push_segment(&mut self, source: Range<usize>, n_bytes: usize, outcome: Outcome) {
        let end = self.translated.text.len();
        let remarks = Remarks { outcome, other_language: other_language(&self.source[source.clone()]) };
        self.translated.segments.push(Segment { source, target: end - n_bytes..end, remarks });
    }

    fn end_sentence(&mut self) -> Result<(), EngineError> {
        let Some(sentence) = self.current.take() else { return Ok(()) };
        let n_bytes = sentence.n_given();
        let Finished { source, looped, finish, usage, timings } = sentence.finish()?;
        self.push_segment(source, n_bytes, Outcome::Translated { looped, finish });
        self.translated.usage.add(usage);
        self.translated.timings.add(timings);
        if finish != FinishReason::Stop && self.translated.finish != FinishReason::Cancelled {
            self.translated.finish = finish;
        }
        Ok(())
    }
}
