//! Which sentence became which, and how.

use std::ops::Range;

use hala_text::{CopyReason, OtherLanguage};
use serde::Serialize;

use crate::generated::FinishReason;

/// A sentence and its translation, as byte ranges of the two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Where the sentence is in the source.
    pub source: Range<usize>,
    /// Where its translation is in the target.
    pub target: Range<usize>,
    /// What there is to say of it.
    #[serde(flatten)]
    pub remarks: Remarks,
}

/// What there is to say of a segment.
///
/// In JSON each has only what applies: `"copied": "<reason>"`, `"looped": "retried"` or `"cut"`, `"truncated": true`,
/// `"other_language": "<code>"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Remarks {
    /// How the target came about.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The language that the sentence seems to be in, where that is neither Arabic nor English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_language: Option<OtherLanguage>,
}

/// How the target of a segment came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "OutcomeJson")]
pub enum Outcome {
    /// It is the source, which there was no need to translate.
    Copied(CopyReason),
    /// It is the source, which could not be translated.
    PassedThrough(Obstacle),
    /// The model made it.
    Translated {
        /// What was done where the model began to repeat itself.
        looped: Option<Looped>,
        /// Why it ended: `Length` where it ran into its token limit or the end of the context.
        finish: FinishReason,
    },
}

/// Why a sentence could not be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// It is too long for the context, and has no white space or comma to be cut at.
    TooLong,
    /// The model's template or tokenizer refused it.
    Refused,
}

/// What was done about a translation that repeated itself as its source does not: a run of more than three equal
/// n-grams, of words or of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Looped {
    /// It was taken back to the end of the first n-gram, and went on from there with a repetition penalty.
    Retried,
    /// That repeated itself too, and ends after the first n-gram.
    Cut,
}

/// An [`Outcome`] in JSON.
#[derive(Default, Serialize)]
struct OutcomeJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    copied: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looped: Option<Looped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Reason {
    NoNeed(CopyReason),
    Obstacle(Obstacle),
}

impl From<Outcome> for OutcomeJson {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Copied(reason) => Self { copied: Some(Reason::NoNeed(reason)), ..Self::default() },
            Outcome::PassedThrough(obstacle) => {
                Self { copied: Some(Reason::Obstacle(obstacle)), ..Self::default() }
            }
            Outcome::Translated { looped, finish } => {
                let truncated = (finish == FinishReason::Length).then_some(true);
                Self { looped, truncated, ..Self::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_what_there_is_to_say() {
        let translated = |looped, finish| Outcome::Translated { looped, finish };
        for (outcome, json) in [
            (translated(None, FinishReason::Stop), "{}"),
            (translated(Some(Looped::Cut), FinishReason::Stop), r#"{"looped":"cut"}"#),
            (
                translated(Some(Looped::Retried), FinishReason::Length),
                r#"{"looped":"retried","truncated":true}"#,
            ),
            (Outcome::Copied(CopyReason::TargetLanguage), r#"{"copied":"target-language"}"#),
            (Outcome::PassedThrough(Obstacle::TooLong), r#"{"copied":"too-long"}"#),
        ] {
            let remarks = Remarks { outcome, other_language: None };
            assert_eq!(serde_json::to_string(&remarks).unwrap(), json);
        }
    }
}
