//! Changes of what a template is given, one character for another, and what they tell of its output.

use std::collections::BTreeSet;

/// Changed characters are those below U+A000, moved into the second plane's rare ideographs: these are letters that no
/// function escapes, as Python's `repr` does with characters of private use.
const MOVED: u32 = 0x2_0000;

/// Stands beside words that stay, and tells in the output that they came from outside.
pub(crate) const TELL: char = '\u{2A6D0}';

/// How much of what comes from outside is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'w> {
    /// Every character but white space, quotes and what the template may look for, of which some have to do with special tokens.
    All(&'w [&'w str], Tell),
    /// The same with other characters, for templates that escape all but ASCII: ASCII becomes other ASCII.
    Ascii,
    /// The first character of each special token's words.
    Specials,
}

/// How words that have to do with special tokens are known again in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tell {
    /// By a character before them.
    Before,
    /// By one after them.
    After,
    /// Not at all: then none like them in the output is trusted.
    Nothing,
}

/// What of a rendered text came from outside, by bytes.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) is_outside: Vec<bool>,
    /// Where a [`TELL`] stood.
    pub(crate) tells: Vec<usize>,
}

impl Change<'_> {
    /// What becomes of a character; white space, quotes and backslashes stay, as templates trim and escape them.
    pub(crate) fn of(self, c: char) -> char {
        if c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\') {
            return c;
        }
        match self {
            Self::Ascii => turned(c),
            _ => char::from_u32(u32::from(c) + MOVED).filter(|to| is_moved(*to)).unwrap_or(c),
        }
    }

    /// Whether an output with `other` in place of `c` has a character from outside there; `None` where it is none of the
    /// change's making.
    fn is_outside(self, c: char, other: char) -> Option<bool> {
        match self {
            Self::Ascii if other == c => Some(false),
            Self::Ascii => (turned(c) == other).then_some(true),
            // A template may have changed the character itself, to upper case for example.
            _ if is_moved(other) => Some(true),
            _ => (other == c).then_some(false),
        }
    }
}

fn is_moved(c: char) -> bool {
    ('\u{20000}'..'\u{2A000}').contains(&c)
}

/// The next of the punctuation marks, letters or digits of ASCII.
fn turned(c: char) -> char {
    const CIRCLES: [&str; 4] = [
        "<|>[/]!{#}(_)$:%;&=*+,?-@.^~`",
        "abcdefghijklmnopqrstuvwxyz",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "0123456789",
    ];
    let after = |circle: &str| {
        let at = circle.find(c)?;
        circle[at + c.len_utf8()..].chars().chain(circle.chars()).next()
    };
    CIRCLES.into_iter().find_map(after).unwrap_or(c)
}

/// Moves the first character of each special token's words.
pub(crate) fn move_starts(text: &str, specials: &BTreeSet<String>) -> String {
    let starts: BTreeSet<usize> = specials
        .iter()
        .filter(|words| !words.is_empty())
        .flat_map(|words| text.match_indices(words.as_str()))
        .map(|(at, _)| at)
        .collect();
    text.char_indices().map(|(at, c)| if starts.contains(&at) { Change::Specials.of(c) } else { c }).collect()
}

/// Compares a text with what a change made of it; `None` where the two have another form.
pub(crate) fn compare(rendered: &str, changed: &str, change: Change<'_>) -> Option<Outside> {
    let mut outside = Outside { is_outside: Vec::with_capacity(rendered.len()), tells: Vec::new() };
    let mut others = changed.chars().peekable();
    for c in rendered.chars() {
        while c != TELL && others.next_if_eq(&TELL).is_some() {
            outside.tells.push(outside.is_outside.len());
        }
        let other = others.next()?;
        let is_outside = change.is_outside(c, other)?;
        outside.is_outside.extend(std::iter::repeat_n(is_outside, c.len_utf8()));
    }
    while others.next_if_eq(&TELL).is_some() {
        outside.tells.push(outside.is_outside.len());
    }
    others.next().is_none().then_some(outside)
}
