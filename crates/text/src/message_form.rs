//! Messages in the form that a template takes: content in parts or as one text, arguments as objects or as JSON.

use serde_json::Value;

use crate::chat::Message;
use crate::thinking::hand_over;

/// The messages as this template's source takes them.
///
/// Transformers hands over what it is given, and most templates know only one of the two forms that programs write.
/// Content stays in parts where the template goes through them; a call's arguments that are JSON in a string become an
/// object where the template takes their fields; thoughts go by the names that the template has for them, or into the content.
pub(crate) fn in_form(messages: &[Message], source: &str) -> Vec<Message> {
    let (keeps_parts, takes_objects) = (goes_through_parts(source), takes_argument_objects(source));
    let mut messages = messages.to_vec();
    for message in &mut messages {
        message.parts.take_if(|_| !keeps_parts);
        hand_over(message, source);
        let calls = message.extra.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten().filter(|_| takes_objects) {
            let holder = if call.get("function").is_some() { call.get_mut("function") } else { Some(call) };
            if let Some(arguments) = holder.and_then(|holder| holder.get_mut("arguments")) {
                read_object(arguments);
            }
        }
    }
    messages
}

fn read_object(arguments: &mut Value) {
    let read = arguments.as_str().and_then(|text| serde_json::from_str(text).ok());
    if let Some(object @ Value::Object(_)) = read {
        *arguments = object;
    }
}

/// Whether a loop runs over some content, or its first item has fields.
fn goes_through_parts(source: &str) -> bool {
    let source = source.replace('"', "'");
    let loops = source.split("{%").skip(1).filter_map(|tag| {
        let tag = tag.split("%}").next()?.trim_matches(['-', '+']).trim();
        let (_, items) = tag.strip_prefix("for ")?.split_once(" in ")?;
        Some(items.split(" if ").next()?.trim().to_owned())
    });
    let over_content = |items: String| items.ends_with("content") || items.ends_with("content']");
    let first = ["content'][0]['", "content'][0].", "content[0]['", "content[0]."];
    loops.into_iter().any(over_content) || first.iter().any(|words| source.contains(words))
}

/// Whether arguments are written as JSON or field by field, and the template does not ask for a string itself.
fn takes_argument_objects(source: &str) -> bool {
    let takes = ["tojson", "items", "mapping"].iter().any(|words| source.contains(words));
    let source = source.replace(['\'', '"', ']'], "");
    let asks = ["arguments is string", "arguments is not string"].iter().any(|words| source.contains(words));
    source.contains("arguments") && takes && !asks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message_json::messages_from_json;

    fn formed(message: &Value, source: &str) -> Value {
        let messages = messages_from_json(&json!([message])).unwrap();
        serde_json::to_value(&in_form(&messages, source)[0]).unwrap()
    }

    #[test]
    fn parts_stay_for_templates_that_go_through_them() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        let message = json!({"role": "user", "content": parts});
        for source in [
            "{% for part in message.content %}{% endfor %}",
            "{%- for p in message[\"content\"] if p.type == 'text' -%}{% endfor %}",
            "{{ messages[0]['content'][0]['text'] }}",
        ] {
            assert_eq!(formed(&message, source)["content"], parts, "{source}");
        }
        for source in [
            "{{ message.content }}",
            "{% for line in message.content.split('\\n') %}{% endfor %}",
            "for x in content",
        ] {
            assert_eq!(formed(&message, source)["content"], "ab", "{source}");
        }
    }

    #[test]
    fn arguments_become_objects_where_the_template_takes_their_fields() {
        let arguments = r#"{"on":true}"#;
        let call = json!({"type": "function", "function": {"name": "f", "arguments": arguments}});
        let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
        let found = |source: &str| formed(&message, source)["tool_calls"][0]["function"]["arguments"].clone();
        assert_eq!(found("{{ call.arguments | tojson }}"), json!({"on": true}));
        assert_eq!(found("{% for k, v in f['arguments'].items() %}{% endfor %}"), json!({"on": true}));
        assert_eq!(found("{{ call.arguments + 'x' }}"), arguments);
        assert_eq!(found("{% if f[\"arguments\"] is string %}{% endif %}{{ x | tojson }}"), arguments);
    }

    #[test]
    fn arguments_that_are_no_object_stay_as_they_are() {
        for arguments in [json!("not json"), json!("[1]"), json!({"a": 1})] {
            let message = json!({"role": "assistant", "tool_calls": [{"name": "f", "arguments": arguments}]});
            assert_eq!(formed(&message, "{{ arguments | tojson }}")["tool_calls"][0]["arguments"], arguments);
        }
    }
}
