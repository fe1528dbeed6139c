//! Chat templates: Jinja as transformers runs it, with everything that published templates call.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};

use crate::chat::ChatInput;
use crate::clock;
use crate::error::TextError;
use crate::json_filter::tojson;
use crate::template_source::without_generation_blocks;

/// A checkpoint's chat template, compiled.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    names: Vec<String>,
    special_tokens: BTreeMap<String, String>,
}

/// What a [`ChatTemplate`] is made of.
#[derive(Debug, Clone, Default)]
pub struct TemplateSources {
    /// Jinja sources by name. `default` serves all chats but those with tools, which `tool_use` serves where
    /// there is one.
    pub templates: BTreeMap<String, String>,
    /// Special tokens by the name that templates use, such as `bos_token`.
    pub special_tokens: BTreeMap<String, String>,
}

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

impl ChatTemplate {
    /// LFM2's chat format as a template, for checkpoints that come without one.
    pub const LFM2: &str = include_str!("lfm2_template.jinja");

    /// Compiles templates.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] naming the template, the line and what is wrong there.
    pub fn new(sources: &TemplateSources) -> Result<Self, TextError> {
        let mut environment = environment()?;
        for (name, source) in &sources.templates {
            environment
                .add_template_owned(name.clone(), without_generation_blocks(source))
                .map_err(|e| TextError::TemplateSyntax { name: name.clone(), reason: e.to_string() })?;
        }
        Ok(Self {
            environment,
            names: sources.templates.keys().cloned().collect(),
            special_tokens: sources.special_tokens.clone(),
        })
    }

    /// The prompt for a conversation. It holds the BOS text where the template writes it; encode it with
    /// [`crate::Bos::Auto`], which adds no second one.
    ///
    /// # Errors
    /// [`TextError::TemplateRaised`] with the template's own message where it calls `raise_exception`;
    /// [`TextError::TemplateFailed`] where it fails in another way.
    pub fn render(&self, input: &ChatInput<'_>) -> Result<String, TextError> {
        let now = clock::resolve(input.now)?;
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(fuel(input)));
        environment.add_function("strftime_now", move |format: &str| strftime_now(format, now));
        environment
            .get_template(self.name_for(input))
            .and_then(|template| template.render(self.context(input)))
            .map_err(|e| classify(&e))
    }

    fn name_for(&self, input: &ChatInput<'_>) -> &str {
        let has = |name: &str| self.names.iter().any(|n| n == name);
        match self.names.as_slice() {
            _ if !input.tools.is_empty() && has(TOOL_USE) => TOOL_USE,
            [only] => only,
            _ => DEFAULT,
        }
    }

    fn context(&self, input: &ChatInput<'_>) -> BTreeMap<String, Value> {
        let mut context: BTreeMap<String, Value> = self
            .special_tokens
            .iter()
            .map(|(name, text)| (name.clone(), Value::from(text.as_str())))
            .collect();
        for (name, value) in input.variables.into_iter().flatten() {
            context.insert(name.clone(), Value::from(Serde(value)));
        }
        let tools = if input.tools.is_empty() { Value::from(()) } else { Value::from(Serde(input.tools)) };
        context.insert("messages".to_owned(), Value::from(Serde(input.messages)));
        context.insert("tools".to_owned(), tools);
        context.insert("documents".to_owned(), Value::from(()));
        context.insert("add_generation_prompt".to_owned(), Value::from(input.add_generation_prompt));
        context
    }
}

/// What a template may spend: a step costs 1, and so do about 64 bytes. Templates come from outside, and
/// one that loops for ever must end; the largest published ones need under 2,000 a message.
fn fuel(input: &ChatInput<'_>) -> u64 {
    let text_bytes: usize = input.messages.iter().map(|message| message.content.len()).sum();
    let n_parts = input.messages.len() + input.tools.len();
    4_000_000 + 10_000 * n_parts as u64 + text_bytes as u64
}

fn environment() -> Result<Environment<'static>, TextError> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|e| TextError::TemplateFailed { reason: e.to_string() })?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(python_method);
    environment.add_filter("tojson", tojson);
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    Ok(environment)
}

/// The message of a `raise_exception`, carried through the engine as the error's source.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

fn classify(error: &Error) -> TextError {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(Raised(message)) = inner.downcast_ref() {
            return TextError::TemplateRaised { message: message.clone() };
        }
        source = inner.source();
    }
    TextError::TemplateFailed { reason: error.to_string() }
}

fn strftime_now(format: &str, now: Option<DateTime>) -> Result<String, Error> {
    let wrong = |reason: String| Error::new(ErrorKind::InvalidOperation, reason);
    let now = now.ok_or_else(|| {
        wrong("strftime_now: there is no clock here; give the time with the chat input (`now`)".to_owned())
    })?;
    clock::strftime(format, now).map_err(|e| wrong(format!("strftime_now({format:?}): {e}")))
}

/// Python's methods on strings, lists and dicts: minijinja-contrib's, and a few that templates call besides.
fn python_method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args);
    };
    match method {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Ok(Value::from(text.strip_prefix(prefix).unwrap_or(text)))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Ok(Value::from(text.strip_suffix(suffix).unwrap_or(text)))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            Ok(partition(text, separator, method == "rpartition"))
        }
        "rsplit" => {
            let (separator, max_splits): (&str, Option<usize>) = from_args(args)?;
            let mut parts: Vec<&str> = match max_splits {
                Some(n) => text.rsplitn(n + 1, separator).collect(),
                None => text.rsplit(separator).collect(),
            };
            parts.reverse();
            Ok(parts.into_iter().map(Value::from).collect())
        }
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn partition(text: &str, separator: &str, from_right: bool) -> Value {
    let found = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    parts.into_iter().map(Value::from).collect()
}
