//! Messages in JSON, in the words of the OpenAI API; what is wrong with one is said by message and field.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::chat::Message;
use crate::error::TextError;
use crate::thinking::REASONING;

const PARTS: &str = "a text, null, or a list of text parts such as {\"type\": \"text\", \"text\": \"…\"}";

/// Reads a list of messages: what `messages` is in a request.
///
/// Content that is null or missing is empty, further fields that are null are none, and fields that are not known here
/// are for the template to read.
///
/// # Errors
/// [`TextError::Message`] for the first message or field that has another form.
pub fn messages_from_json(value: &Value) -> Result<Vec<Message>, TextError> {
    let at = Place("messages".to_owned());
    let list = value.as_array().ok_or_else(|| at.wrong(value, "a list of messages"))?;
    list.iter().enumerate().map(|(i, value)| message(&at.item(i), value)).collect()
}

/// The same for a field of a request: `#[serde(deserialize_with = "hala_text::deserialize_messages")]`.
///
/// # Errors
/// As [`messages_from_json`].
pub fn deserialize_messages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Message>, D::Error> {
    messages_from_json(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Where something stands, such as `messages[2].content`.
struct Place(String);

impl Place {
    fn item(&self, i: usize) -> Self {
        Self(format!("{}[{i}]", self.0))
    }

    fn field(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    fn wrong(&self, found: &Value, expected: &'static str) -> TextError {
        TextError::Message { at: self.0.clone(), found: words(found), expected }
    }

    fn missing(&self, expected: &'static str) -> TextError {
        TextError::Message { at: self.0.clone(), found: "missing".to_owned(), expected }
    }

    /// A text that must be there.
    fn text<'v>(&self, value: Option<&'v Value>, expected: &'static str) -> Result<&'v str, TextError> {
        let value = value.ok_or_else(|| self.missing(expected))?;
        value.as_str().ok_or_else(|| self.wrong(value, expected))
    }

    fn object<'v>(
        &self,
        value: &'v Value,
        expected: &'static str,
    ) -> Result<&'v Map<String, Value>, TextError> {
        value.as_object().ok_or_else(|| self.wrong(value, expected))
    }
}

fn message(at: &Place, value: &Value) -> Result<Message, TextError> {
    let fields = at.object(value, "a message: an object with `role` and `content`")?;
    let role = at.field("role").text(fields.get("role"), "a text such as \"user\"")?;
    let mut message = Message::new(role, "");
    match fields.get("content") {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => message.content.clone_from(text),
        Some(Value::Array(parts)) => {
            for (i, part) in parts.iter().enumerate() {
                message.content += part_text(&at.field("content").item(i), part)?;
            }
            message.parts = Some(parts.clone());
        }
        Some(other) => return Err(at.field("content").wrong(other, PARTS)),
    }
    for (name, value) in fields.iter().filter(|(name, value)| !is_own(name) && !value.is_null()) {
        check(&at.field(name), name, value)?;
        message.extra.insert(name.clone(), value.clone());
    }
    Ok(message)
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        message(&Place("message".to_owned()), &value).map_err(D::Error::custom)
    }
}

fn is_own(name: &str) -> bool {
    matches!(name, "role" | "content")
}

/// The text of a part: of what is said, or of why nothing is.
fn part_text<'v>(at: &Place, part: &'v Value) -> Result<&'v str, TextError> {
    let fields = at.object(part, "a text part: {\"type\": \"text\", \"text\": \"…\"}")?;
    match at.field("type").text(fields.get("type"), "\"text\": the models here read text alone")? {
        "text" => at.field("text").text(fields.get("text"), "a text"),
        "refusal" => at.field("refusal").text(fields.get("refusal"), "a text"),
        other => Err(TextError::Message {
            at: at.field("type").0,
            found: format!("\"{other}\""),
            expected: "\"text\": the models here read text alone",
        }),
    }
}

/// Fields of the API have its types.
fn check(at: &Place, name: &str, value: &Value) -> Result<(), TextError> {
    match name {
        "name" | "tool_call_id" | REASONING => at.text(Some(value), "a text").map(drop),
        "function_call" => call(at, value),
        "tool_calls" => {
            let calls = value.as_array().ok_or_else(|| at.wrong(value, "a list of calls"))?;
            for (i, value) in calls.iter().enumerate() {
                let at = at.item(i);
                let fields = at.object(value, "a call: an object with `function`")?;
                match fields.get("function") {
                    Some(function) => call(&at.field("function"), function)?,
                    None => call(&at, value)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A function's name and its arguments.
fn call(at: &Place, value: &Value) -> Result<(), TextError> {
    let fields = at.object(value, "an object with `name` and `arguments`")?;
    at.field("name").text(fields.get("name"), "the function's name")?;
    match fields.get("arguments") {
        None | Some(Value::Null | Value::String(_) | Value::Object(_)) => Ok(()),
        Some(other) => Err(at.field("arguments").wrong(other, "an object, or its JSON as a text")),
    }
}

/// A value in words; long ones by their kind alone.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.chars().count() <= 20 => format!("the text {value}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(value: Value) -> Message {
        messages_from_json(&Value::Array(vec![value])).unwrap().remove(0)
    }

    fn fault(value: &Value) -> String {
        messages_from_json(&json!([{"role": "user", "content": "x"}, value])).unwrap_err().to_string()
    }

    #[test]
    fn messages_keep_further_fields_and_roles() {
        let value = json!({"role": "developer", "content": "hi", "name": "x", "annotations": [], "tool_call_id": "a"});
        let message = one(value.clone());
        assert_eq!(message.role.as_str(), "developer");
        assert_eq!(serde_json::to_string(&message).unwrap(), value.to_string());
    }

    #[test]
    fn content_is_a_text_null_missing_or_parts() {
        assert_eq!(one(json!({"role": "user", "content": "صباح"})), Message::user("صباح"));
        assert_eq!(one(json!({"role": "assistant", "content": null})), Message::assistant(""));
        assert_eq!(one(json!({"role": "assistant"})), Message::assistant(""));
        let parts = json!([{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]);
        let message = one(json!({"role": "user", "content": parts}));
        assert_eq!(message.content, "ab");
        assert_eq!(serde_json::to_value(&message).unwrap()["content"], parts);
        assert_eq!(one(json!({"role": "user", "content": []})).content, "");
    }

    #[test]
    fn fields_that_are_null_are_none() {
        let value = json!({"role": "assistant", "content": "x", "tool_calls": null, "refusal": null, "audio": null,
            "function_call": null, "name": null, "tool_call_id": null});
        assert_eq!(one(value), Message::assistant("x"));
    }

    #[test]
    fn arguments_are_an_object_or_its_json() {
        for arguments in [json!({"a": 1}), json!("{\"a\":1}"), json!(""), json!(null)] {
            let call =
                json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}});
            assert_eq!(
                one(json!({"role": "assistant", "tool_calls": [call]})).extra["tool_calls"],
                json!([call])
            );
        }
    }

    #[test]
    fn a_fault_is_told_by_message_and_field() {
        for (value, said) in [
            (
                json!({"role": "user", "content": 5}),
                "messages[1].content is 5; it should be a text, null, or a list",
            ),
            (json!({"role": "user", "content": {"a": 1}}), "messages[1].content is an object"),
            (json!({"content": "x"}), "messages[1].role is missing; it should be a text such as \"user\""),
            (json!({"role": null, "content": "x"}), "messages[1].role is null"),
            (json!("hello"), "messages[1] is the text \"hello\"; it should be a message"),
            (
                json!({"role": "user", "content": ["a"]}),
                "messages[1].content[0] is the text \"a\"; it should be a text part",
            ),
            (
                json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]}),
                "messages[1].content[1].type is \"image_url\"; it should be \"text\"",
            ),
            (
                json!({"role": "user", "content": [{"type": "text"}]}),
                "messages[1].content[0].text is missing",
            ),
            (json!({"role": "user", "name": 3}), "messages[1].name is 3"),
            (
                json!({"role": "assistant", "reasoning_content": ["a"]}),
                "messages[1].reasoning_content is a list; it should be a text",
            ),
            (json!({"role": "assistant", "tool_calls": {}}), "messages[1].tool_calls is an object"),
            (
                json!({"role": "assistant", "tool_calls": [{"function": {}}]}),
                "messages[1].tool_calls[0].function.name is missing",
            ),
            (
                json!({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}),
                "messages[1].tool_calls[0].function.arguments is a list; it should be an object",
            ),
        ] {
            let message = fault(&value);
            assert!(message.contains(said), "{message} should say {said}");
        }
        assert!(messages_from_json(&json!({})).unwrap_err().to_string().contains("messages is an object"));
    }
}
