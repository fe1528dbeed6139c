//! Replies that begin with a thought: told apart while they stream, and left out of later prompts or kept as the template says, with no more
//! computed than differs.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Chat, ChatOptions, Engine, GenerateOptions, Generated, LoadOptions, Session, TemplateOptions,
};
use hala_plan::Cancel;
use hala_tests::scripted::Scripted;
use hala_text::{Bos, Specials};
use hala_weights::Checkpoint;
use pollster::block_on;
use serde_json::json;

/// Raises the script's token above all others.
const CERTAIN: f32 = 1000.0;
const END: u32 = 7;

/// Cuts thoughts out of all replies but the last, unless it is told to keep them.
const CUTS: &str = r#"{{ bos_token }}{% set ns = namespace(last=-1) %}
{%- for m in messages if m.role == "assistant" %}{% set ns.last = ns.last + 1 %}{% endfor %}
{%- set at = namespace(n=-1) %}
{%- for m in messages %}
{%- set content = m.content %}
{%- if m.role == "assistant" %}{% set at.n = at.n + 1 %}
{%- if "</think>" in content and not keep_past_thinking and at.n != ns.last %}{% set content = content.split("</think>")[-1] | trim %}{% endif %}
{%- endif %}
{{- "<|im_start|>" + m.role + "\n" + content + "<|im_end|>\n" }}
{%- endfor %}
{%- if add_generation_prompt %}{{ "<|im_start|>assistant\n" + ("<think>" if opens else "") }}{% endif %}"#;

/// How a tokenizer has the tags.
#[derive(Debug, Clone, Copy)]
enum Tags {
    /// As text.
    Plain,
    /// As special tokens.
    Special,
}

fn engine(tags: Tags) -> Arc<Engine<Scripted>> {
    let mut files = hala_demo_model::files();
    for (name, bytes) in files.iter_mut().filter(|(name, _)| *name == "tokenizer.json") {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        if matches!(tags, Tags::Special) {
            assert!(text.contains("<|fim_pre|>"), "{name}");
            *bytes =
                text.replace("<|fim_pre|>", "<think>").replace("<|fim_mid|>", "</think>").into_bytes().into();
        }
    }
    files.push(("chat_template.jinja".to_owned(), CUTS.as_bytes().to_vec().into()));
    let backend = Scripted::new(CpuBackend::threaded(2).unwrap(), Vec::new(), CERTAIN);
    let checkpoint = Checkpoint::from_files(files).unwrap();
    Arc::new(Engine::load(backend, &checkpoint, LoadOptions::default(), |_| true).unwrap())
}

fn chat(
    engine: &Arc<Engine<Scripted>>,
    variables: &serde_json::Value,
    generate: GenerateOptions,
) -> Chat<Scripted> {
    let variables = variables.as_object().unwrap().clone();
    let template = TemplateOptions { variables, ..TemplateOptions::default() };
    let session = block_on(Session::new(Arc::clone(engine))).unwrap();
    Chat::new(session, ChatOptions { template, generate, ..ChatOptions::default() })
}

/// A turn that the model answers in these words.
struct Turn {
    prompt: String,
    /// Thought and text of each piece.
    pieces: Vec<(String, String)>,
    generated: Generated,
}

fn turn(chat: &mut Chat<Scripted>, text: &str, answer: &str) -> Turn {
    let mut reply = chat.send(text, &Cancel::new()).unwrap();
    let engine = Arc::clone(reply.engine());
    let tokenizer = engine.tokenizer().unwrap();
    let mut script = reply.prompt().to_vec();
    script.extend(tokenizer.encode(answer, Bos::Never).unwrap());
    script.push(END);
    engine.backend().set_script(script);
    let prompt = tokenizer.decode(reply.prompt(), Specials::Keep).unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = block_on(reply.next()).unwrap() {
        pieces.push((piece.reasoning, piece.text));
        let (thought, content): (String, String) = pieces.iter().cloned().unzip();
        let message = reply.messages().last().unwrap();
        assert_eq!(
            (message.reasoning().unwrap_or_default(), message.content.as_str()),
            (&*thought, &*content)
        );
    }
    Turn { prompt, pieces, generated: reply.finish().unwrap() }
}

/// The last reply to a conversation as one string, its turns in brackets.
fn short(prompt: &str) -> String {
    let text =
        prompt.replace("<|startoftext|>", "").replace("<|im_start|>", "[").replace("<|im_end|>\n", "]");
    text.replace("assistant\n", "a ").replace("user\n", "u ")
}

#[test]
fn a_thought_is_told_apart_whatever_its_tags_are_to_the_tokenizer() {
    let written = "<think>\nLet me think.\n</think>\n\nIt is <think>so</think>.";
    for tags in [Tags::Plain, Tags::Special] {
        for specials in [Specials::Skip, Specials::Keep] {
            let engine = engine(tags);
            let mut chat =
                chat(&engine, &json!({}), GenerateOptions { specials, ..GenerateOptions::default() });
            let Turn { pieces, generated, .. } = turn(&mut chat, "Well?", written);
            assert_eq!(generated.reasoning.as_deref(), Some("\nLet me think.\n"), "{tags:?}");
            assert_eq!(generated.text, "It is <think>so</think>.", "{tags:?}");
            assert!(pieces.len() > 8, "{pieces:?}");
            let n_thought = generated.usage.completion_tokens_details.reasoning_tokens;
            let tokenizer = engine.tokenizer().unwrap();
            let of_thought = tokenizer.decode(&generated.ids[..n_thought], Specials::Keep).unwrap();
            assert!(of_thought.starts_with("<think>\nLet me think.\n</think>"), "{of_thought:?}");
            let before = tokenizer.decode(&generated.ids[..n_thought - 1], Specials::Keep).unwrap();
            assert!(!before.contains("</think>"), "{before:?}");
            let message = chat.messages().last().unwrap();
            assert_eq!(
                (message.reasoning(), &*message.content),
                (generated.reasoning.as_deref(), &*generated.text)
            );
        }
    }
}

#[test]
fn a_prompt_that_opens_the_thought_needs_no_tag() {
    for tags in [Tags::Plain, Tags::Special] {
        let engine = engine(tags);
        let mut chat = chat(&engine, &json!({"opens": true}), GenerateOptions::default());
        let Turn { prompt, generated, .. } = turn(&mut chat, "Well?", "Let me think.</think>Yes.");
        assert!(prompt.ends_with("<think>"), "{prompt}");
        assert_eq!((generated.reasoning.as_deref(), &*generated.text), (Some("Let me think."), "Yes."));
    }
}

#[test]
fn what_the_user_writes_opens_no_thought_and_a_thought_may_have_stop_strings() {
    let engine = engine(Tags::Special);
    let stop = vec!["\n\n".to_owned()];
    let mut chat = chat(&engine, &json!({}), GenerateOptions { stop, ..GenerateOptions::default() });
    let first = turn(&mut chat, "Say <think>", "Why? It is a tag.").generated;
    assert_eq!((first.reasoning, &*first.text), (None, "Why? It is a tag."));
    assert!(first.usage.completion_tokens_details.is_empty());
    let second = turn(&mut chat, "And now?", "<think>one\n\ntwo</think>\n\nthree\n\nfour").generated;
    assert_eq!((second.reasoning.as_deref(), &*second.text), (Some("one\n\ntwo"), "three"));
}

#[test]
fn thoughts_leave_the_prompt_or_stay_as_the_template_says_and_little_is_computed_again() {
    for tags in [Tags::Plain, Tags::Special] {
        let engine = engine(tags);
        let talk = |keeps: bool| {
            let mut chat = chat(&engine, &json!({"keep_past_thinking": keeps}), GenerateOptions::default());
            let first = turn(&mut chat, "One?", "<think>\nfirst thought\n</think>\n\nYes.");
            let second = turn(&mut chat, "Two?", "<think>second thought</think>No.");
            let third = turn(&mut chat, "Three?", "Maybe.");
            [first, second, third]
        };
        let [first, second, third] = talk(false);
        // The thought of the last reply is still there, so all that was computed is of use.
        let told = "[u One?][a <think>\nfirst thought\n</think>\n\nYes.][u Two?][a ";
        assert_eq!(short(&second.prompt), told);
        let n_before = first.generated.usage.prompt_tokens + first.generated.ids.len();
        assert!(
            second.generated.usage.cached_tokens >= n_before,
            "{:?} of {n_before}",
            second.generated.usage
        );
        // Then it leaves, and the session goes back to where the two prompts part.
        let told = "[u One?][a Yes.][u Two?][a <think>second thought</think>No.][u Three?][a ";
        assert_eq!(short(&third.prompt), told);
        let cached = third.generated.usage.cached_tokens;
        assert_eq!(cached, first.generated.usage.prompt_tokens, "{:?}", third.generated.usage);
        let [_, second, third] = talk(true);
        let told = "[u One?][a <think>\nfirst thought\n</think>\n\nYes.][u Two?][a <think>second thought</think>No.][u Three?][a ";
        assert_eq!(short(&third.prompt), told);
        let n_before = second.generated.usage.prompt_tokens + second.generated.ids.len();
        assert!(third.generated.usage.cached_tokens >= n_before, "{:?} of {n_before}", third.generated.usage);
    }
}

#[test]
fn special_tokens_of_an_answer_after_a_thought_come_back_as_themselves() {
    let engine = engine(Tags::Special);
    let generate = GenerateOptions { specials: Specials::Keep, ..GenerateOptions::default() };
    let mut chat = chat(&engine, &json!({}), generate);
    turn(&mut chat, "One?", "<think>\nhm <|fim_suf|>\n</think>\n\nso <|fim_suf|> be it <|fim_suf|>");
    let message = chat.messages().last().unwrap();
    assert_eq!(message.content, "so <|fim_suf|> be it <|fim_suf|>");
    let spans: Vec<&str> =
        message.special_tokens.iter().map(|range| &message.content[range.clone()]).collect();
    assert_eq!(spans, ["<|fim_suf|>"; 2]);
}
