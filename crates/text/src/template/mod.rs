//! Chat templates: Jinja as transformers runs it, jinja2 in its immutable sandbox.
//!
//! What Python would print comes out, character by character, or an error does: one that jinja2 has too, or a refusal
//! that names what is not there.

mod access;
mod args;
mod arithmetic;
mod braces;
mod chars;
mod checks;
mod compare;
mod digits;
mod fault;
mod filters;
mod globals;
mod host;
mod html;
mod json;
mod length;
mod lexer;
mod literal;
mod methods;
mod number;
mod objects;
mod parser;
mod percent;
mod run;
mod scope;
mod show;
mod span;
mod stream;
mod symbols;
mod syntax;
mod token;
mod value;
mod vocabulary;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::chat::ChatInput;
use crate::clock;
use crate::error::TextError;
use crate::message_form::in_form;
use crate::template::fault::Fault;
use crate::template::run::Setting;
use crate::template::syntax::Block;
use crate::template::value::Value;
use crate::thinking::Thinking;

/// A checkpoint's chat template, read.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    templates: BTreeMap<String, Arc<Template>>,
    special_tokens: BTreeMap<String, String>,
}

/// One template: as it is written, and as it was read.
#[derive(Debug)]
struct Template {
    source: String,
    root: Block,
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

/// The variables that a template is given of the chat itself, which nobody else may give.
pub const RESERVED_VARIABLES: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

impl ChatTemplate {
    /// LFM2's chat format as a template, for checkpoints that come without one.
    pub const LFM2: &str = include_str!("../lfm2_template.jinja");

    /// Reads templates.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] naming the template, the line and what is wrong there.
    pub fn new(sources: &TemplateSources) -> Result<Self, TextError> {
        let mut templates = BTreeMap::new();
        for (name, source) in &sources.templates {
            let read = parser::parse(source).and_then(|root| vocabulary::check(&root).map(|()| root));
            let root = read.map_err(|(fault, line)| TextError::TemplateSyntax {
                name: name.clone(),
                reason: format!("{} ({name}:{line})", described(fault)),
            })?;
            templates.insert(name.clone(), Arc::new(Template { source: source.clone(), root }));
        }
        Ok(Self { templates, special_tokens: sources.special_tokens.clone() })
    }

    /// The prompt for a conversation. It holds the BOS text where the template writes it; encode it with
    /// [`crate::Bos::Auto`], which adds no second one.
    ///
    /// # Errors
    /// [`TextError::TemplateRaised`] with the template's own message where it calls `raise_exception`;
    /// [`TextError::TemplateFailed`] where it fails in another way, with the line; [`TextError::ReservedVariable`] for
    /// a variable of a name that is the chat's own.
    pub fn render(&self, input: &ChatInput<'_>) -> Result<String, TextError> {
        let name = self.name_for(input);
        let failed = |reason: String| TextError::TemplateFailed { reason };
        let template = self.templates.get(name);
        let template = template.ok_or_else(|| failed(format!("there is none of the name {name:?}")))?;
        let variables = self.variables(input)?;
        let setting = Setting { variables, now: clock::resolve(input.now)?, fuel: fuel(input) };
        run::render(&template.root, setting).map_err(|(fault, line)| match fault {
            Fault::Raised(message) => TextError::TemplateRaised { message },
            fault => failed(format!("{} ({name}:{line})", described(fault))),
        })
    }

    /// How the reply to this prompt begins. Only what the template itself writes counts: a message may end in any tag.
    ///
    /// # Errors
    /// As for [`ChatTemplate::render`].
    pub fn thinking(&self, input: &ChatInput<'_>) -> Result<Thinking, TextError> {
        if !self.source(input).contains(Thinking::CLOSING) {
            return Ok(Thinking::None);
        }
        let prompt = self.render(input)?;
        let without = match self.render(&ChatInput { add_generation_prompt: false, ..*input }) {
            Ok(text) => text,
            // Some templates refuse to end with anything but a reply.
            Err(TextError::TemplateRaised { .. }) => return Ok(Thinking::Possible),
            Err(error) => return Err(error),
        };
        // Some templates end otherwise where no reply is to follow, in words that may begin as the tag does.
        let n_common = prompt.chars().zip(without.chars()).take_while(|(a, b)| a == b).count();
        let own: String = prompt.chars().skip(n_common).collect();
        let is_open = !own.trim().is_empty() && prompt.trim_end().ends_with(Thinking::OPENING);
        Ok(if is_open {
            Thinking::Begun
        } else if own.contains(Thinking::CLOSING) {
            Thinking::None
        } else {
            Thinking::Possible
        })
    }

    /// A template of one source, with the special tokens of this one.
    ///
    /// # Errors
    /// As for [`ChatTemplate::new`].
    pub fn with_source(&self, source: &str) -> Result<Self, TextError> {
        Self::new(&TemplateSources {
            templates: BTreeMap::from([(DEFAULT.to_owned(), source.to_owned())]),
            special_tokens: self.special_tokens.clone(),
        })
    }

    /// Whether there is no template at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// The source of the template that serves this input.
    #[must_use]
    pub fn source(&self, input: &ChatInput<'_>) -> &str {
        self.templates.get(self.name_for(input)).map_or("", |template| &template.source)
    }

    fn name_for(&self, input: &ChatInput<'_>) -> &str {
        let mut names = self.templates.keys();
        match (names.next(), names.next()) {
            _ if !input.tools.is_empty() && self.templates.contains_key(TOOL_USE) => TOOL_USE,
            (Some(only), None) => only,
            _ => DEFAULT,
        }
    }

    fn variables(&self, input: &ChatInput<'_>) -> Result<HashMap<String, Value>, TextError> {
        let of_json = |json: &serde_json::Value| {
            json::value_of(json).map_err(|fault| TextError::TemplateFailed { reason: described(fault) })
        };
        let mut variables: HashMap<String, Value> =
            self.special_tokens.iter().map(|(name, text)| (name.clone(), Value::str(text))).collect();
        for (name, value) in input.variables.into_iter().flatten() {
            if RESERVED_VARIABLES.contains(&name.as_str()) {
                return Err(TextError::ReservedVariable { name: name.clone() });
            }
            variables.insert(name.clone(), of_json(value)?);
        }
        let messages = serde_json::to_value(in_form(input.messages, self.source(input)))
            .map_err(|e| TextError::TemplateFailed { reason: format!("the messages: {e}") })?;
        let tools = if input.tools.is_empty() {
            Value::None
        } else {
            of_json(&serde_json::Value::Array(input.tools.to_vec()))?
        };
        let values = [of_json(&messages)?, tools, Value::None, Value::Bool(input.add_generation_prompt)];
        variables.extend(RESERVED_VARIABLES.map(str::to_owned).into_iter().zip(values));
        Ok(variables)
    }
}

/// What a template may spend: a step costs 1, and so do about 64 bytes. Templates come from outside, and
/// one that loops for ever must end; the largest published ones need under 2,000 a message.
fn fuel(input: &ChatInput<'_>) -> u64 {
    let text_bytes: usize = input.messages.iter().map(|message| message.content.len()).sum();
    let n_parts = input.messages.len() + input.tools.len();
    4_000_000 + 10_000 * n_parts as u64 + text_bytes as u64
}

/// A fault in words; a refusal says that it is one.
fn described(fault: Fault) -> String {
    match fault {
        Fault::Raised(message) | Fault::Failed(message) => message,
        Fault::Refused(what) => format!("not supported: {what}"),
    }
}
