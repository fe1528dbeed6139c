//! Options that say how text is generated.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use hala::{GenerateOptions, Sampling, Wishes, any_seed};
use hala_engine::{Draft, SamplingChoice, SamplingDefaults};

use crate::app::App;
use crate::terminal;

/// How text is generated; what is not given is as the checkpoint says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling (unless given, as generation_config.json or the GGUF file says)")]
pub(crate) struct SamplingArgs {
    /// 0 takes the likeliest token; higher is more varied
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    temperature: Option<f32>,

    /// Choose among this many of the likeliest tokens; 0 for all
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    top_k: Option<usize>,

    /// Choose among the likeliest tokens that together reach this probability
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f32>,

    /// Choose among tokens at least this many times as likely as the likeliest
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    min_p: Option<f32>,

    /// Make tokens of prompt and output less likely by this factor; 1 for no penalty
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    repetition_penalty: Option<f32>,

    /// Taken off a token's logit for each time it is in the output
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    frequency_penalty: Option<f32>,

    /// Taken off a token's logit once it is in the output
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    presence_penalty: Option<f32>,

    /// Added to a token's logit; may be given several times
    #[arg(long, value_name = "ID=X", value_parser = bias)]
    logit_bias: Vec<(u32, f32)>,

    /// The same seed gives the same text; -1 for another one each time
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,

    /// End after this many tokens
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_tokens: Option<usize>,

    /// End before this text; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    stop: Vec<String>,

    /// Whether tokens are proposed where the text repeats its prompt or itself, and verified together; the text stays the same
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = DraftName::Auto)]
    draft: DraftName,
}

/// When tokens are proposed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DraftName {
    /// Where it is measured to pay, on the CPU
    Auto,
    /// Wherever the text repeats something
    Lookup,
    /// Never
    Off,
}

impl SamplingArgs {
    /// Refuses values that mean nothing, before anything is loaded.
    ///
    /// # Errors
    /// An option outside of its range.
    pub(crate) fn check(&self) -> Result<()> {
        Ok(self.wishes().check()?)
    }

    /// The options, with what the checkpoint says for what is not given, and `base` where it says nothing.
    ///
    /// # Errors
    /// A setting of the checkpoint that means nothing.
    pub(crate) fn options(&self, base: &Sampling, defaults: &SamplingDefaults) -> Result<GenerateOptions> {
        Ok(self.wishes().options(base, defaults)?)
    }

    fn wishes(&self) -> Wishes {
        let sampling = SamplingChoice {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            logit_bias: self.logit_bias.clone(),
            seed: self.seed,
        };
        let draft = match self.draft {
            DraftName::Auto => Draft::Auto,
            DraftName::Lookup => Draft::Lookup,
            DraftName::Off => Draft::Off,
        };
        let (max_tokens, stop) = (self.max_tokens, self.stop.clone());
        Wishes { sampling, max_tokens, stop, draft, logprobs: None }
    }
}

/// Says what of the checkpoint's settings is passed over, and to a person what is used.
pub(crate) fn tell(defaults: &SamplingDefaults, app: &App) {
    let Some(file) = defaults.file().filter(|_| !app.quiet) else { return };
    if terminal::stderr_is_terminal()
        && let Some(sampling) = defaults.sampling()
    {
        terminal::notice_later(&format!("{file} says: {}", words(sampling)));
    }
    if !defaults.passed_over().is_empty() {
        let settings = defaults.passed_over().join(", ");
        terminal::notice_later(&format!("{file} asks for {settings}, which hala does not do: passed over"));
    }
}

/// Sampling in words.
pub(crate) fn words(sampling: &Sampling) -> String {
    let penalty = match sampling.repetition_penalty {
        1.0 => String::new(),
        penalty => format!(", repetition penalty {penalty}"),
    };
    if sampling.temperature == 0.0 {
        return format!("the likeliest token{penalty}");
    }
    let Sampling { temperature, top_k, top_p, min_p, .. } = sampling;
    let mut text = format!("temperature {temperature}");
    if *top_k > 0 {
        text.push_str(&format!(", top k {top_k}"));
    }
    if *top_p < 1.0 {
        text.push_str(&format!(", top p {top_p}"));
    }
    if *min_p > 0.0 {
        text.push_str(&format!(", min p {min_p}"));
    }
    text + &penalty
}

/// Reads a seed.
fn seed(text: &str) -> Result<u64> {
    match text {
        "-1" => Ok(any_seed()),
        text => text.parse().with_context(|| {
            format!("a seed is a whole number from 0 to {}, or -1 for another one each time", u64::MAX)
        }),
    }
}

/// Reads `ID=X`.
fn bias(text: &str) -> Result<(u32, f32)> {
    let (id, value) = text.split_once('=').context("give it as ID=X, for example 7=-100")?;
    let id = id.trim().parse().with_context(|| format!("{id:?} is not a token id"))?;
    let value: f32 = value.trim().parse().with_context(|| format!("{value:?} is not a number"))?;
    // −∞ forbids a token; +∞ and NaN leave no distribution.
    anyhow::ensure!(!value.is_nan() && value < f32::INFINITY, "the bias must be a number, and is {value}");
    Ok((id, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_another_one_each_time() {
        assert_eq!((seed("0").unwrap(), seed("18446744073709551615").unwrap()), (0, u64::MAX));
        let drawn: std::collections::BTreeSet<u64> = (0..8).map(|_| seed("-1").unwrap()).collect();
        assert!(drawn.len() > 1 && drawn.iter().all(|seed| *seed < 1 << 53), "{drawn:?}");
        for text in ["-2", "x", "", "1.5", "18446744073709551616"] {
            assert!(seed(text).unwrap_err().to_string().contains("-1 for another"), "{text}");
        }
    }

    #[test]
    fn a_bias_is_an_id_and_a_number() {
        assert_eq!(bias("7=-100").unwrap(), (7, -100.0));
        assert_eq!(bias("7=-inf").unwrap(), (7, f32::NEG_INFINITY));
        for text in ["7", "x=1", "7=y", "7=NaN", "7=inf", "-1=2"] {
            assert!(bias(text).is_err(), "{text}");
        }
    }
}
