//! Several texts on their way at once, handed out one after the other.

use std::collections::VecDeque;

use hala_plan::Backend;

use crate::error::EngineError;
use crate::scheduler::Scheduler;
use crate::translated::Translated;
use crate::translation::Translation;

/// Translations that share the runs of a scheduler, in the order that they were added in.
#[derive(Debug, Default)]
pub struct Translations {
    list: VecDeque<Translation>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Handed {
    /// The next text of the first translation.
    Text(String),
    /// The first translation has ended; the next is the first now.
    End(Box<Translated>),
    /// Nothing yet.
    Nothing,
}

impl Translations {
    /// Adds a text to the end.
    pub fn push(&mut self, translation: Translation) {
        self.list.push_back(translation);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether another text would be begun at once.
    ///
    /// # Errors
    /// A prompt that cannot be made.
    pub fn has_room<B: Backend>(&mut self, scheduler: &Scheduler<B>) -> Result<bool, EngineError> {
        let mut n_running = 0;
        for translation in &mut self.list {
            n_running += translation.begin(scheduler.engine(), scheduler.n_parallel())?;
        }
        Ok(n_running < scheduler.n_parallel())
    }

    /// Hands out what is certain of the first translation, or else makes one step.
    ///
    /// # Errors
    /// As for [`Translation::next`].
    pub async fn step<B: Backend>(&mut self, scheduler: &mut Scheduler<B>) -> Result<Handed, EngineError> {
        self.has_room(scheduler)?;
        if let Some(first) = self.list.front_mut() {
            if let Some(handout) = first.hand_out()? {
                return Ok(Handed::Text(handout.text));
            }
            if first.is_over() {
                let ended = self.list.pop_front().map(Translation::finish).transpose()?;
                return Ok(ended.map_or(Handed::Nothing, |translated| Handed::End(Box::new(translated))));
            }
        }
        let mut sentences: Vec<_> = self.list.iter_mut().flat_map(Translation::sentences).collect();
        scheduler.step(&mut sentences).await?;
        Ok(Handed::Nothing)
    }
}
