//! Conversations in files: `{"system": …, "messages": [{"role": …, "content": …}]}`.

use std::path::Path;

use anyhow::{Context, Result};
use hala_text::{Message, Role};
use serde::{Deserialize, Serialize};

use crate::input::Input;
use crate::new_file::NewFile;

/// A saved conversation.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Transcript {
    /// What the model is told before the first message.
    #[serde(default)]
    pub(super) system: Option<String>,
    /// The messages, oldest first.
    pub(super) messages: Vec<Message>,
}

/// Either form that is read: an object, or a list of messages as other programs write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyForm {
    Whole(Transcript),
    List(Vec<Message>),
}

/// Writes a conversation.
///
/// # Errors
/// The file cannot be written; it is then as it was.
pub(super) fn save(path: &Path, system: Option<&str>, messages: &[Message]) -> Result<()> {
    #[derive(Serialize)]
    struct Written<'a> {
        system: Option<&'a str>,
        messages: &'a [Message],
    }
    let text = serde_json::to_string_pretty(&Written { system, messages })?;
    let mut file = NewFile::create(path)?;
    file.write(text.as_bytes())?;
    file.write(b"\n")?;
    file.commit()
}

/// Reads a conversation; a system message at the start of the list counts as the system text.
///
/// # Errors
/// The file cannot be read, or holds no conversation.
pub(super) fn load(path: &Path) -> Result<Transcript> {
    let text = Input::file(path)?.read_all()?;
    parse(&text).with_context(|| {
        let form = r#"{"system": "…", "messages": [{"role": "user", "content": "…"}, …]}"#;
        format!("`{}` holds no conversation; one looks like {form}", path.display())
    })
}

fn parse(text: &str) -> Result<Transcript> {
    let mut transcript = match serde_json::from_str(text)? {
        AnyForm::Whole(transcript) => transcript,
        AnyForm::List(messages) => Transcript { system: None, messages },
    };
    if transcript.messages.first().is_some_and(|m| m.role == Role::System) {
        let first = transcript.messages.remove(0);
        transcript.system.get_or_insert(first.content);
    }
    Ok(transcript)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.json");
        let messages = vec![Message::user("صباح الخير"), Message::assistant("Good\nmorning")];
        save(&path, Some("be kind"), &messages).unwrap();
        assert_eq!(load(&path).unwrap(), Transcript { system: Some("be kind".to_owned()), messages });
    }

    #[test]
    fn a_bare_list_is_read_and_its_system_message_taken_out() {
        let text = r#"[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]"#;
        let found = parse(text).unwrap();
        assert_eq!((found.system.as_deref(), found.messages), (Some("s"), vec![Message::user("u")]));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "3", "{}", r#"{"messages": 3}"#] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
