//! Translations of one text or of many, as a job.

use std::collections::VecDeque;

use hala_engine::{Handout, Task, Translation};
use hala_plan::Cancel;
use hala_text::WholeCharacters;

use super::job::{Job, Stage};
use super::output::{Output, TranslatedText};
use crate::error::Error;
use crate::request::TranslateRequest;

/// Texts on their way and texts that wait; they are handed out in their order.
#[derive(Debug)]
pub(super) struct TranslateJob {
    waiting: VecDeque<(usize, TranslateRequest)>,
    active: VecDeque<Active>,
    cancel: Cancel,
}

/// A text on its way, or why it is not.
#[derive(Debug)]
enum Active {
    Going(Box<Going>),
    Failed { index: usize, error: Error },
}

#[derive(Debug)]
struct Going {
    index: usize,
    translation: Translation,
    characters: WholeCharacters,
    /// What was handed out last, whose last character may be held.
    last: Option<Handout>,
}

impl TranslateJob {
    /// Texts, none of which is begun.
    pub(super) fn new(requests: Vec<TranslateRequest>, cancel: &Cancel) -> Self {
        let waiting = requests.into_iter().enumerate().collect();
        Self { waiting, active: VecDeque::new(), cancel: cancel.clone() }
    }

    /// A text that was begun to see whether it can be.
    pub(super) fn one(translation: Translation, cancel: &Cancel) -> Self {
        let active = VecDeque::from([Active::begun(0, translation)]);
        Self { waiting: VecDeque::new(), active, cancel: cancel.clone() }
    }

    /// Begins so many texts that their sentences are as many as run at once.
    fn begin(&mut self, stage: Stage<'_>) -> Result<(), Error> {
        let mut n_running = 0;
        for active in &mut self.active {
            n_running += active.begin(stage)?;
        }
        while n_running < stage.n_parallel && !self.cancel.is_cancelled() {
            let Some((index, request)) = self.waiting.pop_front() else { break };
            let direction = request.direction();
            let mut active = match Translation::new(stage.engine, &request.text, direction, &self.cancel) {
                Ok(translation) => Active::begun(index, translation),
                Err(error) => Active::Failed { index, error: error.into() },
            };
            n_running += active.begin(stage)?;
            self.active.push_back(active);
        }
        Ok(())
    }
}

impl Active {
    fn begun(index: usize, translation: Translation) -> Self {
        let characters = WholeCharacters::default();
        Self::Going(Box::new(Going { index, translation, characters, last: None }))
    }

    /// Begins sentences, and gives how many run.
    fn begin(&mut self, stage: Stage<'_>) -> Result<usize, Error> {
        let Self::Going(going) = self else { return Ok(0) };
        Ok(going.translation.begin(stage.engine, stage.n_parallel)?)
    }

    /// Adds what is certain to `out`; gives itself back where it goes on.
    fn hand_out(self, out: &mut VecDeque<Output>) -> Result<Option<Self>, Error> {
        match self {
            Self::Failed { index, error } => {
                out.push_back(Output::Failed { index, error });
                Ok(None)
            }
            Self::Going(going) => Ok(going.hand_out(out)?.map(Self::Going)),
        }
    }
}

impl Going {
    fn hand_out(mut self: Box<Self>, out: &mut VecDeque<Output>) -> Result<Option<Box<Self>>, Error> {
        while let Some(handout) = self.translation.hand_out()? {
            self.tell(handout, out);
        }
        if !self.translation.is_over() {
            return Ok(Some(self));
        }
        self.flush(out);
        let Self { index, translation, .. } = *self;
        let translated = Box::new(translation.finish()?);
        out.push_back(Output::Translated { index, translated });
        Ok(None)
    }

    /// Adds the whole characters of a text to `out`. A sentence's last character does not wait for the next sentence.
    fn tell(&mut self, handout: Handout, out: &mut VecDeque<Output>) {
        if self.last.as_ref().is_some_and(|last| last.source != handout.source) {
            self.flush(out);
        }
        let start = self.last.as_ref().map_or(handout.target.start, |last| last.target.start);
        let text = self.characters.push(&handout.text);
        let end = start + text.len();
        if !text.is_empty() {
            let source = handout.source.clone();
            out.push_back(Output::Translating(TranslatedText {
                index: self.index,
                text,
                source,
                target: start..end,
            }));
        }
        self.last =
            Some(Handout { text: String::new(), source: handout.source, target: end..handout.target.end });
    }

    fn flush(&mut self, out: &mut VecDeque<Output>) {
        let text = self.characters.finish();
        let Some(Handout { source, target, .. }) = self.last.take() else { return };
        if !text.is_empty() {
            out.push_back(Output::Translating(TranslatedText { index: self.index, text, source, target }));
        }
    }
}

impl Job for TranslateJob {
    fn advance(&mut self, stage: Stage<'_>, out: &mut VecDeque<Output>) -> Result<bool, Error> {
        loop {
            self.begin(stage)?;
            let Some(first) = self.active.pop_front() else { return Ok(false) };
            if let Some(first) = first.hand_out(out)? {
                self.active.push_front(first);
                return Ok(true);
            }
        }
    }

    fn tasks(&mut self) -> Vec<&mut (dyn Task + Send)> {
        let going = self.active.iter_mut().filter_map(|active| match active {
            Active::Going(going) => Some(going),
            Active::Failed { .. } => None,
        });
        going.flat_map(|going| going.translation.tasks()).collect()
    }
}
