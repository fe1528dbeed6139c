//! The words that a template may look for in what it is given: the string literals of its source.

use std::collections::BTreeSet;

/// The literals of a template, by how near they are to the words of special tokens.
#[derive(Debug, Default)]
pub(crate) struct TemplateWords {
    /// Names such as `text` or `user`, which templates compare whole values with.
    names: BTreeSet<String>,
    /// Literals that have nothing of a special token.
    apart: BTreeSet<String>,
    /// Literals that hold the words of a special token, or are a part of them.
    near: BTreeSet<String>,
}

impl TemplateWords {
    /// Those of a source.
    pub(crate) fn of(source: &str, specials: &BTreeSet<String>) -> Self {
        let mut words = Self::default();
        for literal in literals(source) {
            let holds = specials.iter().any(|special| literal.contains(special.as_str()));
            let is_near = holds || specials.iter().any(|special| special.contains(&literal));
            if is_name(&literal) && !holds {
                words.names.insert(literal.clone());
            }
            match literal.chars().nth(1) {
                _ if is_near => words.near.insert(literal),
                // One character is too often in a text to stay.
                None => continue,
                Some(_) => words.apart.insert(literal),
            };
        }
        words
    }

    /// Whether the template compares something with this name.
    pub(crate) fn is_name(&self, text: &str) -> bool {
        self.names.contains(text)
    }

    /// Literals of two characters and more that have nothing of a special token.
    pub(crate) fn apart_from_specials(&self) -> impl Iterator<Item = &str> {
        self.apart.iter().map(String::as_str)
    }

    /// Literals that hold the words of a special token, or are a part of them.
    pub(crate) fn near_specials(&self) -> impl Iterator<Item = &str> {
        self.near.iter().map(String::as_str)
    }
}

/// Whether a text is a name: letters, digits, `_` and `-`.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// The string literals of all tags, without empty ones.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        let Some(kind) = rest.chars().next() else { break };
        match kind {
            '#' => rest = rest.find("#}").map_or("", |end| &rest[end + 2..]),
            '{' | '%' => {
                rest = literals_of_tag(&rest[1..], if kind == '{' { "}}" } else { "%}" }, &mut found);
            }
            _ => {}
        }
    }
    found
}

/// Takes the literals up to the end of a tag; gives what comes after it.
fn literals_of_tag<'s>(mut rest: &'s str, end: &str, found: &mut Vec<String>) -> &'s str {
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(end) {
            return after;
        }
        rest = &rest[c.len_utf8()..];
        if !matches!(c, '"' | '\'') {
            continue;
        }
        let mut literal = String::new();
        let mut chars = rest.char_indices();
        rest = "";
        while let Some((_, inside)) = chars.next() {
            match inside {
                '\\' => literal.extend(chars.next().map(|(_, escaped)| unescaped(escaped))),
                inside if inside == c => {
                    rest = chars.as_str();
                    break;
                }
                inside => literal.push(inside),
            }
        }
        if !literal.is_empty() {
            found.push(literal);
        }
    }
    rest
}

fn unescaped(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_tags_are_found_and_nothing_else() {
        let source = "'a' {{ 'b' ~ \"c'd\" }} {# 'e' #} {% if x == 'f\\'\\n%}' %}'g'{% endif %}{ 'h' }";
        assert_eq!(literals(source), ["b", "c'd", "f'\n%}"]);
        assert_eq!(literals("{{ 'open"), ["open"]);
        assert!(literals("{").is_empty());
    }

    #[test]
    fn literals_are_told_apart_by_special_tokens() {
        let specials = BTreeSet::from(["<|end|>".to_owned(), "</think>".to_owned()]);
        let source = "{{ 'end' }}{{ '</think>\\n' }}{{ '<tool>' }}{{ '<' }}{{ ',' }}{{ 'user' }}";
        let words = TemplateWords::of(source, &specials);
        assert_eq!(words.near_specials().collect::<Vec<_>>(), ["<", "</think>\n", "end"]);
        assert_eq!(words.apart_from_specials().collect::<Vec<_>>(), ["<tool>", "user"]);
        assert!(words.is_name("end") && words.is_name("user") && !words.is_name("<tool>"));
    }
}
