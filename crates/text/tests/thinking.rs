//! Thoughts in templates: where a reply begins with one, and what becomes of those of earlier replies.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod fixtures;

use std::collections::BTreeMap;

use fixtures::{byte_level, fixture};
use hala_text::{
    ChatInput, ChatTemplate, Message, TemplateSources, Thinking, Tokenizer, TokenizerFiles,
    messages_from_json,
};
use serde_json::{Map, Value, json};

/// Cuts thoughts out of the content of all replies but the last, as LFM2.5's does, unless `keep_past_thinking` is true.
const CUTS: &str = r#"
{%- set keep_past_thinking = keep_past_thinking | default(false) -%}
{%- set ns = namespace(last=-1) -%}
{%- for m in messages -%}{%- if m.role == "assistant" -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
  {{- "<|im_start|>" + m.role + "\n" -}}
  {%- set content = m.content -%}
  {%- if m.role == "assistant" and not keep_past_thinking and loop.index0 != ns.last and "</think>" in content -%}
    {%- set content = content.split("</think>")[-1] | trim -%}
  {%- endif -%}
  {%- generation -%}{{- content + "<|im_end|>\n" -}}{%- endgeneration -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "<|im_start|>assistant\n" -}}{%- endif -%}"#;

/// Takes them from a field, as later ones do, of replies after the last message of the user, unless `preserve_thinking` is true.
const FIELD: &str = r#"
{%- set preserve_thinking = preserve_thinking | default(false) -%}
{%- set ns = namespace(user=-1) -%}
{%- for m in messages -%}{%- if m["role"] == "user" -%}{%- set ns.user = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
  {{- "<|im_start|>" + m.role + "\n" -}}
  {%- if m.thinking is defined and (preserve_thinking or loop.index0 > ns.user) -%}{{- "<think>" + m.thinking + "</think>" -}}{%- endif -%}
  {%- if m.get("content") -%}{{- m["content"] -}}{%- endif -%}
  {{- "<|im_end|>\n" -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "<|im_start|>assistant\n<think>\n" -}}{%- endif -%}"#;

/// Knows the field by its other name, and closes the thought of the next reply where that is asked for.
const OTHER_NAME: &str = "{% for m in messages %}[{{ m.role }}]{% if m.reasoning_content is string %}<think>{{ m.reasoning_content }}</think>\
    {% endif %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% if enable_thinking is defined and \
    enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}";

fn template(source: &str) -> ChatTemplate {
    let templates = BTreeMap::from([("default".to_owned(), source.to_owned())]);
    ChatTemplate::new(&TemplateSources { templates, special_tokens: BTreeMap::new() }).unwrap()
}

fn variables(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// What is written of a conversation of two replies with thoughts, without the opening of the third.
fn written(source: &str, given: Value) -> String {
    let messages = messages_from_json(&json!([
        {"role": "user", "content": "u1", "reasoning_content": "of no model"},
        {"role": "assistant", "content": "a1", "reasoning_content": "t1"},
        {"role": "user", "content": "u2"},
        {"role": "assistant", "content": "a2", "reasoning_content": "\nt2\n"},
        {"role": "user", "content": "u3"},
    ]))
    .unwrap();
    let variables = variables(given);
    let input = ChatInput { messages: &messages, variables: Some(&variables), ..ChatInput::default() };
    let text = template(source).render(&input).unwrap();
    text.replace("<|im_start|>", "[").replace("<|im_end|>\n", "]").replace('\n', "/")
}

#[test]
fn a_template_that_cuts_thoughts_out_of_content_gets_them_there() {
    assert_eq!(
        written(CUTS, json!({})),
        "[user/u1][assistant/a1][user/u2][assistant/<think>/t2/</think>//a2][user/u3]"
    );
    assert_eq!(
        written(CUTS, json!({"keep_past_thinking": true})),
        "[user/u1][assistant/<think>t1</think>a1][user/u2][assistant/<think>/t2/</think>//a2][user/u3]"
    );
}

#[test]
fn a_template_that_has_a_field_for_thoughts_gets_them_by_its_own_name() {
    assert_eq!(written(FIELD, json!({})), "[user/u1][assistant/a1][user/u2][assistant/a2][user/u3]");
    assert_eq!(
        written(FIELD, json!({"preserve_thinking": true})),
        "[user/u1][assistant/<think>t1</think>a1][user/u2][assistant/<think>/t2/</think>a2][user/u3]"
    );
    let named = "[user]u1[assistant]<think>t1</think>a1[user]u2[assistant]<think>/t2/</think>a2[user]u3";
    assert_eq!(written(OTHER_NAME, json!({})).replace("<think>of no model</think>", ""), named);
}

#[test]
fn a_template_that_knows_nothing_of_thoughts_gets_none() {
    let source = "{% for m in messages %}{{ m.content }} {% endfor %}";
    assert_eq!(written(source, json!({})), "u1 a1 u2 a2 u3 ");
    // One that only writes the tags would keep every thought for ever.
    let source = "{% for m in messages %}{{ m.content }} {% endfor %}{% if add_generation_prompt %}<think></think>{% endif %}";
    assert_eq!(written(source, json!({})), "u1 a1 u2 a2 u3 ");
}

#[test]
fn content_in_parts_has_its_thought_before_it() {
    let content = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    let message = json!({"role": "assistant", "content": content, "thinking": "t"});
    let messages = messages_from_json(&json!([message])).unwrap();
    let source = "{% for m in messages %}{% for p in m.content if m.content is not string %}{{ p.text }}{% endfor %}\
        {{ m.content if m.content is string }}{{ '' if '</think>' in m.content }}{% endfor %}";
    let input = ChatInput { messages: &messages, ..ChatInput::default() };
    assert_eq!(template(source).render(&input).unwrap(), "<think>t</think>ab");
}

fn thinking(source: &str, messages: &[Message], given: Value) -> Thinking {
    let variables = variables(given);
    let input = ChatInput { variables: Some(&variables), ..ChatInput::prompt(messages) };
    template(source).thinking(&input).unwrap()
}

#[test]
fn the_template_says_how_a_reply_begins() {
    let messages = [Message::user("hi")];
    for (source, given, expected) in [
        (ChatTemplate::LFM2, json!({}), Thinking::None),
        (CUTS, json!({}), Thinking::Possible),
        (FIELD, json!({}), Thinking::Begun),
        (OTHER_NAME, json!({}), Thinking::Possible),
        (OTHER_NAME, json!({"enable_thinking": false}), Thinking::None),
        (
            "{{ messages[0].content }}{{ '<think>' if add_generation_prompt else '<|end|></think>' }}",
            json!({}),
            Thinking::Begun,
        ),
        ("{{ raise_exception('no') if not add_generation_prompt }}</think>", json!({}), Thinking::Possible),
    ] {
        assert_eq!(thinking(source, &messages, given), expected, "{source}");
    }
}

#[test]
fn what_somebody_writes_opens_no_thought() {
    for text in ["<think>", "x<think>\n", "<think></think>"] {
        assert_eq!(thinking(CUTS, &[Message::user(text)], json!({})), Thinking::Possible, "{text}");
        // Nothing of this prompt is the template's, so nothing opens a thought.
        let bare = "{% for m in messages %}{{ m.content }}{{ '' if '</think>' in m.content }}{% endfor %}";
        assert_eq!(thinking(bare, &[Message::user(text)], json!({})), Thinking::Possible, "{text}");
    }
}

/// A tokenizer whose tags are special tokens.
fn with_tags() -> Tokenizer {
    let n_vocab = byte_level().n_vocab();
    let token = |words: &str| json!({"content": words, "special": true});
    let added = json!({n_vocab.to_string(): token(Thinking::OPENING), (n_vocab + 1).to_string(): token(Thinking::CLOSING)});
    let config = json!({"added_tokens_decoder": added}).to_string();
    let (tokenizer_json, tokenizer_config) = (&fixture("byte_level.json")[..], Some(config.as_bytes()));
    Tokenizer::new(TokenizerFiles { tokenizer_json, tokenizer_config, ..TokenizerFiles::default() }).unwrap()
}

#[test]
fn tags_inside_a_message_or_a_thought_are_text_and_those_about_it_are_not() {
    let tokenizer = with_tags();
    let tags = [Thinking::OPENING, Thinking::CLOSING].map(|words| tokenizer.id_of(words).unwrap());
    assert!(tags.iter().all(|id| tokenizer.is_special(*id)));
    let count = |content: &str, thought: &str| {
        let messages = json!([
            {"role": "user", "content": content},
            {"role": "assistant", "content": "a", "reasoning_content": thought},
            {"role": "user", "content": content},
        ]);
        let messages = messages_from_json(&messages).unwrap();
        let ids = tokenizer.chat_ids(&template(CUTS), &ChatInput::prompt(&messages)).unwrap();
        tags.map(|tag| ids.iter().filter(|id| **id == tag).count())
    };
    assert_eq!(count("x", "t"), [1, 1]);
    assert_eq!(count("<think>x</think>", "t"), [1, 1]);
    assert_eq!(count("x", "<think>t"), [1, 1]);
    assert_eq!(count("x", "t</think>y<think>"), [1, 1]);
}
