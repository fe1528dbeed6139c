//! A tiny model with the tokenizer of the built-in translator, a few pairs, and runs on them.

use std::fs;
use std::path::{Path, PathBuf};

use hala_plan::Cancel;
use hala_train::TrainError;
use hala_train::config::{Base, Settings, TrainConfig};
use hala_train::metrics::{Line, read};
use hala_train::run::{Ended, Event, Prepared, RunFolder, Start, from_scratch, train};
use tempfile::TempDir;

/// Two layers, one of each kind, and no more of anything than there must be.
pub(crate) const CONFIG: &str = r#"{
  "architectures": ["Lfm2ForCausalLM"], "model_type": "lfm2",
  "hidden_size": 16, "intermediate_size": 24, "block_auto_adjust_ff_dim": false, "num_hidden_layers": 2,
  "num_attention_heads": 2, "num_key_value_heads": 1, "layer_types": ["conv", "full_attention"], "conv_L_cache": 3,
  "conv_bias": false, "norm_eps": 1e-5, "max_position_embeddings": 128, "tie_word_embeddings": true,
  "rope_parameters": { "rope_theta": 10000.0, "rope_type": "default" }
}"#;

/// Pairs of unequal lengths.
pub(crate) const PAIRS: [&str; 6] = [
    "Hello.\tمرحبا.",
    "Thank you.\tشكرا.",
    "Good morning.\tصباح الخير.",
    "Where is the station?\tأين المحطة؟",
    "I drink water.\tأشرب الماء.",
    "The boy reads a long book at home.\tيقرأ الولد كتابا طويلا في البيت.",
];

/// A folder with the files of a run.
pub(crate) struct Setting {
    folder: TempDir,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), CONFIG).unwrap();
        fs::write(folder.path().join("pairs.tsv"), PAIRS.join("\n")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A config with these settings over what every test has.
    pub(crate) fn config(&self, over: &str) -> TrainConfig {
        let tokenizer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/files");
        let text = format!(
            "from_scratch: {{ config: config.json, tokenizer: {} }}\noutput: run\ndata: [pairs.tsv]\nbatch_rows: 40\nthreads: 1\n\
             learning_rate: 1e-2\nsave_as: f32\n",
            tokenizer.display()
        );
        let file = Settings::parse("t.yml", &text).unwrap();
        let over = Settings::parse("over", over).unwrap();
        TrainConfig::resolve(over.over(file).relative_to(self.folder.path())).unwrap()
    }

    pub(crate) fn prepared(&self, over: &str) -> Result<Prepared, TrainError> {
        let config = self.config(over);
        let Base::FromScratch { config: shape, tokenizer } = &config.base else {
            panic!("{:?}", config.base)
        };
        let checkpoint = from_scratch(shape, tokenizer, config.seed)?;
        Prepared::new(config, checkpoint)
    }

    /// A run to its end.
    pub(crate) fn run(&self, over: &str) -> Vec<Line> {
        let prepared = self.prepared(over).unwrap();
        let ended = train(&prepared, Start::Resume, &Cancel::new(), &mut |_| {}).unwrap();
        assert!(matches!(ended, Ended::Finished { .. }), "{ended:?}");
        read(&RunFolder::metrics_of(&prepared.config().output)).unwrap()
    }

    /// A run that is cancelled when `stop` says so of an event.
    pub(crate) fn run_until(&self, over: &str, mut stop: impl FnMut(&Event<'_>) -> bool) -> Ended {
        let cancel = Cancel::new();
        let mut listen = |event: Event<'_>| {
            if stop(&event) {
                cancel.cancel();
            }
        };
        train(&self.prepared(over).unwrap(), Start::Resume, &cancel, &mut listen).unwrap()
    }

    /// The bytes of a file of the run.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path("run").join(name)).unwrap()
    }

    /// Forgets the run.
    pub(crate) fn clear(&self) {
        fs::remove_dir_all(self.path("run")).unwrap();
    }
}

/// The losses of steps.
pub(crate) fn losses(lines: &[Line]) -> Vec<f64> {
    let loss = |line: &Line| match line {
        Line::Step(step) => Some(step.loss),
        Line::Evaluation(_) => None,
    };
    lines.iter().filter_map(loss).collect()
}
