//! The commands, one file each.

mod bench;
mod chat;
mod completions;
mod compress;
mod convert;
mod data;
mod data_check;
mod data_report;
mod devices;
mod generate;
mod generate_many;
mod generated_json;
mod inspect;
mod logits;
mod merge;
mod profile;
mod prompt;
mod pull;
mod tokenize;
mod tokenizer;
mod tokenizer_train;
mod trace;
mod trace_against;
mod train;
mod translate;
mod translation_report;
mod tune;
mod usage;

use anyhow::Result;
use clap::Subcommand;

use crate::app::App;

/// What hala can do. A line for the list of commands stands here; what `--help` says is in the words of each command's own options.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(about = "Translate between Arabic and English")]
    Translate(translate::TranslateArgs),
    #[command(about = "Talk with a model")]
    Chat(chat::ChatArgs),
    #[command(about = "Continue a prompt")]
    Generate(generate::GenerateArgs),
    #[command(about = "Write the logits of a prompt to a file")]
    Logits(logits::LogitsArgs),
    #[command(about = "Measure how fast a model runs")]
    Bench(bench::BenchArgs),
    #[command(about = "Show which kernels take the time")]
    Profile(profile::ProfileArgs),
    #[command(about = "Find the fastest kernels for a model on a GPU")]
    Tune(tune::TuneArgs),
    #[command(about = "Show what can run a model here, and what of it is left alone")]
    Devices(devices::DevicesArgs),
    #[command(about = "Show what is in a checkpoint")]
    Inspect(inspect::InspectArgs),
    #[command(about = "Turn text into token ids, and back")]
    Tokenize(tokenize::TokenizeArgs),
    #[command(about = "Show every step that a model takes on a prompt")]
    Trace(trace::TraceArgs),
    #[command(about = "Fetch a model from the Hugging Face Hub")]
    Pull(pull::PullArgs),
    #[command(about = "Compress a checkpoint to FP8, int8 or int4")]
    Compress(compress::CompressArgs),
    #[command(about = "Convert between folders and GGUF files")]
    Convert(convert::ConvertArgs),
    #[command(about = "Merge checkpoints")]
    Merge(merge::MergeArgs),
    #[command(
        subcommand,
        about = "Look at data for training",
        after_help = "Example:\n  hala data check pairs.tsv"
    )]
    Data(data::DataCommand),
    #[command(
        subcommand,
        about = "Make tokenizers",
        after_help = "Example:\n  hala tokenizer train pairs.tsv --vocab 8192 --out ./small"
    )]
    Tokenizer(tokenizer::TokenizerCommand),
    #[command(about = "Train a model on conversations, translations or plain text")]
    Train(train::TrainArgs),
    #[command(about = "Print completions for a shell")]
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// Runs the command; `all` is what there is of commands, for their completions.
    pub(crate) fn run(self, app: &App, all: impl FnOnce() -> clap::Command) -> Result<()> {
        match self {
            Self::Translate(args) => args.run(app),
            Self::Chat(args) => args.run(app),
            Self::Generate(args) => args.run(app),
            Self::Logits(args) => args.run(app),
            Self::Bench(args) => args.run(app),
            Self::Profile(args) => args.run(app),
            Self::Tune(args) => args.run(app),
            Self::Devices(args) => args.run(app),
            Self::Inspect(args) => args.run(app),
            Self::Tokenize(args) => args.run(app),
            Self::Trace(args) => args.run(app),
            Self::Pull(args) => args.run(app),
            Self::Compress(args) => args.run(app),
            Self::Convert(args) => args.run(app),
            Self::Merge(args) => args.run(app),
            Self::Data(command) => command.run(app),
            Self::Tokenizer(command) => command.run(app),
            Self::Train(args) => args.run(app),
            Self::Completions(args) => args.run(all()),
        }
    }
}
