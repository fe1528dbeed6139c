//! Command-line words: what a task is, and how its options are read.

use std::fmt;

use anyhow::Result;

use crate::outcome::Outcome;
use crate::project::Project;

/// One command of `cargo xtask`.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) help: &'static str,
    pub(crate) run: fn(&Project, &[String]) -> Result<Outcome>,
}

/// The command line was wrong: exit code 2 and this message.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Usage(message.into())
    }

    /// The message for a word that a task does not take.
    pub(crate) fn unknown(task: &str, word: &str) -> Self {
        Usage(format!("`{task}` does not take `{word}`; see `cargo xtask {task} --help`"))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The words after `cargo xtask`.
pub(crate) fn from_command_line() -> Result<Vec<String>, Usage> {
    std::env::args_os()
        .skip(1)
        .map(|word| word.into_string().map_err(|word| Usage(format!("{word:?} is not valid UTF-8"))))
        .collect()
}

/// Whether help is asked for, before any `--`.
pub(crate) fn asks_for_help(words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h")
}

/// The value that follows `option`.
pub(crate) fn value<'a>(words: &mut impl Iterator<Item = &'a String>, option: &str) -> Result<String, Usage> {
    match words.next() {
        Some(word) if !word.starts_with('-') => Ok(word.clone()),
        _ => Err(Usage(format!("`{option}` needs a value"))),
    }
}

/// Refuses every word, for tasks that take none.
pub(crate) fn none(task: &str, words: &[String]) -> Result<(), Usage> {
    words.first().map_or(Ok(()), |word| Err(Usage::unknown(task, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn help_counts_only_before_the_double_dash() {
        assert!(asks_for_help(&words("name --help")));
        assert!(!asks_for_help(&words("name -- --help")));
    }

    #[test]
    fn an_option_without_its_value_is_refused() {
        assert_eq!(value(&mut words("tensor").iter(), "--only").unwrap(), "tensor");
        assert!(value(&mut words("").iter(), "--only").unwrap_err().to_string().contains("--only"));
        assert!(value(&mut words("--only").iter(), "--only").is_err());
    }

    #[test]
    fn a_word_too_many_is_named() {
        assert!(none("tidy", &[]).is_ok());
        assert!(none("tidy", &words("--fast")).unwrap_err().to_string().contains("`--fast`"));
    }
}
