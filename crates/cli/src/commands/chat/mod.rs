//! `hala chat`: a conversation in the terminal.

mod lines;
mod report;
mod slash;
mod transcript;

use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use hala::{AnyBackend, Chat, Engine, Session};
use hala_engine::{ChatOptions, FinishReason, GenerateOptions, Generated, Overflow, Reply, Sampling};
use hala_text::Specials;

use crate::failure::{AlreadyReported, Interrupted, OutputClosed, message, print_error};
use crate::model_args::ModelArgs;
use crate::sampling_args::SamplingArgs;
use crate::template_args::TemplateArgs;
use crate::{App, output, sampling_args, terminal};
use lines::{Lines, Turn};
use slash::Next;

/// Talks with a model.
///
/// Lines are messages; a line that begins with a slash is a command, and /help lists them. Without a terminal each
/// line of standard input is a message. With --json each reply is one line of JSON, for scripts: `message` (role and
/// content), `finish_reason`, `usage`, `timings`, and `dropped_messages`, how many of the oldest messages its prompt left out.
///
/// What is typed, loaded or given with --system is text: words such as <|im_end|> in it end no turn. Marks that the
/// model itself makes, about a call of a tool for example, are shown, saved by /save, and special again in what follows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala chat --model LiquidAI/LFM2-1.2B --system \"Answer in Arabic.\"
  hala chat --model LiquidAI/LFM2-1.2B --json < questions.txt")]
pub(crate) struct ChatArgs {
    /// What the model is told before the first message
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    system: Option<String>,

    /// What happens when the conversation outgrows the context
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OverflowName::Error)]
    overflow: OverflowName,

    /// Print each reply as one line of JSON
    #[arg(long)]
    json: bool,

    /// Show on standard error, before each reply, the prompt as the model sees it
    #[arg(long)]
    show_prompt: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    model: ModelArgs,
}

/// What happens when a conversation outgrows the context.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum OverflowName {
    /// An error
    Error,
    /// The oldest turns are left out, and it is said which
    Drop,
}

/// A conversation, where its turns come from, and what its last reply cost.
struct Repl<'a> {
    chat: Chat,
    model: &'a ModelArgs,
    lines: Lines,
    last: Option<Generated>,
    /// Messages whose leaving was told.
    n_dropped: usize,
    is_json: bool,
    app: &'a App,
    show_prompt: bool,
}

impl ChatArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        if self.model.checkpoint().is_built_in() {
            print_error(
                "the built-in model only translates: name a chat model, for example \
                 hala chat --model LiquidAI/LFM2-1.2B (a Hub id, a folder or a .safetensors file)",
            );
            return Err(AlreadyReported.into());
        }
        self.sampling.check()?;
        let mut options = ChatOptions {
            system: self.system.clone(),
            overflow: match self.overflow {
                OverflowName::Error => Overflow::Error,
                OverflowName::Drop => Overflow::DropOldest,
            },
            ..ChatOptions::default()
        };
        let app = &app.quiet_if(self.json);
        let engine = self.model.load(self.model.backend(app)?, app)?;
        sampling_args::tell(engine.sampling_defaults(), app);
        options.generate = GenerateOptions {
            specials: Specials::Keep,
            ..self.sampling.options(&Sampling::conversation(), engine.sampling_defaults())?
        };
        pollster::block_on(self.talk(engine, options, app))
    }

    async fn talk(&self, engine: Engine, mut options: ChatOptions, app: &App) -> Result<()> {
        // A checkpoint that cannot chat is an error now, not at the first message.
        options.template = self.template.options(engine.tokenizer()?)?;
        let session = Session::new(Arc::new(engine)).await?;
        let (chat, lines) = (Chat::new(session, options), Lines::open()?);
        let mut repl = Repl {
            chat,
            model: &self.model,
            lines,
            last: None,
            n_dropped: 0,
            is_json: self.json,
            show_prompt: self.show_prompt,
            app,
        };
        terminal::release_notices();
        if repl.lines.are_typed() && !app.quiet {
            let name = self.model.checkpoint().name();
            terminal::notice(&format!("{name}; /help lists the commands, Ctrl-D ends"));
        }
        repl.run().await
    }
}

impl Repl<'_> {
    async fn run(&mut self) -> Result<()> {
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
            let printing = if self.is_json { Printing::Nothing } else { Printing::Text };
            let n_printed = stream(&mut reply, self.model, self.app, printing).await?;
            let generated = reply.finish()?;
            match printing {
                Printing::Text => output::print(&generated.text[n_printed..])?,
                Printing::Nothing => output::print_json(&report::ReplyJson::new(&generated, n_dropped))?,
            }
            generated
        };
        if !self.is_json && !generated.text.ends_with('\n') {
            output::print("\n")?;
        }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printing {
    Text,
    Nothing,
}

/// Takes a reply to its end; returns the bytes printed. A device that is lost is set up again, unless it is lost once more
/// before it has computed anything.
async fn stream(
    reply: &mut Reply<'_, AnyBackend>,
    model: &ModelArgs,
    app: &App,
    printing: Printing,
) -> Result<usize> {
    let mut n_printed = 0;
    let mut can_rebuild = true;
    loop {
        match reply.next().await {
            Ok(Some(piece)) => {
                if printing == Printing::Text {
                    output::print(&piece.text)?;
                    n_printed += piece.text.len();
                }
                can_rebuild = true;
            }
            Ok(None) => return Ok(n_printed),
            Err(error) if error.is_device_lost() && can_rebuild => {
                can_rebuild = false;
                if !app.quiet {
                    terminal::notice(&format!("{error}; setting it up again"));
                }
                let engine = model.load(model.reopen(reply.engine().backend(), app)?, app)?;
                reply.rebuild(Arc::new(engine), app.interrupt.cancel()).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
