//! The examples do what they say, as a newcomer runs them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// An example's program: it is there where all of the package was built, and is built here where this test alone was.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples").join(file);
    if !path.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        let built =
            cargo.args(["build", "--quiet", "--package", "hala", "--example", name]).status().unwrap();
        assert!(built.success(), "the example {name} cannot be built");
    }
    path
}

/// What an example prints when it is given these lines.
fn run(name: &str, input: &str) -> String {
    let mut command = Command::new(program(name));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{name}: {text}");
    text
}

#[test]
fn translate_prints_a_translation() {
    assert_eq!(run("translate", ""), "Good morning.\n");
}

#[test]
fn chat_prints_a_reply_and_what_it_cost() {
    let said = run("chat", "");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("صباح"), "{said}");
    assert!(lines[1].ends_with("out") && !lines[1].starts_with("0 "), "{said}");
}

#[test]
fn stream_prints_all_of_a_translation() {
    let said = run("stream", "");
    assert!(
        said.starts_with("loaded ") && said.contains("صباح") && said.ends_with("\n2 sentences\n"),
        "{said}"
    );
}

#[test]
fn batch_prints_every_text_in_its_order() {
    let said = run("batch", "");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].contains("صباح") && lines[3].is_ascii(), "{said}");
}

#[test]
fn gpu_names_its_device_or_says_why_there_is_none() {
    let said = run("gpu", "");
    let translated = said.starts_with("on ") && said.ends_with("\nGood morning.\n");
    assert!(translated || said.starts_with("not run: wgpu is not available: "), "{said}");
}

#[test]
fn cancel_stops_long_before_the_end() {
    let said = run("cancel", "");
    assert!(said.starts_with("stopped: true, after "), "{said}");
}

#[test]
fn own_checkpoint_takes_the_memory_that_was_told_beforehand() {
    let said = run("own_checkpoint", "");
    let number = |line: &str| line.split(' ').next().and_then(|word| word.parse::<usize>().ok());
    let lines: Vec<&str> = said.lines().collect();
    assert!(number(lines[0]).is_some_and(|n| n > 1_000_000), "{said}");
    assert_eq!(number(lines[0]), number(lines[1]), "{said}");
    assert_eq!(lines.len(), 3, "{said}");
}

#[test]
fn facade_answers_lines_and_names_what_is_wrong_with_one() {
    let request = |more: &str| {
        let content = "Translate everything that follows into Arabic:\n\nGood morning.";
        format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{content:?}}}],\"temperature\":0{more}}}\n")
    };
    let wrong = request(",\"temprature\":1");
    let said = run("facade", &(request("") + &request(",\"stream\":true") + &wrong));
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [whole, chunks @ .., error] = &lines[..] else { panic!("{said}") };
    let deltas = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    let text: String = deltas.collect();
    assert_eq!(whole["choices"][0]["message"]["content"], text);
    assert!(text.contains("صباح"), "{said}");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert_eq!(error["error"]["code"], "invalid-request");
    assert!(error["error"]["message"].as_str().unwrap().contains("temprature"), "{said}");
}

#[test]
fn a_new_facade_takes_thirty_lines_of_code() {
    let code = include_str!("../../crates/hala/examples/facade.rs");
    let n_lines = code.lines().filter(|line| !line.is_empty() && !line.starts_with("//!")).count();
    assert!(n_lines <= 30, "{n_lines}");
}
