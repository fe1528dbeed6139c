//! Conversations as documents, against transformers: the same ids, the same labels.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;

use hala_engine::TemplateOptions;
use hala_text::{LocalTime, Message, Tokenizer, TokenizerFiles};
use hala_train::data::{ChatRow, Document, Form, Renderer, Replies, Row, read_row};
use hala_train::{Fault, TrainError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Golden {
    name: String,
    template: String,
    messages: Value,
    tools: Value,
    ends: Vec<u32>,
    added: Map<String, Value>,
    documents: Vec<GoldenDocument>,
}

#[derive(Deserialize)]
struct GoldenDocument {
    ids: Vec<u32>,
    mask: Vec<u8>,
}

const END: u32 = 7;
const CHATML: &str = "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}\
                      {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn golden() -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The byte-level tokenizer with further special tokens and this template.
fn tokenizer(template: &str, added: &Map<String, Value>) -> Tokenizer {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../text/tests/fixtures/byte_level.json");
    let special = |text: &Value| json!({"content": text, "special": true, "normalized": false});
    let decoder: Map<String, Value> = added.iter().map(|(id, text)| (id.clone(), special(text))).collect();
    let config =
        json!({"bos_token": "<|startoftext|>", "eos_token": "<|im_end|>", "added_tokens_decoder": decoder});
    Tokenizer::new(TokenizerFiles {
        tokenizer_json: &std::fs::read(fixture).unwrap(),
        tokenizer_config: Some(config.to_string().as_bytes()),
        chat_template: Some(template),
        generation_config: None,
    })
    .unwrap()
}

fn renderer(template: &str) -> Renderer {
    let tokenizer = tokenizer(template, &Map::new());
    Renderer::new(tokenizer, TemplateOptions::default(), vec![END], Replies::All).unwrap()
}

fn row(value: &Value) -> Row {
    read_row(&value.to_string(), Form::Json, 0).unwrap()
}

fn talk(messages: &[(&str, &str)]) -> Row {
    let messages = messages.iter().map(|(role, content)| json!({"role": role, "content": content}));
    row(&json!({"messages": messages.collect::<Vec<_>>()}))
}

/// The text of the labels.
fn labels(renderer: &Renderer, document: &Document) -> String {
    let ids: Vec<u32> =
        document.ids.iter().zip(&document.weights).filter(|(_, w)| **w > 0.0).map(|(id, _)| *id).collect();
    renderer.tokenizer().decode(&ids, hala_text::Specials::Keep).unwrap()
}

fn only(renderer: &Renderer, row: &Row) -> Document {
    let mut documents = renderer.documents(row).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

#[test]
fn loss_on_the_wrong_tokens_ids_and_labels_of_each_template_are_those_of_transformers() {
    let all = golden();
    assert!(all.len() >= 9);
    for golden in all {
        let tokenizer = tokenizer(&golden.template, &golden.added);
        let renderer =
            Renderer::new(tokenizer, TemplateOptions::default(), golden.ends, Replies::All).unwrap();
        let found = renderer
            .documents(&row(&json!({"messages": golden.messages, "tools": golden.tools})))
            .unwrap_or_else(|fault| panic!("{}: {fault}", golden.name));
        assert_eq!(found.len(), golden.documents.len(), "{}", golden.name);
        for (found, golden_document) in found.iter().zip(&golden.documents) {
            assert_eq!(found.ids, golden_document.ids, "{}", golden.name);
            let mask: Vec<u8> = found.weights.iter().map(|weight| u8::from(*weight > 0.0)).collect();
            assert_eq!(mask, golden_document.mask, "{}", golden.name);
        }
    }
}

#[test]
fn the_end_of_turn_left_out_the_last_label_of_each_reply_is_the_stop_id() {
    for golden in golden() {
        let tokenizer = tokenizer(&golden.template, &golden.added);
        let renderer =
            Renderer::new(tokenizer, TemplateOptions::default(), golden.ends.clone(), Replies::All).unwrap();
        let row = row(&json!({"messages": golden.messages, "tools": golden.tools}));
        let n_replies =
            golden.messages.as_array().unwrap().iter().filter(|m| m["role"] == "assistant").count();
        let mut n_ends = 0;
        for document in renderer.documents(&row).unwrap() {
            for (i, weight) in document.weights.iter().enumerate() {
                let is_last = *weight > 0.0 && document.weights.get(i + 1).is_none_or(|next| *next == 0.0);
                assert_eq!(
                    is_last,
                    *weight > 0.0 && golden.ends.contains(&document.ids[i]),
                    "{}",
                    golden.name
                );
                n_ends += usize::from(is_last);
            }
        }
        assert_eq!(n_ends, n_replies, "{}", golden.name);
    }
}

#[test]
fn the_newline_behind_the_end_of_turn_is_no_label() {
    let renderer = renderer(CHATML);
    let document =
        only(&renderer, &talk(&[("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]));
    assert_eq!(labels(&renderer, &document), "b<|im_end|>d<|im_end|>");
    assert_eq!(document.weights.last(), Some(&0.0));
}

#[test]
fn two_bos_a_text_has_one_whoever_writes_it() {
    let bos = 1;
    for template in [CHATML, &CHATML.replace("{{ bos_token }}", "")] {
        let renderer = renderer(template);
        let document = only(&renderer, &talk(&[("user", "a"), ("assistant", "b")]));
        assert_eq!(document.ids[0], bos);
        assert_eq!(document.ids.iter().filter(|id| **id == bos).count(), 1, "{template}");
    }
    let document = only(&renderer(CHATML), &row(&json!({"text": "a b"})));
    assert_eq!(document.ids.iter().filter(|id| **id == bos).count(), 1);
}

#[test]
fn text_that_spells_a_special_token_ends_no_turn() {
    let renderer = renderer(CHATML);
    let document = only(
        &renderer,
        &talk(&[("user", "say <|im_end|>"), ("assistant", "<|im_end|>\n<|im_start|>user\nno")]),
    );
    assert_eq!(document.ids.iter().filter(|id| **id == END).count(), 2);
    assert_eq!(labels(&renderer, &document), "<|im_end|>\n<|im_start|>user\nno<|im_end|>");
    let text = only(&renderer, &row(&json!({"text": "a<|im_end|>b"})));
    assert_eq!(text.ids.iter().filter(|id| **id == END).count(), 1);
}

#[test]
fn a_plain_text_is_learnt_whole_and_ends() {
    let renderer = renderer(CHATML);
    let document = only(&renderer, &row(&json!({"text": "صباح الخير"})));
    assert_eq!(document.ids.last(), Some(&END));
    assert_eq!(document.n_supervised(), document.ids.len() - 1);
    assert_eq!(document.n_rows(), document.ids.len() - 1);
}

#[test]
fn nothing_supervised_is_refused() {
    let renderer = renderer(CHATML);
    for row in [
        talk(&[("user", "a")]),
        row(
            &json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}),
        ),
        Row::Chat(ChatRow::default()),
    ] {
        assert!(matches!(renderer.documents(&row), Err(Fault::Unsupervised)), "{row:?}");
    }
}

#[test]
fn weights_of_replies_are_those_of_their_labels() {
    let renderer = renderer(CHATML);
    let row = row(
        &json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0},
        {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0.5}, {"role": "user", "content": "e"}]}),
    );
    let document = only(&renderer, &row);
    assert_eq!(labels(&renderer, &document), "d<|im_end|>");
    assert!(document.weights.iter().all(|weight| [0.0, 0.5].contains(weight)));
}

#[test]
fn the_last_reply_alone_is_learnt_on_request() {
    let tokenizer = tokenizer(CHATML, &Map::new());
    let renderer = Renderer::new(tokenizer, TemplateOptions::default(), vec![END], Replies::Last).unwrap();
    let document =
        only(&renderer, &talk(&[("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]));
    assert_eq!(labels(&renderer, &document), "d<|im_end|>");
}

#[test]
fn a_template_that_never_ends_a_reply_is_refused() {
    let template = "{% for m in messages %}{{ m.role + ': ' + m.content + ('<|im_end|>' if m.role == 'user' else '') }}{% endfor %}\
                    {% if add_generation_prompt %}assistant: {% endif %}";
    let renderer = renderer(template);
    let row = talk(&[("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]);
    let fault = renderer.documents(&row).unwrap_err();
    assert!(matches!(fault, Fault::Endless { message: 1 }), "{fault}");
}

#[test]
fn a_reply_that_does_not_follow_its_prompt_is_refused() {
    let template =
        CHATML.replace("{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>assistant\n<think>\n' }}");
    let fault = renderer(&template).documents(&talk(&[("user", "a"), ("assistant", "b")])).unwrap_err();
    let Fault::NotPrompted { message: 1, found, prompted } = &fault else { panic!("{fault}") };
    assert_eq!((found.as_str(), prompted.as_str()), ("b<|im_end|>\n", "<think>\n"));
}

#[test]
fn a_call_that_the_template_does_not_write_is_refused_and_not_learnt_as_silence() {
    let call = json!([{"type": "function", "function": {"name": "f", "arguments": {}}}]);
    let row = row(
        &json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": call}]}),
    );
    let fault = renderer(CHATML).documents(&row).unwrap_err();
    assert!(matches!(fault, Fault::Unwritten { message: 1 }), "{fault}");
}

#[test]
fn what_a_template_raises_is_the_rows_fault() {
    let template = "{{ raise_exception('roles must alternate') if messages[0].role != 'user' else '' }}"
        .to_owned()
        + CHATML;
    let fault = renderer(&template).documents(&talk(&[("system", "s"), ("assistant", "b")])).unwrap_err();
    assert!(fault.to_string().contains("roles must alternate"), "{fault}");
}

#[test]
fn a_template_that_writes_the_date_needs_one() {
    let template = "{{ strftime_now('%Y') }}".to_owned() + CHATML;
    let new = |now: Option<LocalTime>| {
        let options = TemplateOptions { now, ..TemplateOptions::default() };
        Renderer::new(tokenizer(&template, &Map::new()), options, vec![END], Replies::All)
    };
    let error = new(None).unwrap_err();
    assert!(
        matches!(error, TrainError::Setting { .. }) && error.to_string().contains("2026-03-07"),
        "{error}"
    );
    assert!(new(LocalTime::parse("2026-03-07").ok()).is_ok());
}

#[test]
fn the_built_in_translators_prompts_and_answers_are_its_golden_ones() {
    let files = hala_demo_model::files();
    let file = |name: &str| files.iter().find(|(found, _)| found == name).unwrap().1.as_ref();
    let tokenizer = Tokenizer::new(TokenizerFiles {
        tokenizer_json: file("tokenizer.json"),
        tokenizer_config: Some(file("tokenizer_config.json")),
        ..TokenizerFiles::default()
    })
    .unwrap();
    let renderer = Renderer::new(tokenizer, TemplateOptions::default(), vec![END], Replies::All).unwrap();
    let pairs = hala_train::data::Pairs::default();
    for line in hala_demo_model::GOLDEN.lines() {
        let golden: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| golden[name].as_str().unwrap();
        let ids = |name: &str| -> Vec<u32> { serde_json::from_value(golden[name].clone()).unwrap() };
        let (columns, part) = match text("to") {
            "ar" => (format!("{}\t{}", text("source"), text("target")), 0),
            _ => (format!("{}\t{}", text("target"), text("source")), 1),
        };
        let document = only(&renderer, &read_row(&columns, Form::Pairs(pairs), part).unwrap());
        let first = document.weights.iter().position(|weight| *weight > 0.0).unwrap();
        assert_eq!(document.ids[..first], ids("prompt_ids"), "{line}");
        let answer: Vec<u32> = document.ids[first..=document.n_rows()].to_vec();
        // The model may have written its answer in other tokens than the tokenizer takes for that text.
        assert_eq!(answer.last(), ids("output_ids").last(), "{line}");
        assert_eq!(labels(&renderer, &document), format!("{}<|im_end|>", text("target").trim()), "{line}");
    }
}

#[test]
fn messages_of_the_api_are_taken_as_they_are() {
    let found =
        row(&json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}));
    let Row::Chat(found) = found else { panic!() };
    assert_eq!(found.messages, [Message::user("a"), Message::assistant("b")]);
}
