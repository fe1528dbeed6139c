//! What a run is made of: the checkpoint that it begins with, the tokenizer, and data as batches.

use hala_engine::{EndIds, TemplateOptions, open_tokenizer};
use hala_text::{LocalTime, Tokenizer};
use hala_weights::Checkpoint;

use crate::config::{SourceConfig, TrainConfig};
use crate::data::{BatchOptions, Batches, OrderOptions, Packing, Part, Renderer, Source};
use crate::error::TrainError;
use crate::run::learning::context;
use crate::run::memory::{Needs, available};
use crate::run_fault::RunFault;
use crate::store::Beside;

/// A run that could begin: its settings, checked against its model.
#[derive(Debug)]
pub struct Prepared {
    pub(super) config: TrainConfig,
    pub(super) checkpoint: Checkpoint,
    pub(super) tokenizer: Tokenizer,
    pub(super) template: TemplateOptions,
    pub(super) ends: Vec<u32>,
    pub(super) beside: Beside,
    pub(super) needs: Needs,
    /// The most rows of a document.
    pub(super) context: usize,
}

impl Prepared {
    /// Checks that a checkpoint can be trained by these settings, on this machine.
    ///
    /// # Errors
    /// A family or tensors that cannot be trained; a tokenizer that is missing or of another model; more memory than is free.
    pub fn new(config: TrainConfig, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        Self::within(config, checkpoint, available().unwrap_or(usize::MAX))
    }

    /// As [`Prepared::new`], where so many bytes of memory are free.
    ///
    /// # Errors
    /// As for [`Prepared::new`].
    pub fn within(config: TrainConfig, checkpoint: Checkpoint, available: usize) -> Result<Self, TrainError> {
        let needs = Needs::check(&config, &checkpoint, available)?;
        let tokenizer = open_tokenizer(&checkpoint)?;
        let tokenizer = tokenizer.ok_or_else(|| RunFault::NoTokenizer { origin: checkpoint.origin() })?;
        check_vocabulary(&checkpoint, &tokenizer)?;
        let ends = EndIds::read(&checkpoint, Some(&tokenizer))?.ids;
        let now = config.now.as_deref().map(LocalTime::parse).transpose()?;
        let template = TemplateOptions { now, ..TemplateOptions::default() };
        let beside = Beside::read(&checkpoint, config.save_as)?;
        let context = context(&config, &checkpoint)?;
        Ok(Self { config, checkpoint, tokenizer, template, ends, beside, needs, context })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// What it takes of memory.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.needs
    }

    fn renderer(&self) -> Result<Renderer, TrainError> {
        Renderer::new(self.tokenizer.clone(), self.template.clone(), self.ends.clone(), self.config.replies)
    }

    /// The files to learn from, without what is held out of them, in batches.
    pub(super) fn batches(&self, epochs: Option<u32>) -> Result<Batches, TrainError> {
        let part = match self.config.held_out {
            0.0 => Part::All,
            held_out => Part::Train { held_out },
        };
        let options = BatchOptions {
            order: OrderOptions {
                seed: self.config.seed,
                shuffle: Some(self.config.shuffle).filter(|n| *n > 0),
                part,
            },
            epochs,
            packing: self.config.packing,
            ..self.batch_options()
        };
        Batches::new(&sources(&self.config.data), self.renderer()?, options)
    }

    /// What is held out, in batches.
    pub(super) fn held_out(&self) -> Result<Batches, TrainError> {
        let options = BatchOptions { order: self.held_out_order(), ..self.batch_options() };
        Batches::new(&self.held_out_sources(), self.renderer()?, options)
    }

    /// The files that held-out rows are of.
    pub(super) fn held_out_sources(&self) -> Vec<Source> {
        match self.config.held_out {
            0.0 => sources(&self.config.evaluation),
            _ => sources(&self.config.data),
        }
    }

    /// Held-out rows, mixed: an evaluation sees the first of them.
    pub(super) fn held_out_order(&self) -> OrderOptions {
        let part = match self.config.held_out {
            0.0 => Part::All,
            held_out => Part::HeldOut { held_out },
        };
        OrderOptions { seed: self.config.seed, shuffle: Some(OrderOptions::DEFAULT_SHUFFLE), part }
    }

    fn batch_options(&self) -> BatchOptions {
        BatchOptions {
            order: self.held_out_order(),
            epochs: Some(1),
            max_rows: self.config.batch_rows,
            max_document_rows: self.context,
            packing: Packing::InOrder,
            too_long: self.config.too_long,
            faulty: self.config.faulty,
        }
    }
}

fn sources(configs: &[SourceConfig]) -> Vec<Source> {
    configs.iter().map(SourceConfig::source).collect()
}

/// Every id that the tokenizer writes has its row in the embedding.
fn check_vocabulary(checkpoint: &Checkpoint, tokenizer: &Tokenizer) -> Result<(), TrainError> {
    let config = checkpoint.config()?;
    let n_vocab = config.usize(&["vocab_size"])?.unwrap_or(usize::MAX);
    let last_id = tokenizer.n_vocab().saturating_sub(1) as u32;
    if last_id as usize >= n_vocab {
        let (tokenizer, config) = (checkpoint.origin(), config.file().to_owned());
        return Err(RunFault::Vocabulary { tokenizer, last_id, config, n_vocab }.into());
    }
    Ok(())
}
