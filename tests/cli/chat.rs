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
    assert_eq!(run("drop").text().lines().count(), 6);
}
