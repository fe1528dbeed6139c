//! How the next token is chosen where the user does not say: as the checkpoint's publisher has it.

use hala_weights::Checkpoint;
use serde_json::Value;

use crate::error::{EngineError, SettingFault, brief};
use crate::generation_config::GenerationConfig;
use crate::sampling::Sampling;

/// What transformers does where a file asks for draws and does not say from how many tokens.
const TOP_K: usize = 50;

/// Settings that change what transformers or llama.cpp would generate and that nothing here does, each with the number that
/// changes nothing.
const OTHERS: [(&str, Option<f64>); 27] = [
    ("typical_p", Some(1.0)),
    ("epsilon_cutoff", Some(0.0)),
    ("eta_cutoff", Some(0.0)),
    ("top_h", None),
    ("num_beams", Some(1.0)),
    ("num_beam_groups", Some(1.0)),
    ("penalty_alpha", Some(0.0)),
    ("no_repeat_ngram_size", Some(0.0)),
    ("encoder_no_repeat_ngram_size", Some(0.0)),
    ("encoder_repetition_penalty", Some(1.0)),
    ("bad_words_ids", None),
    ("force_words_ids", None),
    ("constraints", None),
    ("sequence_bias", None),
    ("suppress_tokens", None),
    ("begin_suppress_tokens", None),
    ("forced_bos_token_id", None),
    ("forced_eos_token_id", None),
    ("exponential_decay_length_penalty", None),
    ("guidance_scale", Some(1.0)),
    ("watermarking_config", None),
    ("min_length", Some(0.0)),
    ("min_new_tokens", Some(0.0)),
    ("stop_strings", None),
    ("xtc_probability", Some(0.0)),
    ("mirostat", Some(0.0)),
    ("sequence", None),
];

/// What somebody says of the choice of tokens; what is left open is the checkpoint's to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SamplingChoice {
    /// As [`Sampling::temperature`].
    pub temperature: Option<f32>,
    /// As [`Sampling::top_k`].
    pub top_k: Option<usize>,
    /// As [`Sampling::top_p`].
    pub top_p: Option<f32>,
    /// As [`Sampling::min_p`].
    pub min_p: Option<f32>,
    /// As [`Sampling::repetition_penalty`].
    pub repetition_penalty: Option<f32>,
    /// As [`Sampling::frequency_penalty`].
    pub frequency_penalty: Option<f32>,
    /// As [`Sampling::presence_penalty`].
    pub presence_penalty: Option<f32>,
    /// As [`Sampling::logit_bias`].
    pub logit_bias: Vec<(u32, f32)>,
    /// As [`Sampling::seed`].
    pub seed: Option<u64>,
}

/// What a checkpoint says of the choice of tokens, in generation_config.json or, where there is none, in config.json.
///
/// It is read as transformers 5 does: without `do_sample` the likeliest token is taken, whatever temperature is named;
/// with it `top_k` is 50 where it is not named. A temperature of 0 takes the likeliest token. A file that names none of these settings
/// leaves all of them to the caller. Settings of GGUF files, `general.sampling.*`, are read as llama.cpp does.
#[derive(Debug, Default)]
pub struct SamplingDefaults {
    file: Option<String>,
    sampling: Option<Sampling>,
    max_tokens: Option<usize>,
    /// Values that mean nothing; each counts where nobody else chooses one.
    faults: Vec<SettingFault>,
    passed_over: Vec<String>,
}

impl SamplingDefaults {
    /// Reads what the checkpoint says.
    ///
    /// # Errors
    /// A file that is not JSON. Values that mean nothing are errors of [`SamplingDefaults::choose`], as they keep nobody from
    /// translating.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, EngineError> {
        let mut reading =
            Reading { config: GenerationConfig::read(checkpoint)?, file: None, faults: Vec::new() };
        let sampling = reading.sampling();
        let max_tokens = reading.whole("max_new_tokens", "a whole number from 1", 1);
        let passed_over = reading.passed_over();
        let Reading { file, faults, .. } = reading;
        Ok(Self { file, sampling, max_tokens, faults, passed_over })
    }

    /// The file that says it, where one says anything.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// What the file says of the choice of tokens; `None` where it leaves it to the caller.
    pub fn sampling(&self) -> Option<&Sampling> {
        self.sampling.as_ref()
    }

    /// Settings of the file that nothing here does, with their values, as in `typical_p 0.9`.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// Settings whose values mean nothing.
    pub fn faults(&self) -> &[SettingFault] {
        &self.faults
    }

    /// The settings to generate with: each is `choice`'s, or else the checkpoint's. A checkpoint that says nothing has `base`.
    ///
    /// # Errors
    /// A value outside of its range: of `choice`, or of the file where `choice` leaves it open and it would count.
    pub fn choose(&self, base: &Sampling, choice: &SamplingChoice) -> Result<Sampling, EngineError> {
        let base = self.sampling.as_ref().unwrap_or(base);
        let mut logit_bias = base.logit_bias.clone();
        logit_bias.extend_from_slice(&choice.logit_bias);
        let sampling = Sampling {
            temperature: choice.temperature.unwrap_or(base.temperature),
            top_k: choice.top_k.unwrap_or(base.top_k),
            top_p: choice.top_p.unwrap_or(base.top_p),
            min_p: choice.min_p.unwrap_or(base.min_p),
            repetition_penalty: choice.repetition_penalty.unwrap_or(base.repetition_penalty),
            frequency_penalty: choice.frequency_penalty.unwrap_or(base.frequency_penalty),
            presence_penalty: choice.presence_penalty.unwrap_or(base.presence_penalty),
            logit_bias,
            seed: choice.seed.unwrap_or(base.seed),
        };
        let draws = sampling.temperature > 0.0;
        for fault in &self.faults {
            let counts = match fault.key {
                "do_sample" | "temperature" => choice.temperature.is_none(),
                "top_k" => choice.top_k.is_none() && draws,
                "top_p" => choice.top_p.is_none() && draws,
                "min_p" => choice.min_p.is_none() && draws,
                "repetition_penalty" => choice.repetition_penalty.is_none(),
                _ => false,
            };
            if counts {
                return Err(fault.clone().into());
            }
        }
        sampling.check()?;
        Ok(sampling)
    }

    /// The most tokens to generate: those that were asked for, or else `max_new_tokens` of the file.
    ///
    /// # Errors
    /// None were asked for, and the file's value means nothing.
    pub fn max_tokens(&self, asked: Option<usize>) -> Result<Option<usize>, EngineError> {
        match self.faults.iter().find(|fault| fault.key == "max_new_tokens") {
            Some(fault) if asked.is_none() => Err(fault.clone().into()),
            _ => Ok(asked.or(self.max_tokens)),
        }
    }
}

/// What was read so far.
struct Reading {
    config: GenerationConfig,
    /// Where the first setting was found.
    file: Option<String>,
    faults: Vec<SettingFault>,
}

impl Reading {
    /// The settings of sampling, where any is named.
    fn sampling(&mut self) -> Option<Sampling> {
        let draws = self.get("do_sample", "true or false", Value::as_bool);
        let temperature = self.number("temperature", "a number from 0", |t| t >= 0.0);
        let top_k = self.whole("top_k", "a whole number from 0", 0);
        // As in transformers, 1 and more keep all tokens; 0 and less keep one.
        let top_p = self.number("top_p", "a number", |_| true).map(|p| p.clamp(f32::MIN_POSITIVE, 1.0));
        let min_p = self.number("min_p", "a number from 0 to 1", |p| (0.0..=1.0).contains(&p));
        let repetition_penalty = self.number("repetition_penalty", "a number above 0", |p| p > 0.0);
        let greedy = Sampling::default();
        self.file.is_some().then(|| Sampling {
            temperature: if draws == Some(true) { temperature.unwrap_or(1.0) } else { 0.0 },
            top_k: top_k.unwrap_or(TOP_K),
            top_p: top_p.unwrap_or(greedy.top_p),
            min_p: min_p.unwrap_or(greedy.min_p),
            repetition_penalty: repetition_penalty.unwrap_or(greedy.repetition_penalty),
            ..greedy
        })
    }

    fn get<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let (file, value) = self.config.find(key)?;
        let converted = convert(value);
        if converted.is_none() {
            self.faults.push(SettingFault::new((file, value), key, expected));
        }
        self.file.get_or_insert_with(|| file.to_owned());
        converted
    }

    fn number(
        &mut self,
        key: &'static str,
        expected: &'static str,
        fits: impl Fn(f32) -> bool,
    ) -> Option<f32> {
        let convert = |value: &Value| value.as_f64().map(|x| x as f32).filter(|x| x.is_finite() && fits(*x));
        self.get(key, expected, convert)
    }

    fn whole(&mut self, key: &'static str, expected: &'static str, least: u64) -> Option<usize> {
        let n = self.get(key, expected, |value| value.as_u64().filter(|n| *n >= least))?;
        Some(usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// What of the file nothing here does.
    fn passed_over(&self) -> Vec<String> {
        let changes = |value: &Value, neutral: Option<f64>| match value {
            Value::Number(n) => n.as_f64() != neutral,
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::String(text) => !text.is_empty(),
            Value::Bool(on) => *on,
            Value::Null => false,
        };
        let found = OTHERS.iter().filter_map(|(key, neutral)| {
            let (_, value) = self.config.find(key)?;
            changes(value, *neutral).then(|| format!("{key} {}", brief(value)))
        });
        found.collect()
    }
}
