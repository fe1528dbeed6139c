//! Options that say which chat template writes the prompt, and what it is told.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use hala_engine::TemplateOptions;
use hala_text::{LocalTime, RESERVED_VARIABLES, Tokenizer};
use serde_json::Value;

use crate::input::Input;

/// What a chat template is given besides messages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Chat template")]
pub(crate) struct TemplateArgs {
    /// A variable for the chat template; may be given several times. JSON (`true`, `3`, `["a"]`) and Python's True, False and
    /// None are taken as such, anything else as text
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    template_arg: Vec<(String, Value)>,

    /// A chat template (Jinja) in place of the checkpoint's
    #[arg(long, value_name = "FILE")]
    chat_template: Option<PathBuf>,

    /// The time that the template may print, as in 2026-03-07T09:05; the clock's without it
    #[arg(long, value_name = "TIME", value_parser = LocalTime::parse)]
    now: Option<LocalTime>,
}

impl TemplateArgs {
    /// The options, once the tokenizer is known.
    ///
    /// # Errors
    /// A file that cannot be read or is no template; without one, a checkpoint that has no template.
    pub(crate) fn options(&self, tokenizer: &Tokenizer) -> Result<TemplateOptions> {
        if self.chat_template.is_none() {
            tokenizer.chat_template()?;
        }
        self.options_if_any(tokenizer)
    }

    /// The same where there may be no conversation, so that no template is needed.
    ///
    /// # Errors
    /// A file that cannot be read or is no template.
    pub(crate) fn options_if_any(&self, tokenizer: &Tokenizer) -> Result<TemplateOptions> {
        let template = match &self.chat_template {
            Some(path) => {
                let source = Input::file(path)?.read_all()?;
                let read = tokenizer.template_of(&source);
                Some(Arc::new(read.with_context(|| format!("`{}` cannot be used", path.display()))?))
            }
            None => None,
        };
        let variables = self.template_arg.iter().cloned().collect();
        Ok(TemplateOptions { template, variables, now: self.now })
    }
}

/// One `KEY=VALUE`.
fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is KEY=VALUE, as in enable_thinking=false")?;
    let is_name = name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
        && name.starts_with(|c: char| !c.is_ascii_digit());
    if !is_name {
        return Err(format!("{name:?} is no name of a variable: it has letters, digits and underscores"));
    }
    if RESERVED_VARIABLES.contains(&name) {
        return Err(format!("{name} is the chat's own and cannot be given; choose another name"));
    }
    let value = match value {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_or_python_or_text() {
        for (text, value) in [
            ("a=true", json!(true)),
            ("a=False", json!(false)),
            ("a=None", json!(null)),
            ("a=3", json!(3)),
            ("a=[1, \"b\"]", json!([1, "b"])),
            ("a=\"3\"", json!("3")),
            ("a=b=c", json!("b=c")),
            ("a=", json!("")),
            ("a=مرحبا", json!("مرحبا")),
        ] {
            assert_eq!(variable(text), Ok(("a".to_owned(), value)), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_or_the_chats_own_is_refused() {
        for text in ["a", "=1", "1a=2", "a b=1", "messages=[]", "tools=1", "add_generation_prompt=false"] {
            assert!(variable(text).is_err(), "{text}");
        }
    }
}
