//! What works on an engine.

use std::sync::Arc;

use hala_engine::{EngineError, SchedulerOptions};

use crate::engine::{Engine, Scheduler, Session};

/// What memory is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trim {
    /// What nothing holds: no text has to be computed again.
    #[default]
    Unused,
    /// Also what is kept for [`Retained`](crate::Retained) and for the session's next turn, which then compute all of their prompts.
    Sequences,
}

/// An engine with what works on it, made when it is first used: a conversation goes on where it was after a translation.
#[derive(Debug)]
pub(crate) struct Sessions {
    engine: Arc<Engine>,
    chat: Option<Session>,
    scheduler: Option<Scheduler>,
    options: SchedulerOptions,
}

impl Sessions {
    pub(crate) fn new(engine: Arc<Engine>, options: SchedulerOptions) -> Self {
        Self { engine, chat: None, scheduler: None, options }
    }

    /// The model on its device.
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The session for conversations.
    ///
    /// # Errors
    /// No memory for its state.
    pub(crate) async fn chat(&mut self) -> Result<&mut Session, EngineError> {
        let made = match self.chat.take() {
            Some(session) => session,
            None => Session::new(Arc::clone(&self.engine)).await?,
        };
        Ok(self.chat.insert(made))
    }

    /// Gives memory back. Texts that are generated meanwhile keep theirs.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) async fn trim(&mut self, trim: Trim) -> Result<(), EngineError> {
        if trim == Trim::Sequences {
            self.chat = None;
        }
        if let Some(chat) = &mut self.chat {
            chat.trim().await?;
        }
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.retire_ended().await?;
            if trim == Trim::Sequences {
                scheduler.evict_retained();
            }
            scheduler.trim()?;
        }
        self.engine.trim();
        Ok(())
    }

    /// What works on the sentences of translations, and on several texts at once.
    ///
    /// # Errors
    /// No memory for their states.
    pub(crate) fn scheduler(&mut self) -> Result<&mut Scheduler, EngineError> {
        let made = match self.scheduler.take() {
            Some(scheduler) => scheduler,
            None => Scheduler::new(Arc::clone(&self.engine), self.options)?,
        };
        Ok(self.scheduler.insert(made))
    }
}
