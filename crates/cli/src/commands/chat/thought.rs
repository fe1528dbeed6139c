//! How a reply is shown while it comes: its thought dim, where a terminal shows it, and the answer as it is.

use anyhow::Result;
use hala_engine::{Generated, Piece};

use crate::output;
use crate::terminal::{DIM, paint, stdout_is_terminal};

/// What of a reply is on the screen.
#[derive(Debug)]
pub(super) struct Shown {
    /// Where the thought is, whose reader is a person; others want the answer alone.
    thought: Option<Thought>,
    /// Bytes of the answer.
    n_answer: usize,
}

/// A thought on the screen. White space at its end waits for what follows.
#[derive(Debug, Default)]
struct Thought {
    has_words: bool,
    white: String,
}

/// A part of what is printed.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Thought(String),
    Plain(String),
}

impl Part {
    fn print(&self) -> Result<()> {
        match self {
            Self::Thought(text) => output::print_styled(&paint(DIM, text).to_string()),
            Self::Plain(text) => output::print(text),
        }
    }
}

impl Shown {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::to(stdout_is_terminal())
    }

    fn to(is_terminal: bool) -> Self {
        Self { thought: is_terminal.then(Thought::default), n_answer: 0 }
    }

    /// Prints what a token adds.
    ///
    /// # Errors
    /// Standard output is gone.
    pub(super) fn add(&mut self, piece: &Piece) -> Result<()> {
        self.of(&piece.reasoning, &piece.text).iter().try_for_each(Part::print)
    }

    /// Prints what is left of a reply, and the end of its line.
    ///
    /// # Errors
    /// Standard output is gone.
    pub(super) fn end(&mut self, generated: &Generated) -> Result<()> {
        let rest = generated.text.get(self.n_answer..).unwrap_or_default();
        self.of("", rest).iter().try_for_each(Part::print)?;
        if generated.text.ends_with('\n') { Ok(()) } else { output::print("\n") }
    }

    fn of(&mut self, thought: &str, answer: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        if let Some(shown) = &mut self.thought {
            parts.extend(shown.add(thought).map(Part::Thought));
            if self.n_answer == 0 && !answer.is_empty() && shown.has_words {
                parts.push(Part::Plain("\n\n".to_owned()));
            }
        }
        if !answer.is_empty() {
            parts.push(Part::Plain(answer.to_owned()));
        }
        self.n_answer += answer.len();
        parts
    }
}

impl Thought {
    fn add(&mut self, text: &str) -> Option<String> {
        let text = if self.has_words { text } else { text.trim_start() };
        let words = text.trim_end();
        if words.is_empty() {
            self.white.push_str(text);
            return None;
        }
        self.has_words = true;
        let before = std::mem::replace(&mut self.white, text[words.len()..].to_owned());
        Some(before + words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(is_terminal: bool, pieces: &[(&str, &str)]) -> Vec<Part> {
        let mut shown = Shown::to(is_terminal);
        pieces.iter().flat_map(|(thought, answer)| shown.of(thought, answer)).collect()
    }

    fn thought(text: &str) -> Part {
        Part::Thought(text.to_owned())
    }

    fn plain(text: &str) -> Part {
        Part::Plain(text.to_owned())
    }

    const PIECES: [(&str, &str); 6] =
        [("\n", ""), ("hm ", ""), ("\n", ""), ("ok\n", ""), ("", "Yes"), ("", ".")];

    #[test]
    fn a_thought_is_dim_and_an_empty_line_before_the_answer() {
        let expected = [thought("hm"), thought(" \nok"), plain("\n\n"), plain("Yes"), plain(".")];
        assert_eq!(shown(true, &PIECES), expected);
        assert_eq!(shown(true, &[("a", "b")]), [thought("a"), plain("\n\n"), plain("b")]);
    }

    #[test]
    fn where_no_person_looks_the_answer_is_all() {
        assert_eq!(shown(false, &PIECES), [plain("Yes"), plain(".")]);
    }

    #[test]
    fn without_a_thought_nothing_is_added() {
        assert_eq!(shown(true, &[("", "a"), ("", "b")]), [plain("a"), plain("b")]);
    }
}
