//! `hala convert`: folders into GGUF files, and back.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use hala_compress::{FloatFormat, to_folder, to_gguf};

use crate::app::App;
use crate::model_args::{CheckpointArgs, n_threads, threads};
use crate::output;
use crate::progress::with_work_bar;
use crate::terminal::{BOLD, counted, paint};

/// Converts an LFM2 checkpoint to a GGUF file that llama.cpp loads, or a GGUF file to a folder in Hugging Face layout.
///
/// The tokenizer and the chat template go with it. What OUT's name ends in decides which it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala convert ./LFM2-350M LFM2-350M-Q8_0.gguf --type q8_0
  hala convert LFM2-350M-Q4_K_M.gguf ./LFM2-350M --type bf16")]
pub(crate) struct ConvertArgs {
    /// A folder in Hugging Face layout, a GGUF file, or a Hub id
    #[arg(value_name = "IN")]
    input: String,

    /// The .gguf file or the folder to make
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// How matrices are stored; q8_0 is for .gguf files
    #[arg(long = "type", value_name = "TYPE", default_value = "bf16", value_parser = PossibleValuesParser::new(FloatFormat::NAMES))]
    format: String,

    /// Threads; 0 for as many as the machine runs at once
    #[arg(long, value_name = "N", default_value = "0", value_parser = threads(), allow_negative_numbers = true)]
    threads: usize,
}

impl ConvertArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let format: FloatFormat = self.format.parse().map_err(anyhow::Error::msg)?;
        let checkpoint = CheckpointArgs::new(Some(self.input.clone())).open(app)?;
        let is_gguf = self.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
        let convert = if is_gguf { to_gguf } else { to_folder };
        let start = Instant::now();
        let n_tensors = with_work_bar(app, |on_progress| {
            convert(&checkpoint, &self.out, format, n_threads(self.threads), on_progress)
        })?;
        let (out, seconds) = (paint(BOLD, self.out.display()), start.elapsed().as_secs_f64());
        let tensors = counted(n_tensors, "tensor");
        output::print_styled(&format!("{out}: {tensors} in {}, in {seconds:.1} s\n", self.format))
    }
}
