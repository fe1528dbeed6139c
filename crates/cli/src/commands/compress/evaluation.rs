//! What compression did to a model, on a text: perplexity and divergence from the model that it was made from.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, LoadOptions};
use hala_eval::{Fidelity, compare, windows};
use hala_model::{Options, WeightFormat};
use hala_text::Bos;
use hala_weights::{Checkpoint, FileDType};
use serde::Serialize;

use crate::App;
use crate::input::Input;
use crate::model_args::load;
use crate::progress::WorkBar;

/// Tokens of a window, which remembers none before it.
const WINDOW: usize = 256;

/// A text's tokens in windows.
pub(super) struct Evaluation {
    windows: Vec<Vec<u32>>,
    n_threads: usize,
}

/// What was found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Found {
    /// Tokens that were scored.
    n_tokens: usize,
    perplexity_before: f64,
    perplexity_after: f64,
    /// Mean KL divergence of the next-token distributions, in nats.
    kl_divergence: f64,
    /// Share of positions with the same likeliest token.
    top1: f64,
}

impl Evaluation {
    /// Reads a text, and the first `n_tokens` tokens of it; before the work begins, so that it does not end in an error.
    ///
    /// # Errors
    /// The file cannot be read, the checkpoint has no tokenizer, the text is too short.
    pub(super) fn new(
        file: &Path,
        n_tokens: usize,
        n_threads: usize,
        checkpoint: &Checkpoint,
    ) -> Result<Self> {
        let text = Input::file(file)?.read_all()?;
        let tokenizer = hala_engine::open_tokenizer(checkpoint)?;
        let tokenizer =
            tokenizer.context("--eval needs a tokenizer, and the checkpoint has no tokenizer.json")?;
        let mut ids = tokenizer.encode(&text, Bos::Never)?;
        ids.truncate(n_tokens);
        let windows = windows(&ids, WINDOW, tokenizer.bos_id());
        ensure!(
            !windows.is_empty(),
            "--eval: `{}` has {} tokens, and two are needed",
            file.display(),
            ids.len()
        );
        Ok(Self { windows, n_threads })
    }

    /// Runs both models on the text.
    ///
    /// # Errors
    /// A model that cannot be run, no memory, Ctrl-C.
    pub(super) fn run(&self, before: &Checkpoint, after: &Path, app: &App) -> Result<Found> {
        let reference = self.load(before, as_stored(before), app)?;
        let model = self.load(&Checkpoint::open(after)?, WeightFormat::Auto, app)?;
        let _working = app.interrupt.working();
        let mut bar = WorkBar::new(app);
        let on_progress = |progress: hala_eval::Progress| {
            bar.update(hala_compress::Progress {
                n_done: progress.n_done as u64,
                n_total: progress.n_total as u64,
                what: "comparing",
            });
        };
        let cancel = app.interrupt.cancel();
        let found = pollster::block_on(compare(&reference, &model, &self.windows, cancel, on_progress))?;
        Ok(Found::new(&found))
    }

    fn load(&self, checkpoint: &Checkpoint, weights: WeightFormat, app: &App) -> Result<Engine<CpuBackend>> {
        let model = Options { context: Some(WINDOW), ..Options::default() };
        load(CpuBackend::threaded(self.n_threads)?, checkpoint, LoadOptions { weights, model }, app)
    }
}

/// The format that holds the floats of a checkpoint as they are.
fn as_stored(checkpoint: &Checkpoint) -> WeightFormat {
    let largest = checkpoint.tensors().max_by_key(|tensor| tensor.n_elements());
    match largest.map(|tensor| tensor.dtype) {
        Some(FileDType::BF16) => WeightFormat::BF16,
        Some(FileDType::F16) => WeightFormat::F16,
        _ => WeightFormat::F32,
    }
}

impl Found {
    fn new(fidelity: &Fidelity) -> Self {
        let [perplexity_before, perplexity_after] = fidelity.perplexities();
        let (kl_divergence, top1) = (fidelity.divergence(), fidelity.top1());
        Self { n_tokens: fidelity.n_scored, perplexity_before, perplexity_after, kl_divergence, top1 }
    }

    /// A line for people.
    pub(super) fn words(&self) -> String {
        let Self { n_tokens, perplexity_before, perplexity_after, kl_divergence, top1 } = self;
        let share = top1 * 100.0;
        format!(
            "perplexity {perplexity_before:.3} became {perplexity_after:.3} on {n_tokens} tokens; KL divergence \
             {kl_divergence:.5} nats, the same likeliest token at {share:.1} % of positions"
        )
    }
}
