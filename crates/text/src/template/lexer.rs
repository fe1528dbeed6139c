//! A template's source as tokens, by the rules of Jinja2's lexer with `trim_blocks` and `lstrip_blocks`.

use crate::template::chars::is_space;
use crate::template::fault::{Fault, Outcome, failed, refused};
use crate::template::literal;
use crate::template::token::{Placed, Token};

/// A fault of the source and its line.
pub(crate) type Located<T> = Result<T, (Fault, u32)>;

/// Operators; of two that begin alike, the longer is first.
const SIGNS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";",
];

/// The most tokens of one tag: its tree is no deeper, and must fit any stack.
const MAX_TAG: usize = 2000;

/// Cuts a template into tokens; the last one is [`Token::End`].
pub(crate) fn tokens(source: &str) -> Located<Vec<Placed>> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.strip_suffix('\n').unwrap_or(&source);
    let mut lexer = Lexer { rest: source, line: 1, at_line_start: true, open: Vec::new(), out: Vec::new() };
    match lexer.run() {
        Ok(()) => Ok(lexer.out),
        Err(fault) => Err((fault, lexer.line)),
    }
}

struct Lexer<'s> {
    rest: &'s str,
    line: u32,
    /// Whether what was read last ended a line.
    at_line_start: bool,
    /// The brackets that are to be closed.
    open: Vec<char>,
    out: Vec<Placed>,
}

/// What opens at a place of the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Variable,
    Block,
    Comment,
    /// The whole tag `{% raw %}`, of so many bytes.
    Raw(usize),
}

impl<'s> Lexer<'s> {
    fn run(&mut self) -> Outcome<()> {
        while let Some((at, opening)) = next_opening(self.rest) {
            let (text, tag) = self.rest.split_at(at);
            let sign = tag[2..].chars().next().filter(|c| matches!(c, '-' | '+'));
            self.data(strip_left(text, sign, opening == Opening::Variable, self.at_line_start), text);
            let head = match opening {
                Opening::Raw(len) => len,
                _ => 2 + sign.map_or(0, char::len_utf8),
            };
            self.advance(at + head);
            match opening {
                Opening::Comment => self.comment()?,
                Opening::Raw(_) => self.raw()?,
                Opening::Block => self.tag(Token::BlockBegin)?,
                Opening::Variable => self.tag(Token::VariableBegin)?,
            }
        }
        let rest = self.rest;
        self.data(rest, rest);
        self.advance(rest.len());
        self.push(Token::End);
        Ok(())
    }

    fn push(&mut self, token: Token) {
        self.out.push(Placed { token, line: self.line });
    }

    /// A piece of text, of which `kept` is left.
    fn data(&mut self, kept: &str, whole: &str) {
        if !whole.is_empty() && !kept.is_empty() {
            self.push(Token::Data(kept.to_owned()));
        }
    }

    fn advance(&mut self, n_bytes: usize) {
        let (read, rest) = self.rest.split_at(n_bytes);
        self.line += u32::try_from(read.matches('\n').count()).unwrap_or(0);
        if !read.is_empty() {
            self.at_line_start = read.ends_with('\n');
        }
        self.rest = rest;
    }

    fn comment(&mut self) -> Outcome<()> {
        let Some(end) = self.rest.find("#}") else { return failed("Missing end of comment tag") };
        let signed = self.rest[..end].ends_with(['-', '+']);
        let from = end - usize::from(signed);
        self.advance(from + closing(&self.rest[from..], "#}", signed));
        Ok(())
    }

    fn raw(&mut self) -> Outcome<()> {
        let mut from = 0;
        while let Some(found) = self.rest[from..].find("{%") {
            let at = from + found;
            let tag = &self.rest[at + 2..];
            let sign = tag.chars().next().filter(|c| matches!(c, '-' | '+'));
            let inside = tag[sign.map_or(0, char::len_utf8)..].trim_start_matches(is_space);
            if let Some(after) = inside.strip_prefix("endraw").map(|t| t.trim_start_matches(is_space)) {
                let minus = after.starts_with(['-', '+']);
                if after[usize::from(minus)..].starts_with("%}") {
                    let text = &self.rest[..at];
                    self.data(strip_left(text, sign, false, self.at_line_start), text);
                    let skipped = self.rest.len() - after.len();
                    self.advance(skipped + closing(after, "%}", minus));
                    return Ok(());
                }
            }
            from = at + 1;
        }
        failed("Missing end of raw directive")
    }

    /// The inside of a tag, with its marks.
    fn tag(&mut self, begin: Token) -> Outcome<()> {
        let end = if begin == Token::BlockBegin { Token::BlockEnd } else { Token::VariableEnd };
        self.push(begin);
        let n_before = self.out.len();
        loop {
            if self.out.len() - n_before > MAX_TAG {
                return refused(format!("a tag of more than {MAX_TAG} parts"));
            }
            if self.open.is_empty() {
                let n = match end {
                    Token::BlockEnd => block_end(self.rest),
                    _ => variable_end(self.rest),
                };
                if n > 0 {
                    self.push(end);
                    self.advance(n);
                    return Ok(());
                }
            }
            if self.rest.is_empty() {
                // The parser tells what it waits for.
                return Ok(());
            }
            self.inner_token()?;
        }
    }

    fn inner_token(&mut self) -> Outcome<()> {
        let spaces = self.rest.len() - self.rest.trim_start_matches(is_space).len();
        if spaces > 0 {
            self.advance(spaces);
            return Ok(());
        }
        let c = self.rest.chars().next().unwrap_or_default();
        let (token, n) = if c.is_ascii_digit() {
            literal::number(
                self.rest,
                matches!(self.out.last(), Some(Placed { token: Token::Sign("."), .. })),
            )?
        } else if c == '_' || c.is_alphanumeric() || (!c.is_ascii() && !is_space(c)) {
            self.name()?
        } else if c == '"' || c == '\'' {
            let Some(n) = literal::string_len(self.rest) else {
                return failed(format!("unexpected char {c:?}"));
            };
            (Token::Text(literal::unescaped(&self.rest[1..n - 1])?), n)
        } else {
            match SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return failed(format!("unexpected char {c:?}")),
            }
        };
        if let Token::Sign(sign) = token {
            self.balance(sign)?;
        }
        self.push(token);
        self.advance(n);
        Ok(())
    }

    fn name(&self) -> Outcome<(Token, usize)> {
        let end = self.rest.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        if !name.is_ascii() || name.is_empty() {
            // Python compares such names after normalising them.
            return refused(format!(
                "names with letters beyond ASCII, as at {:?}",
                self.rest.chars().take(12).collect::<String>()
            ));
        }
        Ok((Token::Name(name.to_owned()), end))
    }

    fn balance(&mut self, sign: &str) -> Outcome<()> {
        match sign {
            "(" => self.open.push(')'),
            "[" => self.open.push(']'),
            "{" => self.open.push('}'),
            ")" | "]" | "}" => match self.open.pop() {
                None => return failed(format!("unexpected '{sign}'")),
                Some(due) if !sign.starts_with(due) => {
                    return failed(format!("unexpected '{sign}', expected '{due}'"));
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// The next place where a tag or comment opens.
fn next_opening(text: &str) -> Option<(usize, Opening)> {
    let mut from = 0;
    while let Some(found) = text[from..].find('{') {
        let at = from + found;
        match text.as_bytes().get(at + 1) {
            Some(b'%') => return Some((at, raw_tag(&text[at..]).map_or(Opening::Block, Opening::Raw))),
            Some(b'{') => return Some((at, Opening::Variable)),
            Some(b'#') => return Some((at, Opening::Comment)),
            _ => from = at + 1,
        }
    }
    None
}

/// The length of `{% raw %}` where the text begins with it.
fn raw_tag(text: &str) -> Option<usize> {
    let inside = text[2..].strip_prefix(['-', '+']).unwrap_or(&text[2..]);
    let after = inside.trim_start_matches(is_space).strip_prefix("raw")?.trim_start_matches(is_space);
    let rest = match after.strip_prefix("-%}") {
        Some(rest) => rest.trim_start_matches(is_space),
        None => after.strip_prefix("%}")?,
    };
    Some(text.len() - rest.len())
}

/// The text before a tag, without what the tag takes of it.
fn strip_left(text: &str, sign: Option<char>, is_variable: bool, at_line_start: bool) -> &str {
    match sign {
        Some('-') => text.trim_end_matches(is_space),
        Some(_) => text,
        None if is_variable => text,
        None => {
            let line = text.rfind('\n').map_or(0, |i| i + 1);
            let blank = line < text.len() && text[line..].chars().all(is_space);
            if (line > 0 || at_line_start) && blank { &text[..line] } else { text }
        }
    }
}

/// The length of a closing mark with its sign, where `signed` says that one may stand first, and of what it takes.
fn closing(text: &str, mark: &str, signed: bool) -> usize {
    let first = text.chars().next().filter(|_| signed);
    match first {
        Some('+') if text[1..].starts_with(mark) => 1 + mark.len(),
        Some('-') if text[1..].starts_with(mark) => {
            let rest = &text[1 + mark.len()..];
            text.len() - rest.trim_start_matches(is_space).len()
        }
        _ => {
            let start = text.find(mark).unwrap_or(0) + mark.len();
            start + usize::from(text[start..].starts_with('\n'))
        }
    }
}

fn block_end(text: &str) -> usize {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.starts_with("%}") { closing(text, "%}", unsigned.len() < text.len()) } else { 0 }
}

fn variable_end(text: &str) -> usize {
    match text.strip_prefix("-}}") {
        Some(rest) => text.len() - rest.trim_start_matches(is_space).len(),
        None if text.starts_with("}}") => 2,
        None => 0,
    }
}
