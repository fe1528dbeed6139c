//! Replies to a conversation, or texts after a prompt, as a job.

use std::collections::VecDeque;

use hala_engine::Task;
use hala_text::WholeCharacters;

use super::job::{Job, Stage};
use super::output::Output;
use crate::choices::Choices;
use crate::error::Error;
use crate::logprobs::TokenReport;
use crate::reply::{ChatPiece, ChatReply};

/// Replies that go on.
#[derive(Debug)]
pub(super) struct ReplyJob {
    /// None once they have ended.
    choices: Option<Choices>,
    characters: Vec<Characters>,
    /// Of each reply's tokens so far, where asked for.
    logprobs: Option<Vec<Vec<TokenReport>>>,
    n_dropped: usize,
}

/// The last character of a thought, and of a reply.
#[derive(Debug, Default, Clone)]
struct Characters {
    reasoning: WholeCharacters,
    text: WholeCharacters,
}

impl ReplyJob {
    /// `n` replies; of a conversation whose first `n_dropped` messages no longer fit.
    pub(super) fn new(choices: Choices, n: usize, has_logprobs: bool, n_dropped: usize) -> Self {
        let characters = vec![Characters::default(); n];
        Self {
            choices: Some(choices),
            characters,
            logprobs: has_logprobs.then(|| vec![Vec::new(); n]),
            n_dropped,
        }
    }

    /// Adds a piece's whole characters to `out`.
    fn tell(&mut self, mut piece: ChatPiece, out: &mut VecDeque<Output>) {
        if let (Some(all), Some(token)) = (&mut self.logprobs, &piece.logprobs) {
            all[piece.index].push(token.clone());
        }
        let held = &mut self.characters[piece.index];
        piece.reasoning = held.reasoning.push(&piece.reasoning);
        if !piece.text.is_empty() || piece.finish.is_some() {
            // The thought has ended.
            piece.reasoning.push_str(&held.reasoning.finish());
        }
        piece.text = held.text.push(&piece.text);
        if piece.finish.is_some() {
            piece.text.push_str(&held.text.finish());
        }
        if !piece.reasoning.is_empty() || !piece.text.is_empty() || piece.finish.is_some() {
            out.push_back(Output::Reply(piece));
        }
    }
}

impl Job for ReplyJob {
    fn advance(&mut self, stage: Stage<'_>, out: &mut VecDeque<Output>) -> Result<bool, Error> {
        let Some(choices) = &mut self.choices else { return Ok(false) };
        let pieces = choices.told(stage.engine.tokenizer()?)?;
        let is_over = choices.is_over();
        pieces.into_iter().for_each(|piece| self.tell(piece, out));
        if is_over && let Some(choices) = self.choices.take() {
            let reply = ChatReply::new(choices.finish()?, self.logprobs.take(), self.n_dropped);
            out.push_back(Output::Replied(Box::new(reply)));
        }
        Ok(!is_over)
    }

    fn tasks(&mut self) -> Vec<&mut (dyn Task + Send)> {
        let choices = self.choices.iter_mut().flat_map(Choices::going_on);
        choices.map(|task| task as &mut (dyn Task + Send)).collect()
    }
}
