//! Work as it is begun, for each way by which callers ask for it.

use std::sync::Arc;

use hala::{Cancel as Flag, ChatRequest, Shared, TextRequest, TranslateRequest, parse};

use crate::event::Answer;
use crate::failure::Failure;
use crate::session::{Session, Turn};
use crate::stream::{self, Work};

/// Begins to translate a text.
///
/// # Errors
/// As for [`Shared::translate`].
pub(crate) fn translate(engine: &Shared, request: &TranslateRequest, flag: &Flag) -> Result<Work, Failure> {
    Ok(Work::new(engine.translate(request, flag)?, Answer::Translation))
}

/// Begins to translate texts.
///
/// # Errors
/// As for [`Shared::translate_all`].
pub(crate) fn translate_all(
    engine: &Shared,
    requests: Vec<TranslateRequest>,
    flag: &Flag,
) -> Result<Work, Failure> {
    let n = requests.len();
    Ok(Work::new(engine.translate_all(requests, flag)?, Answer::Translation).of_texts(n))
}

/// Begins to answer a conversation, as a turn of a session where one is given. `request` is JSON.
///
/// # Errors
/// As for [`Turn::begin`] and [`Shared::chat_in`]; a request that is none.
pub(crate) fn chat(
    engine: &Arc<Shared>,
    session: *const Session,
    request: &str,
    flag: &Flag,
) -> Result<Work, Failure> {
    let request: ChatRequest = parse(request)?;
    let answer = Answer::Chat(stream::head(request.model.as_deref()));
    let turn = Turn::begin(session, engine)?;
    let stream = engine.chat_in(request, turn.as_ref().map(Turn::retained), flag)?;
    Ok(Work::new(stream, answer).in_turn(turn))
}

/// Begins to write after a prompt, as a turn of a session where one is given. `request` is JSON.
///
/// # Errors
/// As for [`Turn::begin`] and [`Shared::generate_in`]; a request that is none.
pub(crate) fn generate(
    engine: &Arc<Shared>,
    session: *const Session,
    request: &str,
    flag: &Flag,
) -> Result<Work, Failure> {
    let request: TextRequest = parse(request)?;
    let answer = Answer::Text(stream::head(request.model.as_deref()));
    let turn = Turn::begin(session, engine)?;
    let stream = engine.generate_in(request, turn.as_ref().map(Turn::retained), flag)?;
    Ok(Work::new(stream, answer).in_turn(turn))
}
