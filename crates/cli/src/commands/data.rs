//! `hala data`: commands about data for training.

use anyhow::Result;
use clap::Subcommand;

use crate::app::App;
use crate::commands::data_check::DataCheckArgs;

/// What can be done with data.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    #[command(about = "Show what training would see of files")]
    Check(DataCheckArgs),
}

impl DataCommand {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Check(args) => args.run(app),
        }
    }
}
