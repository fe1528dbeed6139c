//! `#if`, `#elif`, `#else` and `#endif`: which lines of a file a variant has.

use super::fault::{Fault, Place};

/// The conditions that are open at a line, outermost first.
#[derive(Default)]
pub(super) struct Branches {
    open: Vec<Branch>,
}

struct Branch {
    /// Where its `#if` stands.
    opened: Place,
    /// Whether the lines around it count.
    live_around: bool,
    /// Whether the lines of the present branch count.
    live: bool,
    /// Whether any branch so far has counted.
    taken: bool,
    /// Whether `#else` has come.
    has_else: bool,
}

impl Branches {
    /// Whether lines count here.
    pub(super) fn live(&self) -> bool {
        self.open.last().is_none_or(|branch| branch.live)
    }

    /// `#if CONDITION`.
    pub(super) fn open(&mut self, holds: bool, place: &Place) {
        let live_around = self.live();
        let live = live_around && holds;
        self.open.push(Branch { opened: place.clone(), live_around, live, taken: holds, has_else: false });
    }

    /// `#elif CONDITION`.
    pub(super) fn other(&mut self, holds: bool, place: &Place) -> Result<(), Fault> {
        let branch = self.innermost("#elif", place)?;
        if branch.has_else {
            return Err(place.fault("`#elif` after `#else`"));
        }
        branch.live = branch.live_around && !branch.taken && holds;
        branch.taken |= holds;
        Ok(())
    }

    /// `#else`.
    pub(super) fn otherwise(&mut self, place: &Place) -> Result<(), Fault> {
        let branch = self.innermost("#else", place)?;
        if branch.has_else {
            return Err(place.fault("a second `#else`"));
        }
        branch.has_else = true;
        branch.live = branch.live_around && !branch.taken;
        Ok(())
    }

    /// `#endif`.
    pub(super) fn close(&mut self, place: &Place) -> Result<(), Fault> {
        self.innermost("#endif", place)?;
        self.open.pop();
        Ok(())
    }

    /// The end of the file.
    pub(super) fn end(self) -> Result<(), Fault> {
        let open = self.open.last();
        open.map_or(Ok(()), |branch| Err(branch.opened.fault("this `#if` has no `#endif`")))
    }

    fn innermost(&mut self, directive: &str, place: &Place) -> Result<&mut Branch, Fault> {
        self.open.last_mut().ok_or_else(|| place.fault(format!("`{directive}` without `#if`")))
    }
}

/// Whether `text` holds: names, each with or without `!`, joined by `||` alone or by `&&` alone.
pub(super) fn holds(text: &str, defined: impl Fn(&str) -> bool, place: &Place) -> Result<bool, Fault> {
    let malformed = || {
        let what = format!("the condition `{text}` is none of `A`, `!A`, `A || B`, `A && B`");
        place.fault(what)
    };
    let has_any = text.contains("||");
    if has_any && text.contains("&&") {
        return Err(malformed());
    }
    let mut terms = Vec::new();
    for term in text.split(if has_any { "||" } else { "&&" }).map(str::trim) {
        let (name, wanted) = term.strip_prefix('!').map_or((term, true), |name| (name.trim_start(), false));
        if !is_define(name) {
            return Err(malformed());
        }
        terms.push(defined(name) == wanted);
    }
    Ok(if has_any { terms.contains(&true) } else { !terms.contains(&false) })
}

/// Whether `name` is one for a define: capitals, digits and `_`, a capital first.
pub(super) fn is_define(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<bool> {
        holds(text, |name| matches!(name, "A" | "B"), &Place::new("a.wgsl", 1)).ok()
    }

    #[test]
    fn a_condition_is_any_of_or_all_of_its_names() {
        for text in ["A", "!C", "C || A", "A||C", "A && B", "A && !C", "! C", "C || D || B"] {
            assert_eq!(value(text), Some(true), "{text}");
        }
        for text in ["C", "!A", "C || D", "A && C", "A && B && !B"] {
            assert_eq!(value(text), Some(false), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_condition() {
        for text in ["", "a", "A B", "A | B", "(A)", "A || B && C", "A ||", "!!A", "1", "A == 1"] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
