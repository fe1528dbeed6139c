//! `hala pull`: a model of the Hub into its usual cache.

use anyhow::Result;
use clap::Args;
use hala_weights::hub::HubModel;

use crate::app::App;
use crate::output;
use crate::screen::Screen;

/// Fetches a model and prints the folder that holds it, or its GGUF file.
///
/// A repository of several GGUF files is asked for one of them by its quantisation or its name after a colon; without one, they are
/// listed.
///
/// The cache is the one that Python's huggingface_hub uses. HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are
/// honoured, and a broken download goes on where it stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala pull LiquidAI/LFM2-350M
  hala pull LiquidAI/LFM2-350M-GGUF:Q4_K_M")]
pub(crate) struct PullArgs {
    /// The model, as owner/name, with @revision or :quantisation behind it where wanted
    #[arg(value_name = "ID")]
    id: String,
}

impl PullArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let model = HubModel::parse(&self.id)?;
        let place = hala::fetch(&model, &mut Screen::new(app), &app.fetching())?;
        output::print_line(&place.display().to_string())
    }
}
