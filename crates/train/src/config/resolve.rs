//! Settings with defaults under them, checked: what a run is made by.

use std::path::PathBuf;

use hala_text::LocalTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::choices::{Base, Products, SavedAs};
use crate::config::settings::Settings;
use crate::config::sources::{SourceConfig, SourceSetting};
use crate::data::{OrderOptions, Packing, Replies, Rule};
use crate::run_fault::RunFault;
use crate::schedule::{Schedule, Shape};

/// Settings that may change while a run is broken off: its values do not depend on them.
const FREE: [&str; 3] = ["output", "threads", "keep"];

/// Everything that a run is made by. The fields are [`Settings`]' own, with nothing missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is documented where settings are defined")]
pub struct TrainConfig {
    pub base: Base,
    pub output: PathBuf,
    pub data: Vec<SourceConfig>,
    pub held_out: f64,
    pub evaluation: Vec<SourceConfig>,
    pub context: Option<usize>,
    pub packing: Packing,
    pub too_long: Rule,
    pub faulty: Rule,
    pub replies: Replies,
    pub shuffle: usize,
    pub now: Option<String>,
    pub steps: Option<u64>,
    pub epochs: Option<u32>,
    pub batch_rows: usize,
    pub accumulation: usize,
    pub learning_rate: f64,
    pub schedule: Shape,
    pub warmup: u64,
    pub cooldown: u64,
    pub final_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub weight_decay: f64,
    pub max_norm: f64,
    pub dropout: f32,
    pub label_smoothing: f32,
    pub ema: f64,
    pub average_last: usize,
    pub seed: u64,
    pub threads: usize,
    pub products: Products,
    pub recompute: bool,
    pub evaluate_every: u64,
    pub evaluation_batches: usize,
    pub samples: usize,
    pub sample_tokens: usize,
    pub save_every: u64,
    pub keep: usize,
    pub save_as: SavedAs,
}

impl TrainConfig {
    /// Puts defaults under settings and checks them all.
    ///
    /// # Errors
    /// What is missing, what excludes what, and numbers that make no sense, each by its name.
    pub fn resolve(settings: Settings) -> Result<Self, RunFault> {
        let base = base(&settings)?;
        let batch_rows = settings.batch_rows.unwrap_or(2048);
        let sources =
            |list: &[SourceSetting]| list.iter().map(SourceSetting::resolve).collect::<Result<Vec<_>, _>>();
        let config = Self {
            base,
            output: settings.output.ok_or_else(|| missing("output", "the folder of the run"))?,
            data: sources(&settings.data.ok_or_else(|| missing("data", "the files to learn from"))?)?,
            held_out: settings.held_out.unwrap_or(0.0),
            evaluation: sources(&settings.evaluation.unwrap_or_default())?,
            context: settings.context,
            packing: settings.packing.unwrap_or_default(),
            too_long: settings.too_long.unwrap_or(Rule::Drop),
            faulty: settings.faulty.unwrap_or(Rule::Refuse),
            replies: settings.replies.unwrap_or_default(),
            shuffle: settings.shuffle.unwrap_or(OrderOptions::DEFAULT_SHUFFLE),
            now: settings.now,
            steps: settings.steps,
            epochs: settings.epochs,
            batch_rows,
            accumulation: settings.accumulation.unwrap_or(1),
            learning_rate: settings.learning_rate.unwrap_or(1e-4),
            schedule: settings.schedule.unwrap_or_default(),
            warmup: settings.warmup.unwrap_or(0),
            cooldown: settings.cooldown.unwrap_or(0),
            final_rate: settings.final_rate.unwrap_or(0.0),
            beta1: settings.beta1.unwrap_or(0.9),
            beta2: settings.beta2.unwrap_or(0.95),
            eps: settings.eps.unwrap_or(1e-8),
            weight_decay: settings.weight_decay.unwrap_or(0.1),
            max_norm: settings.max_norm.unwrap_or(1.0),
            dropout: settings.dropout.unwrap_or(0.0),
            label_smoothing: settings.label_smoothing.unwrap_or(0.0),
            ema: settings.ema.unwrap_or(0.0),
            average_last: settings.average_last.unwrap_or(0),
            seed: settings.seed.unwrap_or(0),
            threads: settings.threads.unwrap_or(0),
            products: settings.products.unwrap_or_default(),
            recompute: settings.recompute.unwrap_or(false),
            evaluate_every: settings.evaluate_every.unwrap_or(0),
            evaluation_batches: settings.evaluation_batches.unwrap_or(16),
            samples: settings.samples.unwrap_or(0),
            sample_tokens: settings.sample_tokens.unwrap_or(128),
            save_every: settings.save_every.unwrap_or(0),
            keep: settings.keep.unwrap_or(2),
            save_as: settings.save_as.unwrap_or_default(),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), RunFault> {
        let share = |x: f64| (0.0..1.0).contains(&x);
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let from_zero = |x: f64| x.is_finite() && x >= 0.0;
        let checks = [
            ("data", !self.data.is_empty(), "a list of at least one file"),
            ("held_out", share(self.held_out), "from 0 to below 1"),
            ("steps", self.steps != Some(0), "at least 1"),
            ("epochs", self.epochs != Some(0), "at least 1"),
            ("batch_rows", self.batch_rows > 0, "at least 1"),
            (
                "context",
                self.context.is_none_or(|context| (1..=self.batch_rows).contains(&context)),
                "from 1 to `batch_rows`, since documents are never cut",
            ),
            ("accumulation", self.accumulation > 0, "at least 1"),
            ("learning_rate", positive(self.learning_rate), "above 0"),
            ("final_rate", (0.0..=1.0).contains(&self.final_rate), "a share of `learning_rate`, from 0 to 1"),
            ("beta1", share(self.beta1), "from 0 to below 1"),
            ("beta2", share(self.beta2), "from 0 to below 1"),
            ("eps", positive(self.eps), "above 0"),
            ("weight_decay", from_zero(self.weight_decay), "from 0"),
            ("max_norm", from_zero(self.max_norm), "from 0, where 0 clips nothing"),
            ("dropout", share(self.dropout.into()), "from 0 to below 1"),
            ("label_smoothing", share(self.label_smoothing.into()), "from 0 to below 1"),
            ("ema", share(self.ema), "from 0 to below 1, such as 0.999"),
            ("keep", self.keep > 0, "at least 1"),
            ("sample_tokens", self.sample_tokens > 0, "at least 1"),
        ];
        if let Some((setting, _, expected)) = checks.iter().find(|(_, is_sound, _)| !is_sound) {
            let found = self.value_of(setting);
            return Err(fault(setting, format!("it is {found}; it should be {expected}")));
        }
        self.check_pairs()
    }

    /// What goes together, and what does not.
    fn check_pairs(&self) -> Result<(), RunFault> {
        match (self.steps, self.epochs) {
            (None, None) => return Err(missing("steps", "or `epochs`: how long to train")),
            (Some(_), Some(_)) => return Err(fault("steps", "`epochs` says it too: remove one of the two")),
            _ => {}
        }
        if let Some(now) = &self.now {
            LocalTime::parse(now).map_err(|e| fault("now", e.to_string()))?;
        }
        let evaluates = self.held_out > 0.0 || !self.evaluation.is_empty();
        for (is_wrong, setting, detail) in [
            (
                self.held_out > 0.0 && !self.evaluation.is_empty(),
                "held_out",
                "`evaluation` names files to evaluate on already: remove one of the two",
            ),
            (
                !evaluates && (self.evaluate_every > 0 || self.samples > 0),
                "evaluate_every",
                "there is nothing to evaluate on: give `held_out`, such as 0.02, or `evaluation` with files",
            ),
            (
                self.ema > 0.0 && self.average_last > 0,
                "average_last",
                "`ema` averages already: remove one of the two",
            ),
            (
                self.average_last > 0 && self.save_every == 0,
                "average_last",
                "checkpoints are averaged, and none are saved on the way: give `save_every`",
            ),
            (self.cooldown > 0 && self.schedule != Shape::Wsd, "cooldown", "it is for `schedule: wsd` alone"),
        ] {
            if is_wrong {
                return Err(fault(setting, detail));
            }
        }
        Ok(())
    }

    /// Whether something is kept apart to evaluate on.
    #[must_use]
    pub fn evaluates(&self) -> bool {
        self.held_out > 0.0 || !self.evaluation.is_empty()
    }

    /// The learning rate along a run of so many steps.
    #[must_use]
    pub fn rates(&self, n_steps: u64) -> Schedule {
        Schedule {
            shape: self.schedule,
            peak: self.learning_rate,
            last: self.final_rate,
            warmup: self.warmup,
            cooldown: self.cooldown,
            n_steps,
        }
    }

    /// The first setting that differs in a way that changes what a run makes: its name, and what it is here and there.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<[String; 3]> {
        let [Value::Object(own), Value::Object(others)] = [self.json(), other.json()] else { return None };
        let differs = |(key, value): (String, Value)| {
            let there = others.get(&key).cloned().unwrap_or(Value::Null);
            let differs = value != there && !FREE.contains(&key.as_str());
            differs.then(|| [key, value.to_string(), there.to_string()])
        };
        own.into_iter().find_map(differs)
    }

    fn value_of(&self, setting: &str) -> String {
        self.json().get(setting).map_or_else(String::new, ToString::to_string)
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

fn base(settings: &Settings) -> Result<Base, RunFault> {
    match (&settings.model, &settings.from_scratch) {
        (Some(model), None) => Ok(Base::Model(model.clone())),
        (None, Some(scratch)) => {
            Ok(Base::FromScratch { config: scratch.config.clone(), tokenizer: scratch.tokenizer.clone() })
        }
        (Some(_), Some(_)) => {
            Err(fault("model", "`from_scratch` begins with no model: remove one of the two"))
        }
        (None, None) => Err(missing("model", "or `from_scratch`: what to begin with")),
    }
}

fn fault(setting: &str, detail: impl Into<String>) -> RunFault {
    RunFault::Settings { file: format!("`{setting}`"), detail: detail.into() }
}

fn missing(setting: &str, what: &str) -> RunFault {
    fault(setting, format!("it is missing: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
model: ./base
output: run
data: [a.tsv, { file: b.jsonl, repeat: 2 }]
held_out: 0.02
steps: 100
evaluate_every: 10
";

    fn resolved(text: &str) -> Result<TrainConfig, String> {
        let settings = Settings::parse("t.yml", text).map_err(|e| e.to_string())?;
        TrainConfig::resolve(settings).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_wrong_is_named() {
        resolved(GOOD).unwrap();
        for (from, to, words) in [
            ("steps: 100", "stepz: 100", ["t.yml", "`steps` is the nearest"]),
            ("steps: 100", "steps: many", ["t.yml", "line 6"]),
            ("steps: 100", "", ["`steps`", "`epochs`"]),
            ("steps: 100", "steps: 100\nepochs: 2", ["`steps`", "remove one"]),
            ("steps: 100", "steps: 0", ["`steps`", "at least 1"]),
            ("model: ./base", "", ["`model`", "from_scratch"]),
            (
                "model: ./base",
                "model: x\nfrom_scratch: { config: c, tokenizer: t }",
                ["`model`", "remove one"],
            ),
            ("output: run", "", ["`output`", "missing"]),
            ("held_out: 0.02", "held_out: 2", ["`held_out`", "it is 2.0"]),
            ("held_out: 0.02", "", ["`evaluate_every`", "`held_out`"]),
            ("held_out: 0.02", "held_out: 0.1\nevaluation: [d.tsv]", ["`held_out`", "`evaluation`"]),
            ("held_out: 0.02", "held_out: 0.1\ncontext: 4096", ["`context`", "`batch_rows`"]),
            ("held_out: 0.02", "held_out: 0.1\naverage_last: 3", ["`average_last`", "`save_every`"]),
            ("held_out: 0.02", "held_out: 0.1\ncooldown: 3", ["`cooldown`", "wsd"]),
            ("held_out: 0.02", "held_out: 0.1\nschedule: step", ["t.yml", "step"]),
            ("a.tsv", "a.bin", ["a.bin", "form"]),
        ] {
            assert!(GOOD.contains(from));
            let message = resolved(&GOOD.replace(from, to)).unwrap_err();
            assert!(words.iter().all(|word| message.contains(word)), "{to}: {message}");
        }
    }

    #[test]
    fn options_go_over_the_file() {
        let file = Settings::parse("t.yml", GOOD).unwrap();
        let options = ["steps=7", "learning_rate=3e-4", "data=[c.txt]", "schedule=wsd"];
        let over = options
            .iter()
            .fold(Settings::default(), |over, option| Settings::assignment(option).unwrap().over(over));
        let config = TrainConfig::resolve(over.over(file)).unwrap();
        assert_eq!((config.steps, config.learning_rate, config.schedule), (Some(7), 3e-4, Shape::Wsd));
        assert_eq!((config.data.len(), config.held_out), (1, 0.02));
        assert!(Settings::assignment("steps").unwrap_err().to_string().contains("KEY=VALUE"));
    }

    #[test]
    fn a_run_is_another_where_its_values_would_be() {
        let config = resolved(GOOD).unwrap();
        let free = TrainConfig { threads: 2, keep: 9, output: "elsewhere".into(), ..config.clone() };
        assert_eq!(config.difference(&free), None);
        let other = TrainConfig { seed: 1, ..config.clone() };
        assert_eq!(config.difference(&other).unwrap(), ["seed", "0", "1"]);
        // As it is kept in the run's folder.
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&text).unwrap(), config);
    }
}
