//! Which rows of which prompts a run is of that is looked into.

use hala_model::PlanShape;
use hala_plan::Backend;

use crate::engine::Engine;
use crate::error::EngineError;

/// The rows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeRows {
    /// The tokens of each prompt from this position on, in a Plan for prompts.
    Prompt {
        /// Tokens of each prompt that are computed before.
        position: usize,
    },
    /// One token of each prompt, in a Plan for sequences that decode.
    Decode {
        /// Its position; `None` for the last token of each.
        position: Option<usize>,
    },
}

impl ProbeRows {
    /// What such a run is called: `prefill` or `decode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompt { .. } => "prefill",
            Self::Decode { .. } => "decode",
        }
    }
}

/// A run that is looked into: rows of one or several prompts, each a sequence of its own. What comes before them is computed first.
#[derive(Debug, Clone, Copy)]
pub struct ProbeRun<'a> {
    /// The prompts' ids.
    pub prompts: &'a [&'a [u32]],
    /// Which of their rows.
    pub rows: ProbeRows,
}

/// The rows of one prompt, from one position to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<'a> ProbeRun<'a> {
    /// All rows of some prompts.
    pub fn of_prompts(prompts: &'a [&'a [u32]]) -> Self {
        Self { prompts, rows: ProbeRows::Prompt { position: 0 } }
    }

    /// The ids of its rows.
    pub fn ids(&self) -> Vec<u32> {
        let rows = self.prompts.iter().flat_map(|prompt| match self.rows {
            ProbeRows::Prompt { position } => prompt.get(position..),
            ProbeRows::Decode { position } => {
                let position = position.unwrap_or(prompt.len().saturating_sub(1));
                prompt.get(position..position + 1)
            }
        });
        rows.flatten().copied().collect()
    }

    /// The rows of each prompt.
    ///
    /// # Errors
    /// No prompt, or one that is empty, does not fit the context, has ids that the model does not know, or no row at the position.
    pub(crate) fn stretches<B: Backend>(&self, engine: &Engine<B>) -> Result<Vec<Stretch>, EngineError> {
        if self.prompts.is_empty() {
            return Err(EngineError::EmptyPrompt);
        }
        let stretch = |prompt: &&[u32]| {
            engine.check_prompt(prompt)?;
            let last = prompt.len() - 1;
            let (start, end) = match self.rows {
                ProbeRows::Prompt { position } => (position, prompt.len()),
                ProbeRows::Decode { position } => (position.unwrap_or(last), position.unwrap_or(last) + 1),
            };
            if start > last {
                return Err(EngineError::NoRow { position: start, found: prompt.len() });
            }
            Ok(Stretch { start, end })
        };
        self.prompts.iter().map(stretch).collect()
    }

    /// The Plan that an engine runs such rows with: sessions and schedulers ask for the same.
    pub(crate) fn shape<B: Backend>(&self, engine: &Engine<B>, n_rows: usize) -> PlanShape {
        match self.rows {
            ProbeRows::Decode { .. } => engine.decode_shape(n_rows),
            ProbeRows::Prompt { .. } if self.prompts.len() == 1 => engine.chunk_shape(n_rows),
            ProbeRows::Prompt { .. } => engine.prompt_shape(n_rows),
        }
    }
}
