//! The filter `wordwrap`: Python's `textwrap`.

use crate::template::args::{Args, Signature, flag, index_or, string};
use crate::template::chars::is_alnum;
use crate::template::fault::{Outcome, failed};
use crate::template::methods::splitlines;
use crate::template::value::Value;

pub(super) fn wordwrap(value: &Value, args: Args) -> Outcome<Value> {
    let [width, break_long, mark, hyphens] = args.bind(Signature {
        function: "do_wordwrap",
        parameters: ["width", "break_long_words", "wrapstring", "break_on_hyphens"],
        n_needed: 0,
    })?;
    let mark = mark.filter(|v| !matches!(v, Value::None)).unwrap_or_else(|| Value::str("\n"));
    let wrapper = Wrapper {
        width: index_or(width.as_ref(), 79)?,
        break_long: break_long.as_ref().is_none_or(|v| flag(Some(v))),
        hyphens: hyphens.as_ref().is_none_or(|v| flag(Some(v))),
    };
    let text = match value {
        Value::Undefined(message) => return failed(message.to_string()),
        _ => string(value)?,
    };
    let lines: Outcome<Vec<String>> = splitlines(text, false)
        .into_iter()
        .map(|line| Ok(wrapper.wrap(line)?.join(string(&mark)?)))
        .collect();
    Ok(Value::str(lines?.join(string(&mark)?)))
}

struct Wrapper {
    width: i128,
    break_long: bool,
    hyphens: bool,
}

/// The white space of `textwrap`, which is ASCII's alone.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

impl Wrapper {
    /// `TextWrapper._wrap_chunks`.
    fn wrap(&self, line: &str) -> Outcome<Vec<String>> {
        if self.width <= 0 {
            return failed(format!("invalid width {} (must be > 0)", self.width));
        }
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        let chars: Vec<char> = line.chars().collect();
        let mut chunks = self.chunks(&chars)?;
        chunks.reverse();
        let mut lines = Vec::new();
        while let Some(next) = chunks.last() {
            if blank(next) && !lines.is_empty() {
                chunks.pop();
            }
            let mut line: Vec<char> = Vec::new();
            let mut last: Vec<char> = Vec::new();
            while let Some(chunk) = chunks.pop_if(|chunk| line.len() + chunk.len() <= width) {
                line.extend(&chunk);
                last = chunk;
            }
            if let Some(long) = chunks.pop_if(|chunk| chunk.len() > width) {
                let end = self.cut(&long, width - line.len());
                if self.break_long || line.is_empty() {
                    let end = if self.break_long { end } else { long.len() };
                    last = long[..end].to_vec();
                    line.extend(&last);
                    if end < long.len() {
                        chunks.push(long[end..].to_vec());
                    }
                } else {
                    chunks.push(long);
                }
            }
            if blank(&last) {
                line.truncate(line.len() - last.len());
            }
            if !line.is_empty() {
                lines.push(line.into_iter().collect());
            }
        }
        Ok(lines)
    }

    /// How much of a long word goes on a line with `space` left.
    fn cut(&self, word: &[char], space: usize) -> usize {
        let hyphen = word.iter().take(space).rposition_of('-');
        match hyphen {
            Some(at)
                if self.hyphens && word.len() > space && at > 0 && word[..at].iter().any(|c| *c != '-') =>
            {
                at + 1
            }
            _ => space,
        }
    }

    /// White space, words and parts of words between hyphens, by the pattern of `TextWrapper`.
    fn chunks(&self, text: &[char]) -> Outcome<Vec<Vec<char>>> {
        let mut chunks = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = if is_blank(text[at]) {
                text[at..].iter().position(|c| !is_blank(*c)).map_or(text.len(), |n| at + n)
            } else if self.hyphens {
                word_end(text, at)?
            } else {
                text[at..].iter().position(|c| is_blank(*c)).map_or(text.len(), |n| at + n)
            };
            chunks.push(text[at..end].to_vec());
            at = end;
        }
        Ok(chunks)
    }
}

fn blank(chunk: &[char]) -> bool {
    !chunk.is_empty() && chunk.iter().all(|c| crate::template::chars::is_space(*c))
}

/// The last place of a character among some.
trait LastPlace {
    fn rposition_of(self, wanted: char) -> Option<usize>;
}

impl<'a, I: Iterator<Item = &'a char>> LastPlace for I {
    fn rposition_of(self, wanted: char) -> Option<usize> {
        self.enumerate().filter(|(_, c)| **c == wanted).map(|(i, _)| i).last()
    }
}

fn is_word(c: Option<&char>) -> Outcome<bool> {
    c.map_or(Ok(false), |c| Ok(*c == '_' || is_alnum(*c)?))
}

/// A letter: `[^\d\W]`.
fn is_letter(c: Option<&char>) -> Outcome<bool> {
    Ok(is_word(c)? && c.is_some_and(|c| crate::template::chars::decimal(*c).is_none()))
}

/// `[\w!"'&.,?]`.
fn is_punctuated(c: Option<&char>) -> Outcome<bool> {
    Ok(c.is_some_and(|c| matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')) || is_word(c)?)
}

/// The end of a run of two hyphens or more before a word, where one begins.
fn dash_end(text: &[char], at: usize) -> Outcome<Option<usize>> {
    let end = text[at..].iter().position(|c| *c != '-').map_or(text.len(), |n| at + n);
    Ok((end >= at + 2 && is_word(text.get(end))?).then_some(end))
}

fn before(text: &[char], at: usize, n: usize) -> Option<&char> {
    at.checked_sub(n).and_then(|i| text.get(i))
}

fn word_end(text: &[char], start: usize) -> Outcome<usize> {
    if is_punctuated(before(text, start, 1))?
        && let Some(end) = dash_end(text, start)?
    {
        return Ok(end);
    }
    for end in start + 1..text.len() {
        if is_blank(text[end]) {
            return Ok(end);
        }
        if text[end] == '-' {
            let two_letters = is_letter(before(text, end, 2))? && is_letter(before(text, end, 1))?;
            let letter_dash = is_letter(before(text, end, 3))?
                && before(text, end, 2) == Some(&'-')
                && is_punctuated(before(text, end, 1))?;
            let dashed = is_letter(text.get(end + 1))?
                && (is_letter(text.get(end + 2))?
                    || (text.get(end + 2) == Some(&'-') && is_letter(text.get(end + 3))?));
            if (two_letters || letter_dash) && dashed {
                return Ok(end + 1);
            }
        }
        if is_punctuated(before(text, end, 1))? && dash_end(text, end)?.is_some() {
            return Ok(end);
        }
    }
    Ok(text.len())
}
