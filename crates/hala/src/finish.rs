//! Why a reply ended, in the words of the OpenAI API.

use hala_engine::{EngineError, FinishReason};
use serde::Serialize;

use crate::error::Error;

/// Why a reply ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// It is whole, or came to a stop string.
    Stop,
    /// It ran into a limit of tokens.
    Length,
}

impl TryFrom<FinishReason> for Finish {
    type Error = Error;

    /// # Errors
    /// It was stopped on request, which the API has no word for.
    fn try_from(finish: FinishReason) -> Result<Self, Error> {
        match finish {
            FinishReason::Stop => Ok(Self::Stop),
            FinishReason::Length => Ok(Self::Length),
            FinishReason::Cancelled => Err(EngineError::Cancelled.into()),
        }
    }
}
