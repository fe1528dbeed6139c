//! Chat templates against transformers' `apply_chat_template`, and the prompts of the demo checkpoint.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod fixtures;

use std::collections::BTreeMap;

use fixtures::{byte_level, fixture, repository_shared, tokenizer_files};

use hala_text::{
    Bos, ChatInput, ChatTemplate, LocalTime, Message, TemplateSources, TextError, Tokenizer, TokenizerFiles,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The time that `make_tokenizer.py` froze.
const FROZEN: LocalTime = LocalTime { year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 4 };

#[derive(Deserialize)]
struct Row {
    name: String,
    template: Option<String>,
    messages: Vec<Message>,
    tools: Vec<Value>,
    prompt: bool,
    variables: Map<String, Value>,
    expected: Option<String>,
    raised: Option<String>,
}

fn template(source: &str) -> Result<ChatTemplate, TextError> {
    ChatTemplate::new(&TemplateSources {
        templates: BTreeMap::from([("default".to_owned(), source.to_owned())]),
        special_tokens: BTreeMap::from(
            [("bos_token", "<|startoftext|>"), ("eos_token", "<|im_end|>"), ("pad_token", "<|pad|>")]
                .map(|(name, text)| (name.to_owned(), text.to_owned())),
        ),
    })
}

fn render(source: &str, messages: &[Message]) -> Result<String, TextError> {
    template(source)?.render(&ChatInput { messages, now: Some(FROZEN), ..ChatInput::default() })
}

#[test]
fn templates_render_as_in_transformers() {
    let rows: Vec<Row> = serde_json::from_slice(&fixture("chat_expected.json")).unwrap();
    assert!(rows.len() >= 15);
    for row in rows {
        let template = template(row.template.as_deref().unwrap_or(ChatTemplate::LFM2)).unwrap();
        let input = ChatInput {
            messages: &row.messages,
            tools: &row.tools,
            add_generation_prompt: row.prompt,
            now: Some(FROZEN),
            variables: Some(&row.variables),
        };
        match (template.render(&input), row.raised) {
            (Ok(found), None) => assert_eq!(Some(found), row.expected, "{}", row.name),
            (Err(TextError::TemplateRaised { message }), Some(raised)) => {
                assert_eq!(message, raised, "{}", row.name);
            }
            (found, raised) => panic!("{}: {found:?}, expected to raise {raised:?}", row.name),
        }
    }
}

#[test]
fn a_refusal_quotes_the_template_also_from_inside_a_macro() {
    let source = "{% macro check(m) %}{{ raise_exception('no \"".to_owned()
        + "<role> ' + m.role) }}{% endmacro %}{{ check(messages[0]) }}";
    let error = render(&source, &[Message::user("x")]).unwrap_err();
    assert_eq!(error.to_string(), "the chat template refused the messages: no \"<role> user");
}

#[test]
fn broken_templates_and_failing_ones_are_errors_with_the_line() {
    let error = template("{% if %}").unwrap_err();
    assert!(matches!(error, TextError::TemplateSyntax { .. }), "{error}");
    assert!(error.to_string().contains("default:1"), "{error}");
    let error = render("\n{{ messages.nothing.at_all }}", &[]).unwrap_err();
    assert!(matches!(error, TextError::TemplateFailed { .. }), "{error}");
    assert!(error.to_string().contains("default:2"), "{error}");
    for source in [
        "{{ nothing() }}",
        "{{ 1 | nothing }}",
        "{{ strftime_now('%!') }}",
        "{{ messages | tojson(indent=-1, x=2) }}",
        "{{ 1 // 0 }}",
    ] {
        assert!(render(source, &[]).is_err(), "{source}");
    }
}

#[test]
fn a_template_without_end_is_stopped() {
    let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}";
    assert!(matches!(render(source, &[]).unwrap_err(), TextError::TemplateFailed { .. }));
}

#[test]
fn a_long_conversation_is_not_stopped() {
    let turn = "نص طويل with words ".repeat(500);
    let messages: Vec<Message> = (0..2000).map(|_| Message::user(turn.clone())).collect();
    let out = render(ChatTemplate::LFM2, &messages).unwrap();
    assert!(out.len() > 2000 * turn.len());
}

#[test]
fn the_tool_template_serves_chats_with_tools() {
    let config = json!({"chat_template": [
        {"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools {{ tools | length }}"}]});
    let config = serde_json::to_vec(&config).unwrap();
    let mut files = tokenizer_files();
    files.tokenizer_config = Some(&config);
    let tokenizer = Tokenizer::new(files).unwrap();
    let template = tokenizer.chat_template().unwrap();
    assert_eq!(template.render(&ChatInput::default()).unwrap(), "plain");
    let tools = [json!({"name": "f"})];
    assert_eq!(template.render(&ChatInput { tools: &tools, ..ChatInput::default() }).unwrap(), "tools 1");
}

#[test]
fn the_template_file_goes_before_the_configuration_and_both_before_the_built_in_one() {
    let rendered = |config: Option<&[u8]>, file: Option<&str>| {
        let files = TokenizerFiles { tokenizer_config: config, chat_template: file, ..tokenizer_files() };
        let messages = [Message::user("x")];
        Tokenizer::new(files).unwrap().chat_template().unwrap().render(&ChatInput::prompt(&messages)).unwrap()
    };
    let config = br#"{"chat_template": "from config"}"#;
    assert_eq!(rendered(Some(config), Some("from file")), "from file");
    assert_eq!(rendered(Some(config), None), "from config");
    assert_eq!(
        rendered(None, None),
        "<|startoftext|><|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n",
        "BOS is known from the post-processor alone"
    );
}

#[test]
fn a_rendered_prompt_gets_one_bos() {
    let tokenizer = byte_level();
    let messages = [Message::system("s"), Message::user("صباح الخير")];
    let prompt = tokenizer.chat_template().unwrap().render(&ChatInput::prompt(&messages)).unwrap();
    let ids = tokenizer.encode(&prompt, Bos::Auto).unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == 1).count(), 1);
    assert_eq!(ids, tokenizer.encode(&prompt, Bos::Never).unwrap());
}

#[test]
fn this_machines_clock_is_used_when_no_time_is_given() {
    let template = template("{{ strftime_now('%Y') }}").unwrap();
    let year: i32 = template.render(&ChatInput::default()).unwrap().parse().unwrap();
    assert!(year >= 2025);
    let wrong = ChatInput { now: Some(LocalTime { day: 32, ..FROZEN }), ..ChatInput::default() };
    assert!(matches!(template.render(&wrong), Err(TextError::InvalidTime { .. })));
}

#[test]
fn the_demo_checkpoints_prompts_have_the_ids_that_transformers_gives() {
    #[derive(Deserialize)]
    struct Golden {
        to: String,
        source: String,
        target: String,
        prompt_ids: Vec<u32>,
        output_ids: Vec<u32>,
    }
    let Some(folder) = repository_shared().map(|shared| shared.join("models/demo-ar-en")) else { return };
    if !folder.is_dir() {
        return;
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (json, config, generation) =
        (read("tokenizer.json"), read("tokenizer_config.json"), read("generation_config.json"));
    let tokenizer = Tokenizer::new(TokenizerFiles {
        tokenizer_json: &json,
        tokenizer_config: Some(&config),
        chat_template: None,
        generation_config: Some(&generation),
    })
    .unwrap();
    assert_eq!((tokenizer.n_vocab(), tokenizer.bos_id()), (8192, Some(1)));
    let golden = String::from_utf8(read("golden.jsonl")).unwrap();
    assert_eq!(golden.lines().count(), 60);
    for line in golden.lines() {
        let row: Golden = serde_json::from_str(line).unwrap();
        let language: hala_text::Language = row.to.parse().unwrap();
        let prompt = format!("Translate everything that follows into {}:\n\n{}", language.name(), row.source);
        let messages = [Message::user(prompt)];
        let text = tokenizer.chat_template().unwrap().render(&ChatInput::prompt(&messages)).unwrap();
        assert_eq!(tokenizer.encode(&text, Bos::Auto).unwrap(), row.prompt_ids, "{}", row.source);
        assert_eq!(tokenizer.decode(&row.output_ids, hala_text::Specials::Skip).unwrap(), row.target);
        assert_eq!(hala_text::detection::detect(&row.source), Some(language.other()), "{}", row.source);
    }
}
