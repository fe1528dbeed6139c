//! One text on its way: cut into sentences, several of them translated at once, all else copied, and handed out in the text's order.

use std::collections::VecDeque;
use std::ops::Range;

use hala_plan::{Backend, Cancel};
use hala_text::fold::EasternForms;
use hala_text::layout::{Piece, layout};
use hala_text::other_language::other_language;
use hala_text::treatment::treatment;
use hala_text::{Language, Treatment, eastern_forms};

use crate::cutting::{Cutter, Part};
use crate::direction::Direction;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generated::FinishReason;
use crate::scheduler::Scheduler;
use crate::segment::Segment;
use crate::segment::{Outcome, Remarks};
use crate::sentence::{Finished, Sentence};
use crate::task::Task;
use crate::translated::Translated;
use crate::usage::{Timings, Usage};

/// Sentences that are begun for each that runs at once: those behind a long one go on.
const BEGUN: usize = 4;

/// Sentences at once until the first text is handed out: the more share a run, the longer whoever reads waits for it.
const AT_FIRST: usize = 4;

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

/// What was begun and not handed out.
#[derive(Debug)]
enum Begun {
    /// This part of the source, as it is.
    Space(Range<usize>),
    /// This sentence, as it is.
    Copied(Range<usize>, Outcome),
    /// A translation.
    Sentence(Box<Sentence>),
}

/// A text of a translation, which is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handout {
    /// The text; it follows the one before.
    pub text: String,
    /// What it is the translation of: the sentence, or the white space, in bytes of the source.
    pub source: Range<usize>,
    /// Where it is in the translation, in bytes.
    pub target: Range<usize>,
}

/// A translation while it streams, from a scheduler that is handed to every step: after a lost device, one on another.
#[derive(Debug)]
pub struct Translation {
    source: String,
    work: VecDeque<Work>,
    /// In the order of the text.
    begun: VecDeque<Begun>,
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
        let eastern = eastern_forms(text);
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
            begun: VecDeque::new(),
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
        scheduler: &mut Scheduler<B>,
    ) -> Result<Option<String>, EngineError> {
        loop {
            self.begin(scheduler.engine(), scheduler.n_parallel())?;
            if let Some(handout) = self.hand_out()? {
                return Ok(Some(handout.text));
            }
            let mut sentences: Vec<&mut Sentence> = self.sentences().collect();
            if sentences.is_empty() {
                return Ok(None);
            }
            scheduler.step(&mut sentences).await?;
        }
    }

    /// Sentences, parts of them and pieces of white space that are not done yet.
    pub fn n_left(&self) -> usize {
        self.work.len() + self.begun.len()
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
            if let Some(Begun::Sentence(sentence)) = self.begun.pop_front() {
                self.end_sentence(*sentence)?;
            }
            self.translated.finish = FinishReason::Cancelled;
        }
        Ok(self.translated)
    }

    /// What a scheduler has to go on with, in the order of the text: for whoever steps several kinds of tasks at once. First it is to
    /// [`begin`](Translation::begin), then to [`hand_out`](Translation::hand_out) until nothing is certain, and then these are
    /// [stepped](Scheduler::step); without any the translation has ended.
    pub fn tasks(&mut self) -> impl Iterator<Item = &mut (dyn Task + Send)> {
        self.sentences().map(|sentence| sentence as &mut (dyn Task + Send))
    }

    /// The sentences that a scheduler has to go on with, in the order of the text.
    pub(crate) fn sentences(&mut self) -> impl Iterator<Item = &mut Sentence> {
        self.begun.iter_mut().filter_map(|begun| match begun {
            Begun::Sentence(sentence) if !sentence.is_over() => Some(sentence.as_mut()),
            Begun::Sentence(_) | Begun::Space(_) | Begun::Copied(..) => None,
        })
    }

    /// Whether nothing more comes, where nothing is certain any more: nothing is under way, or it was cancelled before the next sentence began.
    pub fn is_over(&self) -> bool {
        let is_under_way = |begun: &Begun| matches!(begun, Begun::Sentence(sentence) if !sentence.is_over());
        self.translated.finish == FinishReason::Cancelled || !self.begun.iter().any(is_under_way)
    }

    /// Begins so many sentences that `n_parallel` can run at once, and gives how many do.
    ///
    /// # Errors
    /// A prompt that cannot be made.
    pub fn begin<B: Backend>(&mut self, engine: &Engine<B>, n_parallel: usize) -> Result<usize, EngineError> {
        let is_stopped = self.translated.finish == FinishReason::Cancelled || self.cancel.is_cancelled();
        let n_parallel = if self.translated.text.is_empty() { n_parallel.min(AT_FIRST) } else { n_parallel };
        while !is_stopped && self.begun.len() < BEGUN * n_parallel && self.sentences().count() < n_parallel {
            match self.work.pop_front() {
                Some(work) => self.begin_work(engine, work)?,
                None => break,
            }
        }
        Ok(self.sentences().count())
    }

    /// The text that is certain and comes next; `None` where more must be computed first, or all is done.
    ///
    /// # Errors
    /// What ended a sentence.
    pub fn hand_out(&mut self) -> Result<Option<Handout>, EngineError> {
        // What comes after a sentence that was stopped stays out, however far it had come.
        while self.translated.finish != FinishReason::Cancelled {
            let Some(Begun::Sentence(sentence)) = self.begun.front_mut() else {
                return Ok(match self.begun.pop_front() {
                    Some(Begun::Space(range)) => Some(self.copy(range)),
                    Some(Begun::Copied(range, outcome)) => Some(self.copy_sentence(range, outcome)),
                    Some(Begun::Sentence(_)) | None => None,
                });
            };
            let text = sentence.give_settled()?;
            let (source, is_over) = (sentence.source(), sentence.is_over());
            self.translated.text.push_str(&text);
            if is_over && let Some(Begun::Sentence(sentence)) = self.begun.pop_front() {
                self.end_sentence(*sentence)?;
            }
            if !text.is_empty() {
                return Ok(Some(self.handout(text, source)));
            }
            if !is_over {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn begin_work<B: Backend>(&mut self, engine: &Engine<B>, work: Work) -> Result<(), EngineError> {
        match work {
            Work::Space(range) | Work::Part(Part::Space(range)) => self.begun.push_back(Begun::Space(range)),
            Work::Sentence(range) => self.begin_sentence(engine, range)?,
            Work::Part(Part::Stuck(range, obstacle)) => {
                self.begun.push_back(Begun::Copied(range, Outcome::PassedThrough(obstacle)));
            }
            Work::Part(Part::Prompted { range, prompt }) => {
                let sentence = (&self.source[range.clone()], range);
                let sentence = Sentence::new(engine, sentence, &prompt, &self.cancel)?;
                self.begun.push_back(Begun::Sentence(Box::new(sentence)));
            }
        }
        Ok(())
    }

    /// Copies a sentence, or cuts it into parts that fit.
    fn begin_sentence<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        range: Range<usize>,
    ) -> Result<(), EngineError> {
        let to = self.translated.to;
        if let Treatment::Copy(reason) = treatment(&self.source[range.clone()], self.named_from, to) {
            self.begun.push_back(Begun::Copied(range, Outcome::Copied(reason)));
            return Ok(());
        }
        let parts = Cutter { engine, to, eastern: self.eastern }.parts(&self.source, range)?;
        parts.into_iter().rev().for_each(|part| self.work.push_front(Work::Part(part)));
        Ok(())
    }

    /// The last text of the translation.
    fn handout(&self, text: String, source: Range<usize>) -> Handout {
        let end = self.translated.text.len();
        Handout { target: end - text.len()..end, text, source }
    }

    /// Copies a part of the source.
    fn copy(&mut self, source: Range<usize>) -> Handout {
        let text = self.source[source.clone()].to_owned();
        self.translated.text.push_str(&text);
        self.handout(text, source)
    }

    fn copy_sentence(&mut self, source: Range<usize>, outcome: Outcome) -> Handout {
        let handout = self.copy(source.clone());
        self.push_segment(source, handout.text.len(), outcome);
        handout
    }

    /// Notes that the last bytes of the target are a sentence's.
    fn push_segment(&mut self, source: Range<usize>, n_bytes: usize, outcome: Outcome) {
        let end = self.translated.text.len();
        let remarks = Remarks { outcome, other_language: other_language(&self.source[source.clone()]) };
        self.translated.segments.push(Segment { source, target: end - n_bytes..end, remarks });
    }

    fn end_sentence(&mut self, sentence: Sentence) -> Result<(), EngineError> {
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
