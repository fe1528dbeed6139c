//! Rows in JSON, in the forms that people have: OpenAI, ShareGPT, Alpaca, plain text.

use hala_text::{Message, Role, messages_from_json};
use serde_json::{Map, Value};

use crate::data::fields::{Fields, short};
use crate::data::row::{ChatRow, Row};
use crate::fault::Fault;

/// The field of a message that says how much its labels count; OpenAI's files have 0 and 1.
const WEIGHT: &str = "weight";

/// Reads one line.
pub(crate) fn read(line: &str) -> Result<Row, Fault> {
    if line.trim_start().starts_with('[') {
        return Err(Fault::List);
    }
    let value: Value =
        serde_json::from_str(line).map_err(|error| Fault::NotJson { reason: error.to_string() })?;
    let Value::Object(map) = value else {
        return Err(Fault::Form { found: format!("none: it is {}", short(&value)) });
    };
    let has = |name: &str| map.get(name).is_some_and(|value| !value.is_null());
    let fields = Fields::new("", &map);
    if has("messages") {
        openai(&map)
    } else if has("conversations") {
        sharegpt(&map)
    } else if has("instruction") && map.contains_key("output") {
        alpaca(&fields)
    } else if has("text") {
        Ok(Row::Text(fields.filled("text")?.to_owned()))
    } else {
        let names: Vec<String> = map.keys().map(|name| format!("`{name}`")).collect();
        Err(Fault::Form { found: if names.is_empty() { "none".to_owned() } else { names.join(", ") } })
    }
}

/// `messages` with `role` and `content`, and `tools` beside it.
fn openai(map: &Map<String, Value>) -> Result<Row, Fault> {
    let mut row = ChatRow::new(messages_from_json(&map["messages"]).map_err(Fault::Message)?);
    for (i, message) in row.messages.iter_mut().enumerate() {
        let Some(found) = message.extra.shift_remove(WEIGHT) else { continue };
        let weight = found.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0);
        let Some(weight) = weight else {
            let (at, expected) = (format!("messages[{i}].{WEIGHT}"), "a number from 0 up");
            return Err(Fault::Field { at, found: short(&found), expected });
        };
        if message.role == Role::Assistant {
            row.weights[i] = weight as f32;
        }
    }
    row.tools = tools(map)?;
    filled(&row)?;
    Ok(Row::Chat(row))
}

/// `conversations` with `from` and `value`, or with `role` and `content`.
fn sharegpt(map: &Map<String, Value>) -> Result<Row, Fault> {
    let turns = &map["conversations"];
    let list = turns.as_array().ok_or_else(|| Fault::Field {
        at: "conversations".to_owned(),
        found: short(turns),
        expected: "a list of turns",
    })?;
    if list.first().is_some_and(|turn| turn.get("role").is_some()) {
        let mut as_messages = map.clone();
        as_messages.insert("messages".to_owned(), turns.clone());
        return openai(&as_messages);
    }
    let mut messages: Vec<Message> = Vec::with_capacity(list.len() + 1);
    let outer = Fields::new("", map);
    messages.extend(outer.text("system")?.filter(|text| !text.trim().is_empty()).map(Message::system));
    for (i, turn) in list.iter().enumerate() {
        let at = format!("conversations[{i}]");
        let turn = turn.as_object().ok_or_else(|| Fault::Field {
            at: at.clone(),
            found: short(turn),
            expected: "an object with `from` and `value`",
        })?;
        let fields = Fields::new(&at, turn);
        messages.push(Message::new(role(&fields)?, fields.required("value")?));
    }
    let mut row = ChatRow::new(messages);
    row.tools = tools(map)?;
    filled(&row)?;
    Ok(Row::Chat(row))
}

/// Who speaks, by the names that ShareGPT's files have.
fn role(fields: &Fields<'_>) -> Result<Role, Fault> {
    let name = fields.required("from")?;
    Ok(match name {
        "human" | "user" => Role::User,
        "gpt" | "assistant" | "chatgpt" | "bing" | "bard" | "model" => Role::Assistant,
        "system" => Role::System,
        "tool" | "observation" | "function_response" => Role::Tool,
        other => {
            return Err(Fault::Field {
                at: fields.at("from"),
                found: format!("{other:?}"),
                expected: "human, gpt, system or tool; calls of tools go in `messages` with `tool_calls`",
            });
        }
    })
}

/// `instruction`, `input` on a line of its own, `output`, and where they are there `system` and `history`, pairs of what was said before.
fn alpaca(fields: &Fields<'_>) -> Result<Row, Fault> {
    let filled = |name: &str| Ok::<_, Fault>(fields.text(name)?.filter(|text| !text.trim().is_empty()));
    let mut messages: Vec<Message> = filled("system")?.map(Message::system).into_iter().collect();
    for (question, answer) in history(fields)? {
        messages.extend([Message::user(question), Message::assistant(answer)]);
    }
    let instruction = fields.filled("instruction")?;
    let input = filled("input")?.map(|input| format!("\n{input}")).unwrap_or_default();
    messages.push(Message::user(format!("{instruction}{input}")));
    messages.push(Message::assistant(fields.filled("output")?));
    Ok(Row::Chat(ChatRow::new(messages)))
}

fn history(fields: &Fields<'_>) -> Result<Vec<(String, String)>, Fault> {
    let Some(value) = fields.value("history") else { return Ok(Vec::new()) };
    serde_json::from_value(value.clone()).map_err(|_| Fault::Field {
        at: fields.at("history"),
        found: short(value),
        expected: "a list of pairs of texts",
    })
}

/// Tool definitions: a list, or its JSON as a text.
fn tools(map: &Map<String, Value>) -> Result<Vec<Value>, Fault> {
    let wrong = |found: &Value| Fault::Field {
        at: "tools".to_owned(),
        found: short(found),
        expected: "a list of definitions, or its JSON as a text",
    };
    match map.get("tools") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(tools)) => Ok(tools.clone()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Vec::new()),
        Some(found @ Value::String(text)) => serde_json::from_str(text).map_err(|_| wrong(found)),
        Some(found) => Err(wrong(found)),
    }
}

/// A reply without a word teaches a model to say nothing.
fn filled(row: &ChatRow) -> Result<(), Fault> {
    let is_empty = |(i, message): &(usize, &Message)| {
        let has_more =
            message.extra.contains_key("tool_calls") || message.extra.contains_key("function_call");
        row.weights[*i] > 0.0 && message.content.trim().is_empty() && !has_more
    };
    match row.messages.iter().enumerate().find(is_empty) {
        Some((i, _)) => Err(Fault::Empty { at: format!("the assistant's messages[{i}]") }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chat(value: &Value) -> ChatRow {
        match read(&value.to_string()) {
            Ok(Row::Chat(row)) => row,
            other => panic!("{value}: {other:?}"),
        }
    }

    fn said(row: &ChatRow) -> Vec<(&str, &str)> {
        row.messages.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect()
    }

    fn fault(line: &str) -> String {
        read(line).unwrap_err().to_string()
    }

    #[test]
    fn messages_are_those_of_the_api_and_only_replies_count() {
        let row =
            chat(&json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"},
            {"role": "assistant", "content": "a", "weight": 0}, {"role": "user", "content": "v", "weight": 1},
            {"role": "assistant", "content": "b", "weight": 0.5}], "tools": [{"type": "function"}]}));
        assert_eq!(row.weights, [0.0, 0.0, 0.0, 0.0, 0.5]);
        assert_eq!(row.tools.len(), 1);
        // The template does not see weights.
        assert!(row.messages.iter().all(|message| message.extra.is_empty()));
    }

    #[test]
    fn conversations_are_those_of_sharegpt_in_either_wording() {
        let expected =
            [("system", "s"), ("user", "u"), ("assistant", "a"), ("tool", "t"), ("assistant", "b")];
        let row = chat(&json!({"system": "s", "conversations": [{"from": "human", "value": "u"},
            {"from": "gpt", "value": "a"}, {"from": "tool", "value": "t"}, {"from": "gpt", "value": "b"}]}));
        assert_eq!(said(&row), expected);
        assert_eq!(row.weights, [0.0, 0.0, 1.0, 0.0, 1.0]);
        let other = chat(
            &json!({"conversations": [{"from": "system", "value": "s"}, {"from": "user", "value": "u"},
            {"from": "assistant", "value": "a"}, {"from": "observation", "value": "t"}, {"from": "gpt", "value": "b"}]}),
        );
        assert_eq!(said(&other), expected);
        let roles = chat(
            &json!({"conversations": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]}),
        );
        assert_eq!(said(&roles), [("user", "u"), ("assistant", "a")]);
    }

    #[test]
    fn instructions_are_those_of_alpaca() {
        let row = chat(&json!({"instruction": "Add.", "input": "1, 2", "output": "3"}));
        assert_eq!(said(&row), [("user", "Add.\n1, 2"), ("assistant", "3")]);
        let row = chat(
            &json!({"system": "s", "instruction": "i", "input": "", "output": "o", "history": [["q", "a"]]}),
        );
        assert_eq!(
            said(&row),
            [("system", "s"), ("user", "q"), ("assistant", "a"), ("user", "i"), ("assistant", "o")]
        );
    }

    #[test]
    fn a_text_stays_as_it_is() {
        let row = read(&json!({"text": " a\n<|im_end|>", "id": 3}).to_string()).unwrap();
        assert_eq!(row, Row::Text(" a\n<|im_end|>".to_owned()));
    }

    #[test]
    fn bad_rows_say_what_was_found() {
        for (line, said) in [
            ("{\"text\": ", "it is no JSON: EOF"),
            ("[{\"text\": \"a\"},", "jq -c '.[]'"),
            ("3", "its fields are none: it is 3; known are `messages`"),
            (r#"{"prompt": "a", "completion": "b"}"#, "its fields are `prompt`, `completion`; known are"),
            (r#"{"text": ""}"#, "`text` is empty"),
            (r#"{"text": ["a"]}"#, "`text` is a list; it should be a text"),
            (
                r#"{"messages": [{"role": "user"}, {"role": "assistant", "content": " "}]}"#,
                "messages[1] is empty",
            ),
            (r#"{"messages": [{"role": "user", "content": 3}]}"#, "messages[0].content is 3"),
            (
                r#"{"messages": [{"role": "assistant", "content": "a", "weight": -1}]}"#,
                "messages[0].weight is -1; it should be a number from 0 up",
            ),
            (r#"{"conversations": {"from": "gpt"}}"#, "conversations is an object"),
            (r#"{"conversations": [{"from": "gpt"}]}"#, "conversations[0].value is missing"),
            (r#"{"conversations": [{"from": "x", "value": "y"}]}"#, "conversations[0].from is \"x\""),
            (r#"{"instruction": "i", "output": ""}"#, "`output` is empty"),
            (r#"{"instruction": "i", "output": "o", "history": [["q"]]}"#, "`history` is a list"),
            (r#"{"messages": [], "tools": 3}"#, "tools is 3"),
        ] {
            let found = fault(line);
            assert!(found.contains(said), "{line}: {found}");
        }
    }

    #[test]
    fn tools_are_a_list_or_its_json() {
        let messages = json!([{"role": "user", "content": "u"}]);
        for tools in [json!([{"name": "f"}]), json!("[{\"name\":\"f\"}]")] {
            assert_eq!(chat(&json!({"messages": messages, "tools": tools})).tools, [json!({"name": "f"})]);
        }
        assert!(chat(&json!({"messages": messages, "tools": ""})).tools.is_empty());
    }
}
