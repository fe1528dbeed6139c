//! Template snippets against the table that jinja2 made, in transformers' set-up: equal, or an error, never different.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod fixtures;

use std::collections::BTreeMap;

use fixtures::fixture;
use hala_text::{ChatInput, ChatTemplate, LocalTime, TemplateSources, TextError};
use serde_json::{Map, Value};

/// The time that `make_jinja.py` froze.
const FROZEN: LocalTime = LocalTime { year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 4 };

/// How an error begins that says what is not there, in place of what jinja2 would print.
const REFUSAL: &str = "not supported: ";

fn render(snippet: &str, variables: &Map<String, Value>) -> Result<String, TextError> {
    let templates = BTreeMap::from([("default".to_owned(), snippet.to_owned())]);
    let template = ChatTemplate::new(&TemplateSources { templates, special_tokens: BTreeMap::new() })?;
    template.render(&ChatInput { now: Some(FROZEN), variables: Some(variables), ..ChatInput::default() })
}

struct Row {
    snippet: String,
    /// What jinja2 printed, or nothing where it failed.
    text: Option<String>,
}

fn rows() -> Vec<Row> {
    let table = String::from_utf8(fixture("jinja/expected.jsonl")).unwrap();
    table
        .lines()
        .map(|line| {
            let row: Vec<Option<String>> = serde_json::from_str(line).unwrap();
            Row { snippet: row[0].clone().unwrap(), text: row[1].clone() }
        })
        .collect()
}

#[test]
fn no_snippet_differs_from_jinja2_and_what_is_refused_is_listed() {
    let variables: Map<String, Value> = serde_json::from_slice(&fixture("jinja/context.json")).unwrap();
    let listed = String::from_utf8(fixture("jinja/refused.txt")).unwrap();
    let (mut different, mut refused) = (Vec::new(), Vec::new());
    let rows = rows();
    assert!(rows.len() > 4000);
    for row in rows {
        match (render(&row.snippet, &variables), row.text) {
            (Ok(found), Some(text)) if found == text => {}
            (Err(_), None) => {}
            (Err(error), Some(_)) if error.to_string().contains(REFUSAL) => {
                refused.push(serde_json::to_string(&row.snippet).unwrap());
            }
            (found, text) => {
                different.push(format!("{:?}\n  here   {found:?}\n  jinja2 {text:?}", row.snippet));
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(refused, listed, "what is refused is not what refused.txt lists:\n{}", refused.join("\n"));
}
