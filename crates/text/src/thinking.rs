//! Thoughts that models write before their answers: how a reply begins, and how those of earlier replies are given back.

use serde_json::Value;

use crate::chat::{Message, Role};

/// How a reply begins, as far as its prompt tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// With the answer: the template knows nothing of thoughts, or has closed them already.
    #[default]
    None,
    /// With the answer, or with [`Thinking::OPENING`] and a thought: that is the model's to say.
    Possible,
    /// In a thought, which the prompt has opened.
    Begun,
}

impl Thinking {
    /// Begins a thought.
    pub const OPENING: &str = "<think>";
    /// Ends it.
    pub const CLOSING: &str = "</think>";
}

/// The field of a message that holds its thought, in the words of DeepSeek's API, which other servers have taken over.
pub(crate) const REASONING: &str = "reasoning_content";
/// The same in the words of some templates.
const THINKING: &str = "thinking";

impl Message {
    /// What the model thought before it said this, where that is known.
    #[must_use]
    pub fn reasoning(&self) -> Option<&str> {
        self.extra.get(REASONING)?.as_str()
    }

    /// Adds to the thought.
    pub fn push_reasoning(&mut self, text: &str) {
        match self.extra.get_mut(REASONING) {
            Some(Value::String(so_far)) => so_far.push_str(text),
            _ => drop(self.extra.insert(REASONING.to_owned(), Value::String(text.to_owned()))),
        }
    }
}

/// Gives the thought of a model's message to a template of this source: as fields where it reads one of them, else as text before the content where it
/// looks for thoughts there and cuts them out itself. Any other template would not see it, or keep it for ever, and gets the content alone.
pub(crate) fn hand_over(message: &mut Message, source: &str) {
    let thought = [REASONING, THINKING].iter().find_map(|name| message.extra.get(*name)?.as_str());
    let Some(thought) = thought.filter(|_| message.role == Role::Assistant).map(str::to_owned) else {
        return;
    };
    if reads_fields(source) {
        for name in [REASONING, THINKING] {
            if !message.extra.contains_key(name) {
                message.extra.insert(name.to_owned(), Value::String(thought.clone()));
            }
        }
    } else if cuts_content(source) {
        message.parts = None;
        message.content = in_tags(&thought) + &message.content;
    }
}

/// A thought as models write it. Those that end it with a line of its own leave an empty one before the answer.
fn in_tags(thought: &str) -> String {
    let gap = if thought.ends_with('\n') { "\n\n" } else { "" };
    [Thinking::OPENING, thought, Thinking::CLOSING, gap].concat()
}

/// Whether some message's thought is read from a field of its own.
fn reads_fields(source: &str) -> bool {
    let source = source.replace('"', "'");
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let by_dot = || source.split(".thinking").skip(1).any(is_end);
    let by_key = ["['thinking']", "get('thinking'", "'thinking' in "];
    source.contains(REASONING) || by_key.iter().any(|words| source.contains(words)) || by_dot()
}

/// Whether content is looked through for the end of a thought.
fn cuts_content(source: &str) -> bool {
    let source = source.replace('"', "'");
    ["'</think>' in ", "split('</think>'"].iter().any(|words| source.contains(words))
}
