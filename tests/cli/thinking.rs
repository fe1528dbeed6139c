//! Conversations with a model that thinks: the built-in one, whose prompt opens a thought that it never closes.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{Done, demo_folder, hala};

/// Opens a thought, and reads those of earlier replies from a field where it is told to keep them.
const OPENS: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n\
    {% if m.thinking is defined and keep_past_thinking %}<think>{{ m.thinking }}</think>{% endif %}{{ m.content }}<|im_end|>\n\
    {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>{% endif %}";

fn chat(options: &[&str], script: &str) -> Done {
    let folder = tempdir().unwrap();
    let template = folder.path().join("opens.jinja");
    std::fs::write(&template, OPENS).unwrap();
    let template = template.to_str().unwrap();
    hala(&["chat", "--max-tokens", "6", "--chat-template", template])
        .model(demo_folder())
        .args(options)
        .input(script)
        .run()
}

#[test]
fn the_answer_alone_goes_to_an_output_that_is_no_terminal() {
    let done = chat(&[], "Good morning.\n");
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("\n", ""));
    assert!(chat(&[], "Good morning.\n/stats\n").stderr.contains(" of them a thought"));
}

#[test]
fn in_json_the_thought_has_a_field_and_its_tokens_are_counted() {
    let line: Value = serde_json::from_str(&chat(&["--json"], "Good morning.\n").text()).unwrap();
    assert_eq!(line["message"]["content"], "");
    assert!(!line["message"]["reasoning_content"].as_str().unwrap().is_empty(), "{line}");
    let n = &line["usage"]["completion_tokens_details"]["reasoning_tokens"];
    assert!(n.as_u64().unwrap() > 0 && n.as_u64() <= line["usage"]["completion_tokens"].as_u64(), "{line}");
    // Without such a template the same words are the answer.
    let plain =
        hala(&["chat", "--json", "--max-tokens", "6"]).model(demo_folder()).input("Good morning.\n").run();
    let line: Value = serde_json::from_str(&plain.text()).unwrap();
    assert!(line["message"].get("reasoning_content").is_none(), "{line}");
}

#[test]
fn thoughts_are_saved_and_become_part_of_later_prompts_where_the_template_is_told_so() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("talk.json");
    let thought = "of <|im_end|> and </think> and rain";
    let talk = json!([
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Yes.", "reasoning_content": thought},
    ]);
    std::fs::write(&file, talk.to_string()).unwrap();
    let script = format!("/load {0}\n/save {0}\nhello\n", file.display());
    let (left, kept) = (
        chat(&["--show-prompt"], &script),
        chat(&["--show-prompt", "--template-arg", "keep_past_thinking=true"], &script),
    );
    assert!(left.stderr.contains("<|im_start|>assistant\nYes.<|im_end|>"), "{left:?}");
    let expected = format!("<|im_start|>assistant\n<think>{thought}</think>Yes.<|im_end|>");
    assert!(kept.stderr.contains(&expected), "{kept:?}");
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(saved["messages"], talk);
}
