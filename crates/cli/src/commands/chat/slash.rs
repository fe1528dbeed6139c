//! The commands inside a conversation.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::repl::{Next, Repl};
use super::transcript::Transcript;
use crate::commands::usage;
use crate::terminal::{isolate, notice};

const HELP: &str = "\
/system TEXT   tell the model how to behave; without TEXT, tell it nothing
/reset         begin a new conversation
/save FILE     write the conversation to a JSON file
/load FILE     go on with a saved conversation, or with the messages and tools of a request to the OpenAI API
/stats         show what the last reply cost
/quit          end
A line that ends in a backslash goes on in the next; between two \"\"\" a message may have several lines.
Ctrl-C ends a reply and keeps what was said.";

impl Repl<'_> {
    /// Runs a command; the conversation stays as it was where it fails.
    pub(super) fn command(&mut self, command: &str) -> Result<Next> {
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "/system" => self.set_system(rest),
            "/reset" => {
                self.chat.set_messages(Vec::new());
                self.n_dropped = 0;
                self.say("a new conversation");
            }
            "/save" => self.save(rest)?,
            "/load" => self.load(rest)?,
            "/stats" => notice(&self.stats()),
            "/help" => notice(HELP),
            "/quit" | "/exit" => return Ok(Next::Quit),
            _ => bail!("there is no command {name}; /help lists them"),
        }
        Ok(Next::Turn)
    }

    fn set_system(&mut self, text: &str) {
        self.chat.options_mut().system = Some(text.to_owned()).filter(|text| !text.is_empty());
        match text {
            "" => self.say("the model is told nothing"),
            text => self.say(&format!("the model is told: {}", isolate(text))),
        }
    }

    fn save(&self, file: &str) -> Result<()> {
        ensure!(!file.is_empty(), "/save needs the name of a file, for example /save talk.json");
        let (options, messages) = (self.chat.options(), self.chat.messages().to_vec());
        let transcript =
            Transcript { system: options.system.clone(), messages, tools: options.tools.clone() };
        transcript.save(Path::new(file))?;
        let n_messages = self.chat.messages().len();
        let are = if n_messages == 1 { "is" } else { "are" };
        self.say(&format!("{} {are} in {}", counted(n_messages, "message"), isolate(file)));
        Ok(())
    }

    fn load(&mut self, file: &str) -> Result<()> {
        ensure!(!file.is_empty(), "/load needs the name of a file, for example /load talk.json");
        let Transcript { system, messages, tools } = Transcript::load(Path::new(file))?;
        let (n_messages, n_tools) = (messages.len(), tools.len());
        self.chat.options_mut().system = system;
        self.chat.options_mut().tools = tools;
        self.chat.set_messages(messages);
        self.n_dropped = 0;
        let and_tools =
            if n_tools == 0 { String::new() } else { format!(" and {}", counted(n_tools, "tool")) };
        self.say(&format!("{}{and_tools} from {}", counted(n_messages, "message"), isolate(file)));
        Ok(())
    }

    fn stats(&self) -> String {
        let session = self.chat.session();
        let held = format!("{} of {} tokens of context are held", session.ids().len(), session.context());
        let dropped = match self.chat.n_dropped() {
            0 => String::new(),
            1 => "; the oldest message no longer fits".to_owned(),
            n => format!("; the oldest {n} messages no longer fit"),
        };
        match &self.last {
            Some(last) => format!("{}; {held}{dropped}", usage::words(&last.usage, &last.timings)),
            None => format!("there was no reply yet; {held}{dropped}"),
        }
    }

    fn say(&self, text: &str) {
        if !self.app.quiet {
            notice(text);
        }
    }
}

/// `1 message`, `2 messages`
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
