//! One piece of work on what runs: started, driven to its end, carried over to another device where one is lost.

use std::time::Duration;

use hala_engine::{Conversation, EngineError, Generation};
use hala_plan::{Backend, Cancel};
use js_sys::Function;
use wasm_bindgen::JsValue;
use web_time::Instant;

use crate::choices::Choices;
use crate::error::Failure;
use crate::host::pause;
use crate::running::{Running, Sessions, with_sessions};
use crate::runtime::{Runtime, lost};
use crate::stream::Stream;

/// How long pieces follow each other before the worker sees to its messages.
const PAUSE_EVERY: Duration = Duration::from_millis(8);

/// One piece of work, which has what runs to itself.
pub(crate) struct Work<'a> {
    runtime: &'a Runtime,
    /// None where the device was lost and could not be set up again.
    running: Option<Running>,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.runtime.put_back(self.running.take());
    }
}

impl<'a> Work<'a> {
    /// Work with what runs, which is put back at its end, however that comes.
    pub(crate) fn new(runtime: &'a Runtime, running: Option<Running>) -> Self {
        Self { runtime, running }
    }

    /// What runs.
    ///
    /// # Errors
    /// The device was lost and could not be set up again.
    pub(crate) fn running(&mut self) -> Result<&mut Running, Failure> {
        self.running.as_mut().ok_or_else(lost)
    }

    /// Prepares the reply to a conversation.
    ///
    /// # Errors
    /// A prompt that cannot be made or is too long, a device that is lost for good.
    pub(crate) async fn start_chat(
        &mut self,
        conversation: &mut Conversation,
        cancel: &Cancel,
    ) -> Result<Generation, Failure> {
        loop {
            let started = with_sessions!(self.running()?, sessions => {
                start_chat(sessions, conversation, cancel).await
            });
            match started {
                Err(error) if error.is_device_lost() => self.recover(&error).await?,
                started => return Ok(started?),
            }
        }
    }

    /// Prepares several replies to a conversation.
    ///
    /// # Errors
    /// As for [`Work::start_chat`].
    pub(crate) fn start_choices(
        &mut self,
        conversation: &mut Conversation,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Choices, Failure> {
        let started = with_sessions!(self.running()?, sessions => {
            let prompt = conversation.prompt(&sessions.engine)?;
            Choices::new(&sessions.engine, (&prompt, n), &conversation.options.generate, cancel)
        });
        Ok(started?)
    }

    /// Hands out the pieces of a stream to its end; goes on after a lost device.
    ///
    /// # Errors
    /// What ended the stream, a device that is lost for good.
    pub(crate) async fn drive(
        &mut self,
        stream: &mut impl Stream,
        on_piece: &Function,
    ) -> Result<(), Failure> {
        let mut last_pause = Instant::now();
        loop {
            let next = with_sessions!(self.running()?, sessions => stream.next(sessions).await);
            match next {
                // What the page does with a piece is its own affair.
                Ok(Some(pieces)) => pieces.into_iter().for_each(|piece| {
                    let _ = on_piece.call1(&JsValue::NULL, &piece.into());
                }),
                Ok(None) => return Ok(()),
                Err(error) if error.is_device_lost() => {
                    stream.lose();
                    self.recover(&error).await?;
                }
                Err(error) => return Err(error.into()),
            }
            if last_pause.elapsed() >= PAUSE_EVERY {
                pause().await;
                last_pause = Instant::now();
            }
        }
    }

    /// Goes on with another device, where the stream's tokens are computed again.
    async fn recover(&mut self, error: &EngineError) -> Result<(), Failure> {
        self.running = None;
        self.running = Some(self.runtime.recover(&error.to_string()).await?);
        Ok(())
    }
}

async fn start_chat<B: Backend>(
    sessions: &mut Sessions<B>,
    conversation: &mut Conversation,
    cancel: &Cancel,
) -> Result<Generation, EngineError> {
    let prompt = conversation.prompt(&sessions.engine)?;
    let session = sessions.chat().await?;
    Generation::new(session, &prompt, &conversation.options.generate, cancel)
}
