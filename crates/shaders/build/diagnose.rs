//! What naga says of an expanded text, told of the files it came from.

use std::error::Error;

use naga::front::wgsl::ParseError;
use naga::valid::ValidationError;
use naga::{Span, WithSpan};

use super::fault::{Fault, Place};
use super::folder::Folder;
use super::preprocess::Expanded;
use super::table::Row;

/// A text as naga reads it, and what it was made of.
pub(super) struct Source<'a> {
    pub(super) folder: &'a Folder,
    pub(super) row: &'a Row,
    pub(super) expanded: &'a Expanded,
    /// Lines before the expanded text.
    pub(super) preamble: &'static str,
}

impl Source<'_> {
    /// What naga reads.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.preamble, self.expanded.text)
    }

    /// A text that does not parse.
    pub(super) fn unparsed(&self, error: &ParseError) -> Fault {
        let labels: Vec<_> = error.labels().map(|(span, label)| (span, label.to_owned())).collect();
        let notes = error.notes().map(|note| format!("      = {note}")).collect();
        self.fault(error.message(), &labels, notes)
    }

    /// A text that parses, and is no valid module. naga names the outermost thing first; the reader wants the innermost.
    pub(super) fn invalid(&self, error: &WithSpan<ValidationError>) -> Fault {
        let mut chain = vec![without_handles(&error.as_inner().to_string())];
        let mut cause = error.as_inner().source();
        while let Some(next) = cause {
            chain.push(without_handles(&next.to_string()));
            cause = next.source();
        }
        let what = chain.pop().unwrap_or_default();
        let mut labels: Vec<_> = error.spans().cloned().collect();
        labels.sort_by_key(|(span, _)| span.to_range().map(|range| range.len()));
        for (_, label) in &mut labels {
            // A row of naga's own tables.
            if label.starts_with("naga::") {
                label.clear();
            }
        }
        let mut rank = 0..;
        labels.retain(|(_, label)| rank.next() == Some(0) || !label.is_empty());
        self.fault(&what, &labels, chain.iter().rev().map(|outer| format!("      = {outer}")).collect())
    }

    /// What is wrong at `span`, or with the whole where that is unknown.
    pub(super) fn at(&self, span: Span, what: &str) -> Fault {
        self.fault(what, &[(span, String::new())], Vec::new())
    }

    fn fault(&self, what: &str, labels: &[(Span, String)], notes: Vec<String>) -> Fault {
        let text = self.text();
        let first = labels.iter().find_map(|(span, _)| self.place(*span, &text));
        let place = first.map_or(&self.row.place, |(place, _)| place);
        let mut details = Vec::new();
        for (span, label) in labels {
            details.extend(self.excerpt(*span, &text, label, place));
        }
        details.extend(notes);
        details.extend(self.advice(what));
        place.fault(what).with_details(details)
    }

    /// What to do, where a flag of the table would help.
    fn advice(&self, what: &str) -> Option<String> {
        let lacks = |flag| format!("      = its line in shaders/{} lacks {flag}", self.row.place.file);
        if what.contains("SUBGROUP") && !self.row.subgroups {
            return Some(lacks("+subgroups"));
        }
        if what.contains("INT64") && !self.row.int64 {
            return Some(lacks("+int64"));
        }
        (what.contains("f16") && !self.row.f16).then(|| lacks("+f16"))
    }

    /// Where `span` begins, and its first byte within that line.
    fn place(&self, span: Span, text: &str) -> Option<(&Place, usize)> {
        let start = span.to_range()?.start;
        let before = text.get(..start)?;
        let column = start - before.rfind('\n').map_or(0, |at| at + 1);
        let line_idx = before.matches('\n').count();
        let line_idx = line_idx.checked_sub(self.preamble.lines().count())?;
        Some((self.expanded.places.get(line_idx)?, column))
    }

    /// The source line of `span` with a mark under its part of that line; its place too, where that is not `told`.
    fn excerpt(&self, span: Span, text: &str, label: &str, told: &Place) -> Vec<String> {
        let Some((place, column)) = self.place(span, text) else { return Vec::new() };
        let line = self.folder.get(&place.file).and_then(|text| text.lines().nth(place.line - 1));
        let first_line = span.to_range().and_then(|range| text.get(range)?.lines().next());
        let n_marks = first_line.map_or(1, |part| part.chars().count().max(1));
        let line = line.unwrap_or_default();
        let n_before = line.get(..column).map_or(column, |before| before.chars().count());
        let mut out = Vec::new();
        if place != told {
            out.push(format!("      {place}:"));
        }
        out.push(format!("{:>5} | {line}", place.line));
        // The mark of a generated constant has no column in the table's line.
        if place.file.ends_with(".wgsl") {
            let marks = format!("      | {}{} {label}", " ".repeat(n_before), "^".repeat(n_marks));
            out.push(marks.trim_end().to_owned());
        }
        out
    }
}

/// Without the row numbers of naga's tables, ` [41]`: they say nothing to whoever wrote the text, and differ by variant.
fn without_handles(text: &str) -> String {
    let mut parts = text.split(" [");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']').filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit())) {
            Some((_, rest)) => out.push_str(rest),
            None => {
                out.push_str(" [");
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_numbers_fall_away_and_other_brackets_stay() {
        assert_eq!(without_handles("The pointer [41] is bad"), "The pointer is bad");
        assert_eq!(without_handles("Function [0] 'f' of [a] [7]"), "Function 'f' of [a]");
    }
}
