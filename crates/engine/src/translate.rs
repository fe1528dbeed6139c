//! Whole texts from Arabic to English and back, several sentences at once.

use std::sync::Arc;

use hala_plan::{Backend, Cancel};

use crate::direction::Direction;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generated::FinishReason;
use crate::scheduler::{Scheduler, SchedulerOptions};
use crate::translated::Translated;
use crate::translation::Translation;
use crate::translations::{Handed, Translations};

/// Translates texts with a model that was trained on the Hala recipe's prompt (arXiv 2509.14008).
#[derive(Debug)]
pub struct Translator<B: Backend> {
    scheduler: Scheduler<B>,
}

impl<B: Backend> Translator<B> {
    /// A translator with a memory of its own.
    ///
    /// # Errors
    /// No memory.
    pub fn new(engine: Arc<Engine<B>>, options: SchedulerOptions) -> Result<Self, EngineError> {
        Ok(Self { scheduler: Scheduler::new(engine, options)? })
    }

    /// The model on its device.
    pub fn engine(&self) -> &Arc<Engine<B>> {
        self.scheduler.engine()
    }

    /// Begins a translation; the stream does the work.
    ///
    /// # Errors
    /// As for [`Translation::new`].
    pub fn stream(
        &mut self,
        text: &str,
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Translating<'_, B>, EngineError> {
        let translation = Translation::new(self.engine(), text, direction, cancel)?;
        Ok(Translating { scheduler: &mut self.scheduler, translation })
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

    /// Translates texts, each in its own direction and several at once; gives them in their order. Stops early when cancelled, with
    /// the text that was under way as the last one.
    ///
    /// # Errors
    /// As for [`Translator::translate`].
    pub async fn translate_all(
        &mut self,
        texts: &[&str],
        direction: Direction,
        cancel: &Cancel,
    ) -> Result<Vec<Translated>, EngineError> {
        let (mut all, mut waiting) = (Vec::with_capacity(texts.len()), texts.iter());
        let mut translations = Translations::default();
        loop {
            while translations.has_room(&self.scheduler)? && !cancel.is_cancelled() {
                let Some(text) = waiting.next() else { break };
                translations.push(Translation::new(self.engine(), text, direction, cancel)?);
            }
            if translations.is_empty() {
                return Ok(all);
            }
            if let Handed::End(translated) = translations.step(&mut self.scheduler).await? {
                let is_cancelled = translated.finish == FinishReason::Cancelled;
                all.push(*translated);
                if is_cancelled {
                    return Ok(all);
                }
            }
        }
    }

    /// What the sentences are computed by, for [`Translations`].
    pub fn scheduler(&mut self) -> &mut Scheduler<B> {
        &mut self.scheduler
    }
}

/// A translation that a [`Translator`] streams.
#[derive(Debug)]
pub struct Translating<'a, B: Backend> {
    scheduler: &'a mut Scheduler<B>,
    translation: Translation,
}

impl<B: Backend> Translating<'_, B> {
    /// As [`Translation::next`].
    ///
    /// # Errors
    /// As for [`Translation::next`].
    pub async fn next(&mut self) -> Result<Option<String>, EngineError> {
        self.translation.next(self.scheduler).await
    }

    /// As [`Translation::n_left`].
    pub fn n_left(&self) -> usize {
        self.translation.n_left()
    }

    /// As [`Translation::so_far`].
    pub fn so_far(&self) -> &Translated {
        self.translation.so_far()
    }

    /// As [`Translation::finish`].
    ///
    /// # Errors
    /// As for [`Translation::finish`].
    pub fn finish(self) -> Result<Translated, EngineError> {
        self.translation.finish()
    }
}
