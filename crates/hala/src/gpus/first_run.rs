//! The first tokens of a model on a GPU that never ran one.

use std::sync::Arc;

use hala_engine::{EngineError, Session};
use hala_plan::Cancel;

use crate::engine::Engine;

/// Tokens of the prompt, and of those that are decoded after it: enough for the kernels of both.
const N_TOKENS: [usize; 2] = [8, 2];

/// Computes them; tells what is wrong where logits are no numbers.
///
/// # Errors
/// A GPU that refuses, has no memory, or is lost.
pub(crate) async fn run(engine: &Arc<Engine>) -> Result<Option<String>, EngineError> {
    let (facts, cancel) = (engine.model().facts(), Cancel::new());
    let [n_prompt, n_decoded] = N_TOKENS;
    let id = |i: usize| (i % facts.n_vocab) as u32;
    let prompt: Vec<u32> = (1..=n_prompt.min(facts.context)).map(id).collect();
    let mut session = Session::new(Arc::clone(engine)).await?;
    session.prefill(&prompt, &cancel).await?;
    let mut are_numbers = is_finite(session.logits());
    for i in 0..n_decoded.min(facts.context - prompt.len()) {
        session.decode(id(i), &cancel).await?;
        are_numbers &= is_finite(session.logits());
    }
    Ok((!are_numbers).then(|| "the model's logits are no numbers".to_owned()))
}

fn is_finite(logits: &[f32]) -> bool {
    logits.iter().all(|logit| logit.is_finite())
}
