//! `hala generate`: text after a prompt.

use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use hala::{Engine, FinishReason, GenerateOptions, Runtime, RuntimeOptions, Sampling};
use hala_engine::{Generated, Piece};
use hala_text::{ChatInput, Message};

use super::generate_many;
use super::generated_json::{Json, LogprobJson, logprob_json};
use super::prompt::{Prompt, PromptsArgs};
use crate::app::App;
use crate::failure::Interrupted;
use crate::model_args::{ModelArgs, parallel};
use crate::sampling_args::SamplingArgs;
use crate::{output, sampling_args};

/// Continues a prompt.
///
/// The text ends where the model ends it, at --stop, at --max-tokens, or when the context is full.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hala generate --model LiquidAI/LFM2-350M --chat --prompt \"Three words for rain\" --temperature 0.3
  hala generate --model LiquidAI/LFM2-350M --chat --file prompts.txt --n 4 --temperature 0.8 --json")]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    prompt: PromptsArgs,

    /// Continue the prompt as it stands (this is the default)
    #[arg(long, conflicts_with = "chat")]
    raw: bool,

    /// Put the prompt into the model's chat template, as one message of a user; all of it is text then
    #[arg(long, conflicts_with = "ids")]
    chat: bool,

    /// What the model is told before the message
    #[arg(long, value_name = "TEXT", requires = "chat", allow_hyphen_values = true)]
    system: Option<String>,

    #[command(flatten)]
    sampling: SamplingArgs,

    /// Go on after the model's end-of-text tokens
    #[arg(long)]
    ignore_eos: bool,

    /// In the JSON, log-probabilities of each token and of the N likeliest ones
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "json")]
    logprobs: Option<usize>,

    /// Texts for each prompt, drawn with seeds that follow each other
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,

    /// Generate so many texts at once, where there are several; as many as suit the device where this is not given
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parallel())]
    parallel: Option<usize>,

    /// Print one object of JSON at the end; where there are several texts, one for each
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

impl GenerateArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        self.sampling.check()?;
        let prompts = self.prompt.read()?;
        let app = &app.quiet_if(self.json);
        let options = RuntimeOptions { n_parallel: self.parallel, ..self.model.options(app)? };
        let mut runtime = self.model.load_with(options, app)?;
        let engine = runtime.engine()?;
        sampling_args::tell(engine.sampling_defaults(), app);
        let options = GenerateOptions {
            logprobs: self.logprobs,
            ignore_eos: self.ignore_eos,
            ..self.sampling.options(&Sampling::default(), engine.sampling_defaults())?
        };
        let prompts: Result<Vec<Vec<u32>>> = prompts.into_iter().map(|p| self.encode(engine, p)).collect();
        match &prompts?[..] {
            [prompt] if self.n == 1 => pollster::block_on(self.generate(&mut runtime, prompt, &options, app)),
            prompts => {
                let jobs = generate_many::Jobs { prompts, n: self.n, options: &options };
                pollster::block_on(generate_many::run(&mut runtime, &jobs, self.json, app))
            }
        }
    }

    async fn generate(
        &self,
        runtime: &mut Runtime,
        prompt: &[u32],
        options: &GenerateOptions,
        app: &App,
    ) -> Result<()> {
        let _working = app.interrupt.working();
        let engine = Arc::clone(runtime.engine()?);
        let mut generation = runtime.generate(prompt, options, app.interrupt.cancel())?;
        let has_text = engine.tokenizer().is_ok();
        let mut logprobs = Vec::new();
        let mut ends_line = false;
        while let Some(piece) = generation.next().await? {
            logprobs.extend(piece.logprobs.as_ref().map(|l| logprob_json(&engine, l)));
            if !self.json {
                ends_line = show(&piece, has_text)?.unwrap_or(ends_line);
            }
        }
        let so_far = generation.so_far().text.len();
        let generated = generation.finish()?;
        let cancelled = generated.finish == FinishReason::Cancelled;
        let rest = generated.text[so_far..].to_owned();
        self.end(&Ended { generated, rest, ends_line, logprobs }, options)?;
        if cancelled { Err(Interrupted.into()) } else { Ok(()) }
    }

    fn encode(&self, engine: &Engine, prompt: Prompt) -> Result<Vec<u32>> {
        let prompt = match prompt {
            Prompt::Text(text) if self.chat => {
                let system = self.system.iter().map(Message::system);
                let messages: Vec<Message> = system.chain([Message::user(text)]).collect();
                let tokenizer = engine.tokenizer()?;
                Prompt::Ids(tokenizer.chat_ids(tokenizer.chat_template()?, &ChatInput::prompt(&messages))?)
            }
            prompt => prompt,
        };
        prompt.encode(|| Ok(engine.tokenizer()?))
    }

    /// Prints what is left: the text that was held back, the end of the line, or the JSON.
    fn end(&self, ended: &Ended, options: &GenerateOptions) -> Result<()> {
        let Ended { generated, rest, ends_line, logprobs } = ended;
        if self.json {
            return output::print_json(&Json::new(generated, options, logprobs));
        }
        output::print(rest)?;
        let ends_line = if rest.is_empty() { *ends_line } else { rest.ends_with('\n') };
        if ends_line { Ok(()) } else { output::print("\n") }
    }
}

/// What a generation has come to, and what of it was printed.
struct Ended {
    generated: Generated,
    /// Text that is not printed yet.
    rest: String,
    /// Whether what was printed ends a line.
    ends_line: bool,
    logprobs: Vec<LogprobJson>,
}

/// Prints a piece, or its id where there is no tokenizer; tells whether it ended a line.
fn show(piece: &Piece, has_text: bool) -> Result<Option<bool>> {
    if !has_text {
        output::print(&format!("{} ", piece.id))?;
        return Ok(Some(false));
    }
    if piece.text.is_empty() {
        return Ok(None);
    }
    output::print(&piece.text)?;
    Ok(Some(piece.text.ends_with('\n')))
}
