//! The hala command: chat and translation with small language models, on this machine alone.

mod app;
mod commands;
mod data_args;
mod drivers;
mod failure;
mod ids;
mod input;
mod interrupt;
mod memory;
mod model_args;
mod new_file;
mod output;
mod paths;
mod progress;
mod sampling_args;
mod screen;
mod template_args;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use app::App;
use commands::Command;
use interrupt::Interrupt;

/// Chat and Arabic-English translation with small language models, on this machine alone.
#[derive(Debug, Parser)]
#[command(name = "hala", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Example:\n  hala translate \"صباح الخير\"")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print results and errors only: no notices, no progress
    #[arg(long, short, global = true)]
    quiet: bool,
}

fn main() -> ExitCode {
    drivers::silence();
    failure::report_panics();
    let cli = Cli::parse();
    failure::exit_code(|| {
        let app = App { quiet: cli.quiet, interrupt: Interrupt::listen()? };
        cli.command.run(&app, Cli::command)?;
        terminal::release_notices();
        Ok(())
    })
}
