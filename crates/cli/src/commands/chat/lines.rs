//! Turns of a person or a script: typed in an editor with a history, or read from standard input.

use anyhow::{Context, Result};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::input::Input;
use crate::terminal;

const PROMPT: &str = "> ";
/// Before each further line of a turn.
const MORE: &str = ". ";
/// Begins and ends a turn of several lines.
const FENCE: &str = "\"\"\"";

/// Where lines come from.
pub(super) enum Lines {
    /// An editor; its history is kept in memory alone. (Boxed because an editor is large.)
    Typed(Box<DefaultEditor>),
    /// Anything but a terminal.
    Piped(Input),
}

/// What a person or a script says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A message or a command, without what joined its lines.
    Text(String),
    /// Nothing more: the end of the input, or Ctrl-C at the prompt.
    End,
}

impl Lines {
    /// An editor where a person sits at both ends, else standard input.
    pub(super) fn open() -> Result<Self> {
        if terminal::stdin_is_terminal() && terminal::stdout_is_terminal() {
            let editor = DefaultEditor::new().context("cannot use the terminal")?;
            return Ok(Self::Typed(Box::new(editor)));
        }
        Ok(Self::Piped(Input::stdin()))
    }

    /// Whether a person types them.
    pub(super) fn are_typed(&self) -> bool {
        matches!(self, Self::Typed(_))
    }

    /// The next turn, of one line or of several.
    ///
    /// # Errors
    /// Input that cannot be read or is not UTF-8.
    pub(super) fn next_turn(&mut self) -> Result<Turn> {
        let turn = assemble(|prompt| self.next_line(prompt))?;
        if let (Self::Typed(editor), Some(text)) = (self, &turn) {
            // A history that is full or refuses duplicates is no error.
            let _ = editor.add_history_entry(text.as_str());
        }
        Ok(turn.map_or(Turn::End, Turn::Text))
    }

    fn next_line(&mut self, prompt: &str) -> Result<Option<String>> {
        match self {
            Self::Piped(input) => Ok(input.next_line()?.map(|line| line.text)),
            Self::Typed(editor) => loop {
                match editor.readline(prompt) {
                    Ok(line) => return Ok(Some(line)),
                    Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(None),
                    Err(ReadlineError::Signal(_)) => {}
                    Err(error) => return Err(error).context("cannot read from the terminal"),
                }
            },
        }
    }
}

/// Joins lines that belong together: a line that ends in a backslash goes on in the next, and everything between
/// two `"""` is one turn. What the end of the input cuts off is dropped, as it was not finished.
fn assemble(mut next: impl FnMut(&str) -> Result<Option<String>>) -> Result<Option<String>> {
    let Some(mut turn) = next(PROMPT)? else { return Ok(None) };
    if let Some(first) = turn.trim_start().strip_prefix(FENCE) {
        let mut block = first.to_owned();
        while !block.trim_end().ends_with(FENCE) {
            let Some(line) = next(MORE)? else { return Ok(None) };
            block.push('\n');
            block.push_str(&line);
        }
        let text = block.trim_end().strip_suffix(FENCE).unwrap_or_default();
        return Ok(Some(text.trim_matches('\n').to_owned()));
    }
    while turn.ends_with('\\') {
        turn.pop();
        let Some(line) = next(MORE)? else { return Ok(None) };
        turn.push('\n');
        turn.push_str(&line);
    }
    Ok(Some(turn))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(text: &str) -> Vec<String> {
        let mut lines = text.lines();
        std::iter::from_fn(|| assemble(|_| Ok(lines.next().map(str::to_owned))).unwrap()).collect()
    }

    #[test]
    fn a_line_is_a_turn() {
        assert_eq!(turns("hello\n\nصباح الخير"), ["hello", "", "صباح الخير"]);
    }

    #[test]
    fn a_backslash_joins_the_next_line() {
        assert_eq!(turns("one\\\ntwo\\\nthree\nfour"), ["one\ntwo\nthree", "four"]);
    }

    #[test]
    fn fences_hold_several_lines() {
        assert_eq!(turns("\"\"\"\na\n\nb\\\n\"\"\"\nc"), ["a\n\nb\\", "c"]);
        assert_eq!(turns("\"\"\"a\nb\"\"\""), ["a\nb"]);
        assert_eq!(turns("\"\"\"a\"\"\""), ["a"]);
    }

    #[test]
    fn what_the_end_cuts_off_is_no_turn() {
        assert!(turns("one\\").is_empty());
        assert!(turns("\"\"\"one\ntwo").is_empty());
    }
}
