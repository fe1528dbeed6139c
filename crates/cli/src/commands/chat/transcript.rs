//! Conversations in files: `{"system": …, "messages": [{"role": …, "content": …}]}`, and the requests of other programs.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use hala_text::{Message, Role, messages_from_json};
use serde_json::{Map, Value, json};

use crate::input::Input;
use crate::new_file::NewFile;

/// The field of a saved message that tells which bytes of its content are special tokens of the model's own making. It is a
/// field and not a spelling, because what is spelled in a text is text.
const SPECIAL_TOKENS: &str = "special_tokens";

const FORM: &str = r#"{"system": "…", "messages": [{"role": "user", "content": "…"}, …]}"#;

/// A saved conversation.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Transcript {
    /// What the model is told before the first message.
    pub(super) system: Option<String>,
    /// The messages, oldest first.
    pub(super) messages: Vec<Message>,
    /// Descriptions of functions that the model may call.
    pub(super) tools: Vec<Value>,
}

impl Transcript {
    /// Writes a conversation.
    ///
    /// # Errors
    /// The file cannot be written; it is then as it was.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let messages: Result<Vec<Value>> = self.messages.iter().map(written).collect();
        let mut whole = json!({ "system": self.system, "messages": messages? });
        if !self.tools.is_empty() {
            whole["tools"] = Value::Array(self.tools.clone());
        }
        let mut file = NewFile::create(path)?;
        file.write(serde_json::to_string_pretty(&whole)?.as_bytes())?;
        file.write(b"\n")?;
        file.commit()
    }

    /// Reads a conversation: one that was saved, a list of messages, or a request of the OpenAI API, of which messages and
    /// tools are taken. A system message at the start of the list counts as the system text.
    ///
    /// # Errors
    /// The file cannot be read, or holds no conversation.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = Input::file(path)?.read_all()?;
        Self::parse(&text).with_context(|| format!("`{}` cannot be loaded", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let whole: Value = serde_json::from_str(text)
            .with_context(|| format!("it holds no conversation; one looks like {FORM}"))?;
        let mut transcript = match &whole {
            Value::Array(_) => Self { messages: read(&whole)?, ..Self::default() },
            Value::Object(fields) if fields.contains_key("messages") => {
                Self { messages: read(&fields["messages"])?, system: system(fields)?, tools: tools(fields)? }
            }
            _ => bail!("it holds no conversation; one looks like {FORM}"),
        };
        if transcript.messages.first().is_some_and(|m| m.role == Role::System) {
            let first = transcript.messages.remove(0);
            transcript.system.get_or_insert(first.content);
        }
        Ok(transcript)
    }
}

fn written(message: &Message) -> Result<Value> {
    let mut value = serde_json::to_value(message)?;
    if !message.special_tokens.is_empty() {
        value[SPECIAL_TOKENS] = message.special_tokens.iter().map(|r| json!([r.start, r.end])).collect();
    }
    Ok(value)
}

fn read(list: &Value) -> Result<Vec<Message>> {
    let mut messages = messages_from_json(list)?;
    for (i, message) in messages.iter_mut().enumerate().filter(|(_, m)| m.role == Role::Assistant) {
        let Some(value) = message.extra.shift_remove(SPECIAL_TOKENS) else { continue };
        message.special_tokens = ranges(&value, &message.content).with_context(|| {
            format!("messages[{i}].{SPECIAL_TOKENS} should be a list of [start, end] in bytes of the content, and is {value}")
        })?;
    }
    Ok(messages)
}

/// Ranges one after the other, each of some characters of the text.
fn ranges(value: &Value, text: &str) -> Option<Vec<Range<usize>>> {
    let pairs: Vec<[usize; 2]> = serde_json::from_value(value.clone()).ok()?;
    let mut at = 0;
    for [start, end] in &pairs {
        text.get(*start..*end).filter(|words| *start >= at && !words.is_empty())?;
        at = *end;
    }
    Some(pairs.into_iter().map(|[start, end]| start..end).collect())
}

fn system(fields: &Map<String, Value>) -> Result<Option<String>> {
    match fields.get("system") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => bail!("`system` should be a text, and is {other}"),
    }
}

/// The tools of a request; `functions` is what the API called them before.
fn tools(fields: &Map<String, Value>) -> Result<Vec<Value>> {
    let list = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let wrong = list.iter().position(|tool| !tool.is_object());
            ensure!(wrong.is_none(), "`{name}[{}]` should be an object", wrong.unwrap_or_default());
            Ok(list.clone())
        }
        Some(_) => bail!("`{name}` should be a list of objects"),
    };
    let mut tools = list("tools")?;
    tools.extend(
        list("functions")?.into_iter().map(|function| json!({ "type": "function", "function": function })),
    );
    Ok(tools)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.json");
        let mut reply = Message::assistant("<|tool_call_start|>[f()]<|tool_call_end|>");
        reply.special_tokens = vec![0..19, 24..41];
        let messages = vec![Message::user("صباح الخير"), Message::assistant("Good\nmorning"), reply];
        let tools = vec![json!({"type": "function", "function": {"name": "f"}})];
        let saved = Transcript { system: Some("be kind".to_owned()), messages, tools };
        saved.save(&path).unwrap();
        assert_eq!(Transcript::load(&path).unwrap(), saved);
    }

    #[test]
    fn a_bare_list_is_read_and_its_system_message_taken_out() {
        let text = r#"[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]"#;
        let found = Transcript::parse(text).unwrap();
        assert_eq!((found.system.as_deref(), found.messages), (Some("s"), vec![Message::user("u")]));
    }

    #[test]
    fn a_request_of_another_program_is_read_with_its_tools() {
        let text = r#"{"model": "m", "temperature": 0.5, "stream": true, "stream_options": {"include_usage": true}, "stop": null,
            "tool_choice": "auto", "response_format": {"type": "text"}, "messages": [{"role": "developer", "content": "d"},
            {"role": "user", "content": [{"type": "text", "text": "u"}]},
            {"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls":
            [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "x"}, {"role": "function", "name": "f", "content": "y"}],
            "tools": [{"type": "function", "function": {"name": "f"}}], "functions": [{"name": "g"}]}"#;
        let found = Transcript::parse(text).unwrap();
        assert_eq!((found.system, found.messages.len(), found.tools.len()), (None, 5, 2));
        assert_eq!(found.tools[1]["function"]["name"], "g");
        assert!(Transcript::parse(r#"{"messages": [], "tools": null}"#).unwrap().tools.is_empty());
    }

    #[test]
    fn anything_else_is_refused_with_what_is_wrong() {
        for (text, said) in [
            ("", "no conversation"),
            ("3", "no conversation"),
            ("{}", "no conversation"),
            (r#"{"messages": 3}"#, "messages is 3"),
            (r#"[{"role": "user", "content": 5}]"#, "messages[0].content is 5"),
            (r#"{"messages": [], "system": 1}"#, "`system`"),
            (r#"{"messages": [], "tools": {}}"#, "`tools`"),
            (r#"{"messages": [], "tools": ["f"]}"#, "`tools[0]`"),
            (
                r#"[{"role": "assistant", "content": "a", "special_tokens": [[0, 9]]}]"#,
                "messages[0].special_tokens",
            ),
        ] {
            let message = format!("{:#}", Transcript::parse(text).unwrap_err());
            assert!(message.contains(said), "{message} should say {said}");
        }
    }
}
