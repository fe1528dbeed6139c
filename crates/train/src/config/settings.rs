//! Settings as they stand in a file or in options: each may be missing.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::choices::{Products, SavedAs};
use crate::config::file::read_yaml;
use crate::config::sources::SourceSetting;
use crate::data::{Packing, Replies, Rule};
use crate::run_fault::RunFault;
use crate::schedule::Shape;

/// Defines the settings, with what joins two sets of them.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// Settings, each of which may be missing: those of a file, or of options that go over it.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $($(#[$doc])* #[serde(default)] pub $name: Option<$type>,)*
        }

        impl Settings {
            /// The names of all settings.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// These settings, and `under` for those that are missing.
            #[must_use]
            pub fn over(self, under: Self) -> Self {
                Self { $($name: self.$name.or(under.$name),)* }
            }
        }
    };
}

settings! {
    /// The checkpoint to begin with: a folder, a file, or a Hub id.
    model: String,
    /// Instead of `model`: a config.json and a tokenizer's folder; weights begin at random.
    from_scratch: Scratch,
    /// The folder of the run.
    output: PathBuf,
    /// The files to learn from: names, or maps with `file` and what else is said of it.
    data: Vec<SourceSetting>,
    /// The share of rows that is kept apart to evaluate on, from 0 to below 1.
    held_out: f64,
    /// Files to evaluate on, in place of `held_out`.
    evaluation: Vec<SourceSetting>,
    /// The most rows of a document, as many as a batch has unless given, and the model's limit at most; longer ones are left out and counted.
    context: usize,
    /// How documents share batches: `first_fit`, `in_order` or `alone`.
    packing: Packing,
    /// What becomes of documents that are too long: `drop` or `refuse`.
    too_long: Rule,
    /// What becomes of other rows that cannot be trained on: `refuse` or `drop`.
    faulty: Rule,
    /// Which replies of a conversation are learnt: `all` or `last`.
    replies: Replies,
    /// Rows that are mixed at once; 0 keeps the order of the files.
    shuffle: usize,
    /// The date that a chat template writes, where it writes one.
    now: String,
    /// Updates of the optimizer.
    steps: u64,
    /// Passes over the data, in place of `steps`.
    epochs: u32,
    /// Rows of a batch: what is computed at once, and what memory grows with.
    batch_rows: usize,
    /// Batches that an update is made of.
    accumulation: usize,
    /// The highest learning rate.
    learning_rate: f64,
    /// How the rate falls: `cosine`, `linear`, `wsd` (at the end, over `cooldown` steps) or `constant`.
    schedule: Shape,
    /// Steps over which the rate rises.
    warmup: u64,
    /// Steps over which the rate falls at the end, for `wsd`.
    cooldown: u64,
    /// The rate at the end, as a share of the highest.
    final_rate: f64,
    /// β₁ of AdamW.
    beta1: f64,
    /// β₂ of AdamW.
    beta2: f64,
    /// ε of AdamW.
    eps: f64,
    /// Decay of matrices; norms and embeddings never decay.
    weight_decay: f64,
    /// Gradients are clipped to this norm; 0 for not at all.
    max_norm: f64,
    /// The share of activations that is left out at random.
    dropout: f32,
    /// The share of a label's weight that all ids divide.
    label_smoothing: f32,
    /// The decay of an exponential average of the values, such as 0.999, which is then what is evaluated and saved.
    ema: f64,
    /// The final model is the mean of so many checkpoints.
    average_last: usize,
    /// What all that is random depends on.
    seed: u64,
    /// Threads; 0 for all.
    threads: usize,
    /// How matrices are multiplied: `f32` or `bf16`.
    products: Products,
    /// Computes activations again for the backward pass, for less memory and more time.
    recompute: bool,
    /// Steps between two evaluations; 0 for at the end alone.
    evaluate_every: u64,
    /// Batches of an evaluation at most.
    evaluation_batches: usize,
    /// Held-out rows that are answered at each evaluation; translations are measured by chrF++.
    samples: usize,
    /// The most tokens of a sample.
    sample_tokens: usize,
    /// Steps between two checkpoints; 0 for at the end alone.
    save_every: u64,
    /// Checkpoints that are kept, besides the best and the final one.
    keep: usize,
    /// The element type of checkpoints: `bf16` or `f32`.
    save_as: SavedAs,
}

/// What a model is made of that begins at random.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    /// A config.json.
    pub config: PathBuf,
    /// A folder with a tokenizer.json and what belongs to it.
    pub tokenizer: PathBuf,
}

impl Settings {
    /// Reads the text of a YAML file, which `file` names in messages.
    ///
    /// # Errors
    /// What the text has instead, with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, RunFault> {
        read_yaml(file, text, Self::NAMES)
    }

    /// Reads one setting as `key=value`, the value being YAML as in a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn assignment(text: &str) -> Result<Self, RunFault> {
        let Some((key, value)) = text.split_once('=') else {
            let detail = "it should be KEY=VALUE, such as learning_rate=1e-4".to_owned();
            return Err(RunFault::Settings { file: format!("--set {text}"), detail });
        };
        Self::parse(&format!("--set {text}"), &format!("{}: {value}", key.trim()))
    }

    /// Makes paths of a file relative to that file's folder: `model` too, where there is such a path.
    #[must_use]
    pub fn relative_to(mut self, folder: &Path) -> Self {
        if let Some(model) = self.model.as_mut()
            && folder.join(&*model).exists()
        {
            *model = folder.join(&*model).display().to_string();
        }
        if let Some(scratch) = self.from_scratch.as_mut() {
            scratch.config = folder.join(&scratch.config);
            scratch.tokenizer = folder.join(&scratch.tokenizer);
        }
        self.output = self.output.map(|output| folder.join(output));
        let sources = self.data.iter_mut().chain(&mut self.evaluation).flatten();
        sources.for_each(|source| source.relative_to(folder));
        self
    }
}
