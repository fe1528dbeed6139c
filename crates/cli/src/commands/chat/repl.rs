//! The turns of a conversation: read, answered, printed.

use std::sync::Arc;

use anyhow::Result;
use hala::{AnyBackend, Chat, FinishReason, Runtime};
use hala_engine::{Generated, Reply};
use hala_text::Specials;

use super::lines::{Lines, Turn};
use super::report;
use super::thought::Shown;
use crate::app::App;
use crate::failure::{Interrupted, OutputClosed, message, print_error};
use crate::{output, terminal};

/// A conversation, where its turns come from, and what its last reply cost.
pub(super) struct Repl<'a> {
    pub(super) chat: Chat,
    pub(super) runtime: Runtime,
    /// The model in words.
    pub(super) name: &'a str,
    pub(super) lines: Lines,
    pub(super) last: Option<Generated>,
    /// Messages whose leaving was told.
    pub(super) n_dropped: usize,
    pub(super) is_json: bool,
    pub(super) app: &'a App,
    pub(super) show_prompt: bool,
}

/// What comes after a command.
pub(super) enum Next {
    /// The next turn.
    Turn,
    /// The end.
    Quit,
}

impl Repl<'_> {
    /// Says whom one talks with, and shows the notices that wait.
    pub(super) fn greet(&self) {
        terminal::release_notices();
        if self.lines.are_typed() && !self.app.quiet {
            terminal::notice(&format!("{}; /help lists the commands, Ctrl-D ends", self.name));
        }
    }

    /// Takes turns to the end.
    pub(super) async fn run(&mut self) -> Result<()> {
        while let Turn::Text(turn) = self.next_turn()? {
            let done = match turn.trim() {
                "" => Ok(Next::Turn),
                command if command.starts_with('/') => self.command(command),
                _ => self.reply(&turn).await.map(|()| Next::Turn),
            };
            match done {
                Ok(Next::Turn) => {}
                Ok(Next::Quit) => return Ok(()),
                // A person can go on after an error; a script must learn of it.
                Err(error) if self.lines.are_typed() && !error.is::<OutputClosed>() => {
                    print_error(&message(&error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next turn. Ctrl-C that came too late for a reply ends a script; a person has the reply and goes on.
    fn next_turn(&mut self) -> Result<Turn> {
        if self.lines.are_typed() {
            self.app.interrupt.cancel().reset();
        }
        self.app.interrupt.check()?;
        self.lines.next_turn()
    }

    /// Sends a message and prints the reply as it comes; Ctrl-C ends the reply and keeps what came.
    async fn reply(&mut self, turn: &str) -> Result<()> {
        let generated = {
            let _working = self.app.interrupt.working();
            let cancel = self.app.interrupt.cancel();
            let tokenizer = self.show_prompt.then(|| self.chat.session().engine().tokenizer().cloned());
            let mut reply = self.chat.send(turn, cancel)?;
            if let Some(tokenizer) = tokenizer {
                terminal::verbatim(&tokenizer?.decode(reply.prompt(), Specials::Keep)?);
            }
            let n_dropped = reply.n_dropped();
            if let Some(left_out) = report::left_out(reply.messages(), self.n_dropped..n_dropped) {
                self.n_dropped = n_dropped;
                terminal::notice(&left_out);
            }
            let mut printing = if self.is_json { Printing::Nothing } else { Printing::Text(Shown::new()) };
            stream(&mut reply, &mut self.runtime, self.app, &mut printing).await?;
            let generated = reply.finish()?;
            match &mut printing {
                Printing::Text(shown) => shown.end(&generated)?,
                Printing::Nothing => output::print_json(&report::ReplyJson::new(&generated, n_dropped))?,
            }
            generated
        };
        let was_cancelled = generated.finish == FinishReason::Cancelled;
        self.last = Some(generated);
        if was_cancelled {
            if !self.lines.are_typed() {
                return Err(Interrupted.into());
            }
            terminal::notice("stopped; what was said is kept");
        }
        Ok(())
    }
}

/// What is printed of a reply while it comes.
#[derive(Debug)]
enum Printing {
    Text(Shown),
    Nothing,
}

/// Takes a reply to its end. A device that is lost is set up again, unless it is lost once more
/// before it has computed anything.
async fn stream(
    reply: &mut Reply<'_, AnyBackend>,
    runtime: &mut Runtime,
    app: &App,
    printing: &mut Printing,
) -> Result<()> {
    let mut can_rebuild = true;
    loop {
        match reply.next().await {
            Ok(Some(piece)) => {
                if let Printing::Text(shown) = printing {
                    shown.add(&piece)?;
                }
                can_rebuild = true;
            }
            Ok(None) => return Ok(()),
            Err(error) if error.is_device_lost() && can_rebuild => {
                can_rebuild = false;
                runtime.recover(&error.to_string()).await?;
                let engine = Arc::clone(runtime.engine()?);
                reply.rebuild(engine, app.interrupt.cancel()).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
