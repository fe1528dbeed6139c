//! Tokens of a line, without spans of code, tags, placeholders, formulas and targets of links.

use crate::script::is_blank;

/// What lies between white space, quotes and brackets, but for spans that are no prose.
pub(super) fn tokens(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(is_blank);
            let first = rest.chars().next()?;
            if let Some(len) = span_len(rest, first) {
                rest = &rest[len..];
                continue;
            }
            let len = rest.find(ends_token).filter(|len| *len > 0).unwrap_or(if ends_token(first) {
                first.len_utf8()
            } else {
                rest.len()
            });
            let (token, after) = rest.split_at(len);
            rest = after;
            return Some(token);
        }
    })
}

fn ends_token(c: char) -> bool {
    is_blank(c)
        || matches!(
            c,
            '`' | '<' | '>' | '"' | '«' | '»' | '“' | '”' | '[' | ']' | '{' | '}' | '،' | '؛' | '؟'
        )
}

/// The length in bytes of the span that `rest` begins with; `None` where it begins with none.
fn span_len(rest: &str, first: char) -> Option<usize> {
    match first {
        '`' => code_len(rest),
        '<' => tag_len(rest),
        '{' => placeholder_len(rest),
        '$' => placeholder_len(&rest[1..]).map(|len| len + 1).or_else(|| formula_len(rest)),
        '%' => format_len(rest),
        '&' => entity_len(rest),
        ']' => link_target_len(rest),
        _ => None,
    }
}

/// Spans end within so many characters, or are none: looking further would make long lines slow.
const MAX_SPAN_CHARS: usize = 1000;

/// The offset of the first character of `text` for which `test` holds, not too far away.
fn find_near(text: &str, max_chars: usize, mut test: impl FnMut(char) -> bool) -> Option<usize> {
    text.char_indices().take(max_chars).find(|(_, c)| test(*c)).map(|(at, _)| at)
}

/// `` `code` `` and ``` ``code`` ```; the opening of a fence takes its line.
fn code_len(rest: &str) -> Option<usize> {
    let n_marks = rest.len() - rest.trim_start_matches('`').len();
    let mut at = n_marks;
    while let Some(next) = find_near(&rest[at..], MAX_SPAN_CHARS, |c| c == '`') {
        let start = at + next;
        let n = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        at = start + n;
        if n == n_marks {
            return Some(at);
        }
        if at > n_marks + 4 * MAX_SPAN_CHARS {
            break;
        }
    }
    (n_marks >= 3).then_some(rest.len())
}

/// Elements whose text is code.
const CODE_ELEMENTS: &[&str] = &["code", "kbd", "samp", "tt", "var"];

/// `<b>`, `</b>`, `<!-- … -->`, `<https://…>`, and `<code>…</code>` with what is in it.
fn tag_len(rest: &str) -> Option<usize> {
    let name = rest[1..].trim_start_matches('/');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return None;
    }
    let end = 1 + find_near(&rest[1..], MAX_SPAN_CHARS, |c| matches!(c, '<' | '>'))?;
    let len = rest[end..].starts_with('>').then_some(end + 1)?;
    let name =
        name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())].to_ascii_lowercase();
    if rest[1..].starts_with('/') || !CODE_ELEMENTS.contains(&name.as_str()) {
        return Some(len);
    }
    let close = format!("</{name}>");
    let text_end = find_near(&rest[len..], MAX_SPAN_CHARS, |c| c == '<').map(|at| len + at);
    let closes =
        |at: &usize| rest[*at..].get(..close.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(&close));
    Some(text_end.filter(closes).map_or(len, |at| at + close.len()))
}

/// Longer braces hold text.
const MAX_PLACEHOLDER_CHARS: usize = 48;

/// `{name}`, `{{ name }}`, `{% if %}`-like braces of one word, and behind a `$` a variable: `${NAME}`, `$HOME`.
fn placeholder_len(rest: &str) -> Option<usize> {
    if !rest.starts_with('{') {
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        return (len > 1 && rest[..len].chars().all(|c| !c.is_ascii_lowercase())).then_some(len);
    }
    let end = find_near(rest, MAX_PLACEHOLDER_CHARS, |c| c == '}')?;
    let word = rest[..end].trim_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '%'));
    let closers = rest[end..].len() - rest[end..].trim_start_matches('}').len();
    (!word.contains(char::is_whitespace)).then_some(end + closers)
}

/// `$x^2$`, as Pandoc tells it from sums of money.
fn formula_len(rest: &str) -> Option<usize> {
    let body = rest[1..].trim_start_matches('$');
    let n_marks = rest.len() - body.len();
    if body.starts_with(char::is_whitespace) && n_marks == 1 {
        return None;
    }
    let end = n_marks + find_near(body, MAX_SPAN_CHARS, |c| c == '$')?;
    let after = rest[end..].trim_start_matches('$');
    let is_sum = rest[..end].ends_with(char::is_whitespace) || after.starts_with(|c: char| c.is_numeric());
    (n_marks > 1 || !is_sum).then_some(rest.len() - after.len())
}

/// `%s`, `%1$d`, `%(name)s`, `%@`.
fn format_len(rest: &str) -> Option<usize> {
    let body = rest[1..].trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | '.' | '-'));
    let body = match body.strip_prefix('(') {
        Some(named) => &named[find_near(named, MAX_PLACEHOLDER_CHARS, |c| c == ')')? + 1..],
        None => body,
    };
    let after = body.strip_prefix(|c: char| c.is_ascii_alphabetic() || c == '@')?;
    (!after.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(rest.len() - after.len())
}

/// `&amp;`, `&#x20;`.
fn entity_len(rest: &str) -> Option<usize> {
    let len = rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '#'))?;
    (len > 1 && rest[1 + len..].starts_with(';')).then_some(len + 2)
}

/// `](target` or `](target)` of a link whose text is before.
fn link_target_len(rest: &str) -> Option<usize> {
    let target = rest.strip_prefix("](")?;
    let len = find_near(target, MAX_SPAN_CHARS, |c| c == ')' || c.is_whitespace()).unwrap_or(0);
    (len > 0).then_some("](".len() + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<&str> {
        tokens(line).filter(|token| token.contains(char::is_alphanumeric)).collect()
    }

    #[test]
    fn spans_of_code_and_tags_are_no_tokens() {
        assert_eq!(shown("run `npm install` now"), ["run", "now"]);
        assert_eq!(shown("run ``a`b`` now, it`s"), ["run", "now,", "it", "s"]);
        assert_eq!(shown("```sh"), [""; 0]);
        assert_eq!(shown("a <b class=\"x y\">bold</b> <br/> <!-- no --> c"), ["a", "bold", "c"]);
        assert_eq!(shown("press <kbd>Enter</kbd> or <code>x</CODE> twice"), ["press", "or", "twice"]);
        assert_eq!(shown("a <https://x.y/z> b <me@x.y>"), ["a", "b"]);
        assert_eq!(shown("if x < y and y > z"), ["if", "x", "y", "and", "y", "z"]);
    }

    #[test]
    fn placeholders_formulas_and_link_targets_are_no_tokens() {
        assert_eq!(
            shown("hello {name} {{ count }} of ${TOTAL} %s %1$d %(n)s &nbsp; x"),
            ["hello", "of", "x"]
        );
        assert_eq!(shown("let $x^2 + y$ be $5 and $6 at $HOME"), ["let", "be", "$5", "and", "$6", "at"]);
        assert_eq!(shown("50% of it"), ["50%", "of", "it"]);
        assert_eq!(
            shown("[the guide](docs/guide.md) and ![a](b.png \"c\")"),
            ["the", "guide", "and", "a", "c"]
        );
        assert_eq!(shown("{ two words }"), ["two", "words"]);
    }

    #[test]
    fn lines_of_openings_alone_are_read_in_linear_time() {
        for shape in ["`", "` `` ", "<a ", "<code>", "{a", "$x ", "](", "%(", "&a", "[", "a"] {
            let line = shape.repeat(300_000 / shape.len());
            assert!(tokens(&line).count() <= line.len());
        }
    }
}
