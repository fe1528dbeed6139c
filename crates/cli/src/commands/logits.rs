//! `hala logits`: the logits of every position of a prompt, in a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use hala::{RuntimeOptions, WeightFormat};
use hala_engine::Probe;
use hala_tensor::{Shape, Tensor};
use hala_weights::SafetensorsWriter;

use super::prompt::{Prompt, PromptArgs};
use crate::app::App;
use crate::model_args::ModelArgs;
use crate::new_file::NewFile;
use crate::{output, paths, terminal};

/// Tokens that are computed at once, where nothing else is asked for.
const CHUNK: usize = 256;

/// Writes the logits after every token of a prompt to a safetensors file.
///
/// The file holds one tensor, `logits`, f32, with a row for each token and a column for each id of the vocabulary.
/// Weights are f32 where nothing else is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala logits --model ./LFM2-350M --ids 1,5,9 --out logits.safetensors")]
pub(crate) struct LogitsArgs {
    #[command(flatten)]
    prompt: PromptArgs,

    /// Compute this many tokens at once
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = CHUNK, value_parser = chunk)]
    chunk: usize,

    /// The file to write
    #[arg(long, value_name = "FILE.safetensors", allow_hyphen_values = true, value_parser = paths::new())]
    out: PathBuf,

    #[command(flatten)]
    model: ModelArgs,
}

impl LogitsArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let prompt = self.prompt.read()?;
        NewFile::check(&self.out)?;
        self.compute(prompt, app)
    }

    fn compute(&self, prompt: Prompt, app: &App) -> Result<()> {
        let weights = self.model.weights().unwrap_or(WeightFormat::F32);
        let runtime = self.model.load_with(RuntimeOptions { weights, ..self.model.options(app)? }, app)?;
        let engine = runtime.engine()?;
        let _working = app.interrupt.working();
        let ids = prompt.encode(|| Ok(engine.tokenizer()?))?;
        let mut probe = Probe::new(engine);
        let logits = pollster::block_on(probe.all_logits(&ids, self.chunk, app.interrupt.cancel()))?;
        let shape = Shape::matrix(ids.len(), engine.model().facts().n_vocab);
        let tensors = BTreeMap::from([("logits".to_owned(), Tensor::from_f32(shape, logits)?)]);
        SafetensorsWriter::new().write_all(&self.out, &tensors)?;
        if !app.quiet && terminal::stdout_is_terminal() {
            output::print_line(&format!("wrote logits {shape} to {}", self.out.display()))?;
        }
        Ok(())
    }
}

fn chunk(text: &str) -> Result<usize> {
    let n = text.parse()?;
    anyhow::ensure!(n > 0, "at least one token must be computed at once");
    Ok(n)
}
