//! Blanks the comments of WGSL out, so that every other character stays in its line and column.

/// `text` with spaces for what is in comments; a line that ends in a comment ends before it.
///
/// # Errors
/// The line, counted from 1, of a `/*` that nothing closes.
pub(super) fn blanked(text: &str) -> Result<String, usize> {
    let mut out = String::with_capacity(text.len());
    let mut opened = Vec::new();
    let mut in_line_comment = false;
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            in_line_comment = false;
            line += 1;
            out.push(c);
            continue;
        }
        if in_line_comment {
            continue;
        }
        match (c, chars.peek()) {
            ('/', Some('/')) if opened.is_empty() => in_line_comment = true,
            ('/', Some('*')) => {
                chars.next();
                opened.push(line);
                out.push_str("  ");
            }
            ('*', Some('/')) if !opened.is_empty() => {
                chars.next();
                opened.pop();
                out.push_str("  ");
            }
            _ => out.push(if opened.is_empty() { c } else { ' ' }),
        }
    }
    opened.first().map_or(Ok(out), |line| Err(*line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_blanks_and_the_rest_stays_in_its_column() {
        assert_eq!(blanked("a / b; // why\n*/ c").unwrap(), "a / b; \n*/ c");
        assert_eq!(blanked("a /* one\ntwo */ b").unwrap(), "a       \n       b");
        assert_eq!(blanked("/* a /* b */ c */ d // /* e").unwrap(), "                  d ");
    }

    #[test]
    fn an_open_comment_is_named_by_its_line() {
        assert_eq!(blanked("a\n/* b /* c */\n"), Err(2));
    }
}
