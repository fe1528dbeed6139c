//! A text that models are run on: to calibrate, and to compare.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hala::{BackendName, DeviceOptions, Engine, RuntimeOptions};
use hala_eval::windows;
use hala_model::{Inputs, Options, WeightFormat};
use hala_text::Bos;
use hala_weights::{Checkpoint, FileDType};

use crate::app::App;
use crate::input::Input;
use crate::model_args::load;
use crate::terminal::counted;

/// Tokens of a window, which remembers none before it.
const WINDOW: usize = 256;

/// A text's tokens in windows.
pub(super) struct Text {
    pub(super) windows: Vec<Vec<u32>>,
    n_threads: usize,
}

impl Text {
    /// Reads the first `n_tokens` tokens of a text; before the work begins, so that it does not end in an error. `option` is what asked for it.
    ///
    /// # Errors
    /// The file cannot be read, the checkpoint has no tokenizer, the text is too short.
    pub(super) fn read(
        option: &str,
        file: &Path,
        n_tokens: u32,
        n_threads: usize,
        checkpoint: &Checkpoint,
    ) -> Result<Self> {
        let text = Input::file(file)?.read_all()?;
        let tokenizer = hala_engine::open_tokenizer(checkpoint)?;
        let tokenizer = tokenizer.with_context(|| {
            format!("{option} needs a tokenizer, and the checkpoint has no tokenizer.json")
        })?;
        let mut ids = tokenizer.encode_plain(&text, Bos::Never)?;
        ids.truncate(n_tokens as usize);
        let windows = windows(&ids, WINDOW, tokenizer.bos_id());
        ensure!(
            !windows.is_empty(),
            "{option}: `{}` has {}, and two are needed",
            file.display(),
            counted(ids.len(), "token")
        );
        Ok(Self { windows, n_threads })
    }

    /// Loads a model to run it on the text.
    ///
    /// # Errors
    /// A model that cannot be run, no memory, Ctrl-C.
    pub(super) fn load(
        &self,
        checkpoint: &Checkpoint,
        weights: WeightFormat,
        inputs: Inputs,
        app: &App,
    ) -> Result<Engine> {
        let device = DeviceOptions {
            backend: BackendName::Cpu,
            n_threads: self.n_threads,
            ..DeviceOptions::default()
        };
        let cancel = app.interrupt.cancel().clone();
        let options =
            RuntimeOptions { device, weights, model: options(inputs), cancel, ..RuntimeOptions::default() };
        let chosen = pollster::block_on(options.device.open())?;
        load(chosen.backend, checkpoint, &options, app)
    }
}

/// Options of a model that is run on a text.
pub(super) fn options(inputs: Inputs) -> Options {
    Options { context: Some(WINDOW), inputs, ..Options::default() }
}

/// The format that holds the floats of a checkpoint as they are.
pub(super) fn as_stored(checkpoint: &Checkpoint) -> WeightFormat {
    let largest = checkpoint.tensors().max_by_key(|tensor| tensor.n_elements());
    match largest.map(|tensor| tensor.dtype) {
        Some(FileDType::BF16) => WeightFormat::BF16,
        Some(FileDType::F16) => WeightFormat::F16,
        _ => WeightFormat::F32,
    }
}
