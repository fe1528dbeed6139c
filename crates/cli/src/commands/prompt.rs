//! A prompt as text or ids, for commands that take either.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use hala_text::{Bos, Tokenizer};

use crate::input::{Input, STDIN};
use crate::{ids, paths};

/// The prompt.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PromptArgs {
    /// The prompt, in which special tokens may be written out; `-` reads standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,

    /// The prompt as token ids, for example 1,5,9
    #[arg(long, value_name = "IDS", allow_hyphen_values = true)]
    ids: Option<String>,
}

/// Prompts: those that are given one by one, or those of a file.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PromptsArgs {
    /// The prompt, in which special tokens may be written out; `-` reads standard input. It may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Vec<String>,

    /// The prompt as token ids, for example 1,5,9. It may be given several times
    #[arg(long, value_name = "IDS", allow_hyphen_values = true)]
    ids: Vec<String>,

    /// A file with a prompt in each line, which are continued several at once; empty lines are passed over
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, value_parser = paths::existing())]
    file: Option<PathBuf>,
}

impl PromptsArgs {
    /// Reads the prompts.
    ///
    /// # Errors
    /// As for [`PromptArgs::read`], and a file that cannot be read or has no prompt.
    pub(crate) fn read(&self) -> Result<Vec<Prompt>> {
        let Some(path) = &self.file else {
            let texts = self.prompt.iter().map(|text| PromptArgs { prompt: Some(text.clone()), ids: None });
            let ids = self.ids.iter().map(|ids| PromptArgs { prompt: None, ids: Some(ids.clone()) });
            return texts.chain(ids).map(|prompt| prompt.read()).collect();
        };
        let mut input = Input::file(path)?;
        let mut prompts = Vec::new();
        while let Some(line) = input.next_line()? {
            prompts.extend((!line.text.trim().is_empty()).then_some(Prompt::Text(line.text)));
        }
        ensure!(!prompts.is_empty(), "`{}` has no prompt: write one in each line", path.display());
        Ok(prompts)
    }
}

const EMPTY: &str = "the prompt is empty: give some text with --prompt, or ids with --ids";

/// A prompt that was read and is not yet encoded.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// Text, in which special tokens may be written out.
    Text(String),
    /// Token ids.
    Ids(Vec<u32>),
}

impl PromptArgs {
    /// Reads the prompt.
    ///
    /// # Errors
    /// A word that is no id, no text at all, or standard input that cannot be read.
    pub(crate) fn read(&self) -> Result<Prompt> {
        let text = match (&self.prompt, &self.ids) {
            (_, Some(text)) => return Ok(Prompt::Ids(ids::parse(text)?)),
            (Some(text), None) if text == STDIN => Input::stdin().read_all()?,
            (text, None) => text.clone().unwrap_or_default(),
        };
        ensure!(!text.is_empty(), EMPTY);
        Ok(Prompt::Text(text))
    }
}

impl Prompt {
    /// The prompt's token ids.
    ///
    /// # Errors
    /// Text without a tokenizer; no token at all.
    pub(crate) fn encode<'t>(self, tokenizer: impl FnOnce() -> Result<&'t Tokenizer>) -> Result<Vec<u32>> {
        let ids = match self {
            Self::Ids(ids) => ids,
            Self::Text(text) => tokenizer()?.encode(&text, Bos::Auto)?,
        };
        ensure!(!ids.is_empty(), EMPTY);
        Ok(ids)
    }
}
