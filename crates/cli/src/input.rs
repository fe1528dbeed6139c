//! Text that comes in: arguments, files and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use anyhow::{Context, Result, anyhow};

use crate::terminal;

/// The word that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// Bytes with a name for messages.
pub(crate) struct Input {
    name: String,
    reader: Box<dyn BufRead + Send>,
    /// Bytes of the lines read so far.
    n_read: usize,
}

/// One line and the characters that end it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line.
    pub(crate) text: String,
    /// `\n`, `\r\n`, or nothing at the end of a file.
    pub(crate) ending: &'static str,
}

impl Input {
    /// Standard input; tells a person at a keyboard that it is waiting.
    pub(crate) fn stdin() -> Self {
        if terminal::stdin_is_terminal() {
            terminal::notice("reading from the keyboard; Ctrl-D on a line of its own ends the text");
        }
        let reader = Box::new(BufReader::new(io::stdin()));
        Self { name: "standard input".to_owned(), reader, n_read: 0 }
    }

    /// A text that is there already.
    pub(crate) fn text(text: String) -> Self {
        Self { name: "the text".to_owned(), reader: Box::new(io::Cursor::new(text)), n_read: 0 }
    }

    /// A file.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let reader = Box::new(BufReader::new(file));
        Ok(Self { name: format!("`{}`", path.display()), reader, n_read: 0 })
    }

    /// Its name, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All of it, without a byte order mark.
    ///
    /// # Errors
    /// It cannot be read, or is not UTF-8.
    pub(crate) fn read_all(mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", self.name))?;
        let text = self.utf8(bytes)?;
        Ok(without_mark(text))
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// It cannot be read, or is not UTF-8.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>> {
        let mut bytes = Vec::new();
        let n = self.reader.read_until(b'\n', &mut bytes);
        let n = n.with_context(|| format!("cannot read {}", self.name))?;
        if n == 0 {
            return Ok(None);
        }
        let is_first = self.n_read == 0;
        let mut text = self.utf8(bytes)?;
        self.n_read += n;
        if is_first {
            text = without_mark(text);
        }
        let ending = ["\r\n", "\n"].into_iter().find(|ending| text.ends_with(ending)).unwrap_or("");
        text.truncate(text.len() - ending.len());
        Ok(Some(Line { text, ending }))
    }

    /// Its lines, read ahead in a thread of their own: a few of them, so that a long file is not all in memory. What comes after a line
    /// that cannot be read is not there.
    pub(crate) fn in_background(mut self) -> Receiver<Result<Line>> {
        const AHEAD: usize = 256;
        let (lines, read) = mpsc::sync_channel(AHEAD);
        std::thread::spawn(move || {
            while let Some(line) = self.next_line().transpose() {
                let is_last = line.is_err();
                // Whoever read them may have gone.
                if lines.send(line).is_err() || is_last {
                    break;
                }
            }
        });
        read
    }

    fn utf8(&self, bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let (byte, offset) = (error.as_bytes()[at], self.n_read + at);
            let name = &self.name;
            anyhow!(
                "{name} is not valid UTF-8: byte {offset} is 0x{byte:02X}; convert the text, for example with iconv"
            )
        })
    }
}

fn without_mark(text: String) -> String {
    match text.strip_prefix('\u{FEFF}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(bytes: &'static [u8]) -> Input {
        Input { name: "the test".to_owned(), reader: Box::new(bytes), n_read: 0 }
    }

    fn lines(bytes: &'static [u8]) -> Vec<(String, &'static str)> {
        let mut input = input(bytes);
        std::iter::from_fn(|| input.next_line().unwrap()).map(|line| (line.text, line.ending)).collect()
    }

    #[test]
    fn lines_keep_their_endings() {
        assert_eq!(
            lines(b"a\r\n\nb"),
            [("a".to_owned(), "\r\n"), (String::new(), "\n"), ("b".to_owned(), "")]
        );
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(input("\u{FEFF}a\u{FEFF}".as_bytes()).read_all().unwrap(), "a\u{FEFF}");
        assert_eq!(lines("\u{FEFF}a\n".as_bytes())[0].0, "a");
    }

    #[test]
    fn the_first_bad_byte_is_named_by_its_place() {
        let error = input(b"ab\xFFc").read_all().unwrap_err().to_string();
        assert!(error.contains("byte 2 is 0xFF"), "{error}");
        let mut input = input(b"ab\ncd\xC3\n");
        input.next_line().unwrap();
        let error = input.next_line().unwrap_err().to_string();
        assert!(error.contains("byte 5 is 0xC3"), "{error}");
    }
}
