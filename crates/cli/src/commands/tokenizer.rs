//! `hala tokenizer`: commands that make tokenizers.

use anyhow::Result;
use clap::Subcommand;

use crate::app::App;
use crate::commands::tokenizer_train::TokenizerTrainArgs;

/// What can be done with tokenizers.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenizerCommand {
    #[command(about = "Make a tokenizer of files")]
    Train(TokenizerTrainArgs),
}

impl TokenizerCommand {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Train(args) => args.run(app),
        }
    }
}
