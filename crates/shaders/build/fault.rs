//! What is wrong with the folder, and at which line.

use std::fmt;

/// A line of a file of `shaders/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// From `shaders/`.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Place {
    pub(super) fn new(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line }
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { place: self.clone(), what: what.into(), details: Vec::new(), variants: Vec::new() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shaders/{}:{}", self.file, self.line)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    place: Place,
    what: String,
    /// Further lines: the source, causes, notes.
    details: Vec<String>,
    /// The variants that have it; empty for the table's own faults.
    variants: Vec<String>,
}

impl Fault {
    pub(super) fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    pub(super) fn of_variant(self, name: &str) -> Self {
        Self { variants: vec![name.to_owned()], ..self }
    }
}

/// The faults by place; those that differ in nothing but the variant become one.
pub(super) fn merged(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort();
    faults.dedup_by(|next, kept| {
        let same = next.place == kept.place && next.what == kept.what;
        if same {
            kept.variants.append(&mut next.variants);
        }
        same
    });
    faults
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        match self.variants.as_slice() {
            [] => {}
            [one] => write!(f, " (variant {one})")?,
            many => write!(f, " (variants {})", many.join(", "))?,
        }
        for line in &self.details {
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}
