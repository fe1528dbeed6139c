//! Which lines of a text are prose: not those of fences, indented code, front matter, scripts and comments.

use crate::script::is_arabic_letter;

/// The lines that are no code. The time is linear in the length.
pub(super) fn prose_lines(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut scan = Scan { rest: text, after_break: true, unclosed: Vec::new() };
    if let Some(len) = front_matter_len(text) {
        scan.rest = &text[len..];
    }
    while !scan.rest.is_empty() {
        out.extend(scan.next_line());
    }
    out
}

/// Elements whose text is no prose, by how they open and close.
const ELEMENTS: &[[&str; 2]] =
    &[["<!--", "-->"], ["<script", "</script>"], ["<style", "</style>"], ["<pre", "</pre>"]];

struct Scan<'a> {
    rest: &'a str,
    /// Whether the line before is blank or code, so that indented code may begin.
    after_break: bool,
    /// Elements that nothing closes in the rest of the text.
    unclosed: Vec<&'static str>,
}

impl<'a> Scan<'a> {
    /// Takes a line, or a block of code that begins in it; gives the line where it is prose.
    fn next_line(&mut self) -> Option<&'a str> {
        let (line, rest) = split_line(self.rest);
        if let Some(fence) = Fence::opened_by(line) {
            (self.rest, self.after_break) = (fence.skip(rest), true);
            return None;
        }
        if let Some((before, rest)) = self.split_element() {
            (self.rest, self.after_break) = (rest, false);
            return Some(before);
        }
        self.rest = rest;
        let is_code = (self.after_break && is_indented(line) && looks_like_code(line)) || is_command(line);
        self.after_break = is_code || line.trim().is_empty();
        (!is_code).then_some(line)
    }

    /// What is before an element that opens in the next line, and what is after its end.
    fn split_element(&mut self) -> Option<(&'a str, &'a str)> {
        let (line, _) = split_line(self.rest);
        for [open, close] in ELEMENTS {
            let Some(at) = line.find(open) else { continue };
            if self.unclosed.contains(open) {
                continue;
            }
            match self.rest[at..].find(close) {
                Some(end) => return Some((&line[..at], &self.rest[at + end + close.len()..])),
                None => self.unclosed.push(open),
            }
        }
        None
    }
}

/// The next line without its ending, and the text after it.
fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The marks that open a block of code.
struct Fence {
    mark: char,
    n_marks: usize,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        // In quotes and lists too.
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '>' | '-' | '*' | '+'));
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let n_marks = line.len() - info.len();
        (n_marks >= 3 && !info.contains(mark)).then_some(Self { mark, n_marks })
    }

    /// The text after the line that closes the block; a block that nothing closes goes to the end.
    fn skip<'a>(&self, mut rest: &'a str) -> &'a str {
        while !rest.is_empty() {
            let (line, after) = split_line(rest);
            let marks = line.trim_matches(|c: char| c.is_whitespace() || c == '>');
            rest = after;
            if marks.len() >= self.n_marks && marks.chars().all(|c| c == self.mark) {
                break;
            }
        }
        rest
    }
}

fn front_matter_len(text: &str) -> Option<usize> {
    let body = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let end = body.find("\n---")?;
    Some(text.len() - body.len() + end + "\n---".len())
}

fn is_indented(line: &str) -> bool {
    line.starts_with("    ") || line.starts_with('\t')
}

/// A prompt of a shell with a command.
fn is_command(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("$ ")
        .is_some_and(|command| command.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Whether an indented line reads as code: paragraphs are indented too.
fn looks_like_code(line: &str) -> bool {
    let line = line.trim();
    let has_sign = line.contains(['{', '}', '=', '<', '>', ';', '$', '|', '\\', '_', '#', '/'])
        || line.contains("()")
        || line.contains("--");
    let is_sentence =
        line.ends_with(['.', '!', '?', ':', ',']) || line.split_whitespace().count() > MAX_COMMAND_WORDS;
    !line.chars().any(is_arabic_letter) && (has_sign || !is_sentence)
}

/// More words without a sign of code are a sentence.
const MAX_COMMAND_WORDS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<&str> {
        prose_lines(text).into_iter().filter(|line| !line.trim().is_empty()).collect()
    }

    #[test]
    fn fences_in_any_place_and_without_an_end_are_no_prose() {
        assert_eq!(shown("a\n```sh\nb\n```\nc"), ["a", "c"]);
        assert_eq!(shown("a\n~~~~\nb\n~~~\n~~~~~\nc"), ["a", "c"]);
        assert_eq!(shown("- a\n  ```\n  b\n  ```\n> ```\n> c\n> ```\nd"), ["- a", "d"]);
        assert_eq!(shown("a\n```\nb"), ["a"]);
        assert_eq!(shown("```a``` b"), ["```a``` b"]);
    }

    #[test]
    fn indented_code_is_no_prose_and_indented_paragraphs_are() {
        assert_eq!(shown("a\n\n    cd project\n    make x=1\n\nb"), ["a", "b"]);
        assert_eq!(shown("a\n    b"), ["a", "    b"]);
        for line in ["\tهذه فقرة", "    She came home late.", "\tand then all of us went to town"] {
            assert_eq!(shown(&format!("a\n\n{line}")), ["a", line]);
        }
    }

    #[test]
    fn front_matter_scripts_comments_and_commands_are_no_prose() {
        assert_eq!(shown("---\ntitle: x\n---\na"), ["a"]);
        assert_eq!(shown("a <!-- b\nc --> d\n<pre>\ne\n</pre>\nf <script>g"), ["a ", " d", "f <script>g"]);
        assert_eq!(shown("a\n$ npm install\nb costs $ 5"), ["a", "b costs $ 5"]);
    }

    #[test]
    fn texts_of_openings_alone_are_read_in_linear_time() {
        for shape in ["<pre>\n", "```\n", "~~~x\n", "<!--\n", "    a\n", "\n", "---\n"] {
            prose_lines(&shape.repeat(1_000_000 / shape.len()));
        }
    }
}
