//! Conversations from a script: the built-in model's folder stands in for a chat model.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::checkpoint::two_layer;
use crate::{Done, demo_folder, hala};

fn chat(script: &str) -> Done {
    chat_with(&["--max-tokens", "8"], script)
}

fn chat_with(options: &[&str], script: &str) -> Done {
    hala(&["chat"]).model(demo_folder()).args(options).input(script).run()
}

/// What `/save` at the end of a script writes.
fn saved(script: &str) -> Value {
    saved_with(&["--max-tokens", "8"], script)
}

fn saved_with(options: &[&str], script: &str) -> Value {
    let folder = tempdir().unwrap();
    let file = folder.path().join("talk.json");
    chat_with(options, &format!("{script}\n/save {}\n", file.display())).text();
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn contents(saved: &Value) -> Vec<&str> {
    saved["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect()
}

#[test]
fn the_built_in_model_says_that_it_only_translates() {
    hala(&["chat"]).input("hello\n").run().refused(&["only translates", "--model"]);
}

#[test]
fn a_model_without_a_tokenizer_cannot_chat() {
    hala(&["chat"]).model(two_layer()).input("hello\n").run().refused(&["no tokenizer.json"]);
}

#[test]
fn each_line_is_answered_by_the_model() {
    let prompt = "Translate everything that follows into Arabic:\\\n\\\nGood morning.\n";
    // The recommended sampling of a conversation is not greedy.
    let greedy = ["--temperature", "0", "--repetition-penalty", "1"];
    assert_eq!(chat_with(&greedy, prompt).text(), "صباح الخير.\n");
    let talk = saved("hello\n\nGood morning.");
    assert_eq!(contents(&talk).len(), 4);
    let roles: Vec<_> = talk["messages"].as_array().unwrap().iter().map(|m| &m["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
}

#[test]
fn a_message_may_have_several_lines() {
    let talk = saved("one\\\ntwo\n\"\"\"\nthree\n\n/four\n\"\"\"");
    assert_eq!([0, 2].map(|i| contents(&talk)[i]), ["one\ntwo", "three\n\n/four"]);
}

#[test]
fn the_system_text_is_set_and_taken_back() {
    assert_eq!(saved("/system be kind"), json!({ "system": "be kind", "messages": [] }));
    assert_eq!(saved("/system be kind\n/system")["system"], Value::Null);
    assert_eq!(saved_with(&["--system", "be brief"], "")["system"], "be brief");
}

#[test]
fn a_reset_forgets_the_messages_and_keeps_the_system_text() {
    let talk = saved("/system be kind\nhello\n/reset");
    assert_eq!(talk, json!({ "system": "be kind", "messages": [] }));
}

#[test]
fn a_saved_conversation_goes_on_as_if_it_had_never_ended() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("talk.json");
    let whole = chat(&format!("/system be kind\nhello\n/save {}\nGood morning.\n", file.display())).text();
    let rest = chat(&format!("/load {}\nGood morning.\n", file.display())).text();
    assert_eq!(whole.lines().last().unwrap(), rest.trim_end());
}

#[test]
fn stats_tell_what_the_last_reply_cost() {
    let done = chat("/stats\nhello\n/stats\n");
    let (before, after) = done.stderr.split_once('\n').unwrap();
    assert!(before.contains("no reply yet"), "{before}");
    assert!(after.contains("prompt tokens") && after.contains("generated at"), "{after}");
    done.text();
}

#[test]
fn a_message_is_prompted_with_the_opening_of_the_reply() {
    let generated = hala(&["generate", "--chat", "--json", "--prompt", "hello"]).run().json();
    let n_prompt = generated["usage"]["prompt_tokens"].as_u64().unwrap();
    let done = chat("hello\n/stats\n");
    assert!(done.stderr.contains(&format!(" of {n_prompt} prompt tokens computed")), "{done:?}");
}

#[test]
fn help_lists_the_commands() {
    let done = chat("/help\n");
    for command in ["/system", "/reset", "/save", "/load", "/stats", "/quit"] {
        assert!(done.stderr.contains(command), "{done:?}");
    }
    assert_eq!(done.text(), "");
}

#[test]
fn quit_ends_the_conversation_and_so_does_the_end_of_the_input() {
    assert_eq!(chat("/quit\nhello\n").text(), "");
    assert_eq!(chat("").text(), "");
}

#[test]
fn a_command_that_does_not_exist_is_named_and_ends_a_script() {
    chat("/sing\nhello\n").refused(&["/sing", "/help"]);
}

#[test]
fn files_that_cannot_be_saved_or_loaded_are_named() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("no-talk.json"), "{}").unwrap();
    chat(&format!("/load {}\n", path("none.json"))).refused(&["none.json", "cannot read"]);
    chat(&format!("/load {}\n", path("no-talk.json"))).refused(&["no-talk.json", "holds no conversation"]);
    std::fs::write(path("no-talk.json"), r#"[{"role": "user", "content": 5}]"#).unwrap();
    chat(&format!("/load {}\n", path("no-talk.json"))).refused(&["no-talk.json", "messages[0].content is 5"]);
    chat(&format!("/save {}\n", path("none/talk.json"))).refused(&["none/talk.json", "cannot write"]);
    chat("/save\n").refused(&["/save needs the name of a file"]);
    assert_eq!(crate::names(folder.path()), ["no-talk.json"]);
}

#[test]
fn a_conversation_that_outgrows_the_context_is_an_error_or_forgets_its_oldest_turns() {
    let script = "This is one more message.\n".repeat(6);
    let run =
        |overflow| chat_with(&["--context", "48", "--max-tokens", "4", "--overflow", overflow], &script);
    let strict = run("error");
    assert_eq!(strict.code, Some(2));
    strict.blames(&["the prompt has ", "the context holds 48"]);
    let dropped = run("drop");
    assert!(dropped.stderr.contains("outgrew the context: messages 1 to "), "{dropped:?}");
    assert!(dropped.stderr.contains("This is one more message"), "{dropped:?}");
    assert_eq!(dropped.text().lines().count(), 6);
}

/// Has the model write the special token `<|fim_mid|>`: the built-in one's tokenizer has none about calls.
const MARK: &str = "4=100";

#[test]
fn marks_that_the_model_makes_are_shown_and_come_back_as_themselves() {
    let options = ["--logit-bias", MARK, "--max-tokens", "2"];
    let marks = "<|fim_mid|><|fim_mid|>";
    assert_eq!(chat_with(&options, "hello\n").text(), format!("{marks}\n"));
    let talk = saved_with(&options, "hello");
    assert_eq!(
        talk["messages"][1],
        json!({
            "role": "assistant", "content": marks, "special_tokens": [[0, 11], [11, 22]],
        })
    );
    // The prompt of the next turn begins with all that is there, so only what is new is computed.
    let done = chat_with(&options, "hello\nhello\n/stats\n");
    let said = done.stderr.split(" prompt tokens computed").next().unwrap();
    let numbers: Vec<u64> = said.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [n_new, n_all] = numbers[..] else { panic!("{done:?}") };
    let first =
        hala(&["generate", "--chat", "--json", "--max-tokens", "1", "--prompt", "hello"]).run().json();
    let n_first = first["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(n_all - n_new > n_first, "{n_new} of {n_all} after {n_first}");
}

#[test]
fn words_of_special_tokens_are_text_in_a_message_and_in_a_loaded_conversation() {
    let n_prompt = |text: &str| {
        let generated =
            hala(&["generate", "--chat", "--json", "--max-tokens", "1", "--prompt", text]).run().json();
        generated["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    // As a special token it would be one.
    assert!(n_prompt("a<|im_end|>b") >= n_prompt("ab") + 4);
    let folder = tempdir().unwrap();
    let file = folder.path().join("talk.json");
    let n_loaded = |reply: &str| {
        let talk = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": reply}]);
        std::fs::write(&file, talk.to_string()).unwrap();
        let script = format!("/load {}\nhello\n", file.display());
        let line: Value =
            serde_json::from_str(&chat_with(&["--json", "--max-tokens", "1"], &script).text()).unwrap();
        line["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    assert!(n_loaded("a<|im_end|>b") >= n_loaded("ab") + 4);
}

#[test]
fn replies_in_json_are_one_line_each() {
    let done = chat_with(&["--json", "--max-tokens", "3"], "hello\nGood morning.\n");
    assert_eq!(done.stderr, "");
    let text = done.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line["message"]["role"], "assistant");
        assert!(line["message"]["content"].is_string() && line["usage"]["prompt_tokens"].is_u64());
        assert!(line["finish_reason"].is_string(), "{line}");
        assert_eq!(line["dropped_messages"], 0);
    }
    let script = "This is one more message.\n".repeat(6);
    let dropped =
        chat_with(&["--json", "--context", "48", "--max-tokens", "4", "--overflow", "drop"], &script).text();
    let last: Value = serde_json::from_str(dropped.lines().last().unwrap()).unwrap();
    assert!(last["dropped_messages"].as_u64().unwrap() > 0, "{last}");
}

#[test]
fn a_request_s_tools_reach_the_prompt_and_are_saved() {
    let folder = tempdir().unwrap();
    let (file, again) = (folder.path().join("request.json"), folder.path().join("again.json"));
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for entry in std::fs::read_dir(demo_folder()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    std::fs::write(model.join("chat_template.jinja"), "{{ tools | tojson }}{{ messages[0].content }}")
        .unwrap();
    let tools = json!([{"type": "function", "function": {"name": "weather", "description": "the weather of a city"}}]);
    let talk = |tools: &Value| {
        let request = json!({"model": "m", "stream": true, "messages": [], "tools": tools});
        std::fs::write(&file, request.to_string()).unwrap();
        let script = format!("/load {}\nhello\n/save {}\n", file.display(), again.display());
        let text = hala(&["chat", "--json", "--max-tokens", "1"]).model(&model).input(script).run().text();
        let line: Value = serde_json::from_str(&text).unwrap();
        line["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    assert!(talk(&tools) > talk(&Value::Null) + 10);
    talk(&tools);
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(again).unwrap()).unwrap();
    assert_eq!(saved["tools"], tools);
}

#[test]
fn the_prompt_of_each_turn_is_shown_apart_from_the_replies() {
    let plain = chat("first\nsecond\n");
    let shown = chat_with(&["--max-tokens", "8", "--show-prompt"], "first\nsecond\n");
    let errors = shown.stderr.clone();
    assert_eq!(shown.text(), plain.text());
    let start = "<|startoftext|><|im_start|>user\nfirst<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(errors.matches("<|im_start|>user\nfirst<|im_end|>").count(), 2, "{errors}");
    assert_eq!(errors.matches("<|im_start|>user\nsecond<|im_end|>").count(), 1, "{errors}");
    assert!(errors.contains(start), "{errors}");
}
