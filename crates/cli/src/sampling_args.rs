//! Options that say how text is generated.

use anyhow::{Context, Result};
use clap::Args;
use hala_engine::{GenerateOptions, Sampling};

/// How text is generated.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
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

    /// The same seed gives the same text
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,

    /// End after this many tokens
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_tokens: Option<usize>,

    /// End before this text; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    stop: Vec<String>,
}

impl SamplingArgs {
    /// The options, with `base` for what is not given.
    ///
    /// # Errors
    /// An option outside of its range.
    pub(crate) fn options(&self, base: &Sampling) -> Result<GenerateOptions> {
        let mut logit_bias = base.logit_bias.clone();
        logit_bias.extend_from_slice(&self.logit_bias);
        let sampling = Sampling {
            temperature: self.temperature.unwrap_or(base.temperature),
            top_k: self.top_k.unwrap_or(base.top_k),
            top_p: self.top_p.unwrap_or(base.top_p),
            min_p: self.min_p.unwrap_or(base.min_p),
            repetition_penalty: self.repetition_penalty.unwrap_or(base.repetition_penalty),
            frequency_penalty: self.frequency_penalty.unwrap_or(base.frequency_penalty),
            presence_penalty: self.presence_penalty.unwrap_or(base.presence_penalty),
            logit_bias,
            seed: self.seed.unwrap_or(base.seed),
        };
        sampling.check()?;
        Ok(GenerateOptions {
            sampling,
            max_tokens: self.max_tokens,
            stop: self.stop.clone(),
            ..GenerateOptions::default()
        })
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
    fn a_bias_is_an_id_and_a_number() {
        assert_eq!(bias("7=-100").unwrap(), (7, -100.0));
        assert_eq!(bias("7=-inf").unwrap(), (7, f32::NEG_INFINITY));
        for text in ["7", "x=1", "7=y", "7=NaN", "7=inf", "-1=2"] {
            assert!(bias(text).is_err(), "{text}");
        }
    }
}
