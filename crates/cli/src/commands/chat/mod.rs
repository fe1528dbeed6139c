//! `hala chat`: a conversation in the terminal.

mod lines;
mod repl;
mod report;
mod slash;
mod thought;
mod transcript;

use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use hala::{Chat, GenerateOptions, Sampling, Session};
use hala_engine::{ChatOptions, Overflow};
use hala_text::Specials;

use crate::app::App;
use crate::failure::{AlreadyReported, print_error};
use crate::model_args::ModelArgs;
use crate::sampling_args;
use crate::sampling_args::SamplingArgs;
use crate::template_args::TemplateArgs;
use lines::Lines;
use repl::Repl;

/// Talks with a model.
///
/// Lines are messages; a line that begins with a slash is a command, and /help lists them. Without a terminal each
/// line of standard input is a message. With --json each reply is one line of JSON, for scripts: `message` (role and
/// content), `finish_reason`, `usage`, `timings`, and `dropped_messages`, how many of the oldest messages its prompt left out.
///
/// A model that thinks before it answers shows its thought dim on a terminal. Elsewhere the answer alone is printed, and with --json the
/// thought is `reasoning_content` of the message. Whether later prompts still hold it is for the model's template to say: most keep the last
/// one or none. Those of LFM2.5 keep all with --template-arg keep_past_thinking=true or --template-arg preserve_thinking=true.
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
        let runtime = self.model.load(app)?;
        let engine = runtime.engine()?;
        sampling_args::tell(engine.sampling_defaults(), app);
        options.generate = GenerateOptions {
            specials: Specials::Keep,
            ..self.sampling.options(&Sampling::conversation(), engine.sampling_defaults())?
        };
        // A checkpoint that cannot chat is an error now, not at the first message.
        options.template = self.template.options(engine.tokenizer()?)?;
        let session = pollster::block_on(Session::new(Arc::clone(engine)))?;
        let mut repl = Repl {
            chat: Chat::new(session, options),
            runtime,
            name: self.model.checkpoint().name(),
            lines: Lines::open()?,
            last: None,
            n_dropped: 0,
            is_json: self.json,
            show_prompt: self.show_prompt,
            app,
        };
        repl.greet();
        pollster::block_on(repl.run())
    }
}
