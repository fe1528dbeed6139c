//! Plans made ready, kept by the engine and lent to one run at a time.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};

use hala_model::{LogitRows, PlanShape};
use hala_plan::Backend;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ready::Ready;

/// A Plan lent to a run; the engine has it back when this is dropped.
#[derive(Debug)]
pub(crate) struct Lease<B: Backend> {
    engine: Arc<Engine<B>>,
    ready: Option<Ready<B::Prepared>>,
    /// Whether nothing was run with the Plan yet: its first run also touches new memory, and its time says little.
    pub(crate) is_new: bool,
}

impl<B: Backend> Lease<B> {
    /// The Plan of a shape: one that nobody uses, or a new one.
    ///
    /// # Errors
    /// A model that cannot be recorded so, or no memory.
    pub(crate) async fn new(engine: &Arc<Engine<B>>, shape: PlanShape) -> Result<Self, EngineError> {
        let idle = {
            let mut idle = engine.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let found = idle.iter().position(|ready| ready.shape == shape);
            found.map(|i| idle.swap_remove(i))
        };
        let is_new = idle.is_none();
        let ready = match idle {
            Some(ready) => ready,
            None => prepare(engine, shape).await?,
        };
        Ok(Self { engine: Arc::clone(engine), ready: Some(ready), is_new })
    }

    /// Does not give the Plan back, which is in the middle of something; nothing may be run with it any more.
    pub(crate) fn discard(&mut self) {
        self.ready = None;
    }
}

/// Makes the Plan of a shape ready.
///
/// # Errors
/// As for [`Lease::new`].
pub(crate) async fn prepare<B: Backend>(
    engine: &Engine<B>,
    shape: PlanShape,
) -> Result<Ready<B::Prepared>, EngineError> {
    let plan = engine.record(shape)?;
    let logits = match shape.logits {
        LogitRows::Chosen => None,
        LogitRows::All | LogitRows::Wanted(_) => Some(engine.logits_of(&plan)?),
    };
    let prepared = engine.backend().prepare(&plan, engine.weights()).await?;
    Ok(Ready { prepared, shape, n_body: plan.n_body(), logits })
}

impl<B: Backend> Deref for Lease<B> {
    type Target = Ready<B::Prepared>;

    fn deref(&self) -> &Self::Target {
        self.ready.as_ref().unwrap_or_else(|| unreachable!("a lease is whole until it is dropped"))
    }
}

impl<B: Backend> DerefMut for Lease<B> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.ready.as_mut().unwrap_or_else(|| unreachable!("a lease is whole until it is dropped"))
    }
}

impl<B: Backend> Drop for Lease<B> {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.take() {
            self.engine.idle.lock().unwrap_or_else(PoisonError::into_inner).push(ready);
        }
    }
}
