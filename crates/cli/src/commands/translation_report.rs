//! What there is to say of translated sentences: notices as they come, and a summary at the end.

use std::collections::BTreeMap;

use hala_engine::{FinishReason, Looped, Obstacle, Outcome, Segment, Translated};
use hala_text::{CopyReason, OtherLanguage};

use crate::terminal;

/// Notices of one kind before the summary has to do for the rest.
const MAX_NOTICES: usize = 5;

/// Lines that a summary names for each kind.
const MAX_LINES: usize = 8;

/// Characters of a sentence that a notice quotes.
const MAX_QUOTED_CHARS: usize = 40;

/// What a person may want to look at, in the order of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Copied(CopyKind),
    PassedThrough,
    Retried,
    Cut,
    Truncated,
    Other(&'static str),
}

/// Copied sentences, but for those without letters, which nobody expects to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CopyKind {
    TargetLanguage,
    NotProse,
    OtherScript,
}

impl Kind {
    /// In words that come after a number of sentences.
    fn words(self) -> String {
        match self {
            Self::Copied(CopyKind::TargetLanguage) => "copied, in the language wanted already".to_owned(),
            Self::Copied(CopyKind::NotProse) => {
                "copied, without words besides addresses, code, tags and names".to_owned()
            }
            Self::Copied(CopyKind::OtherScript) => "copied, in letters of another script".to_owned(),
            Self::PassedThrough => "passed through untranslated".to_owned(),
            Self::Retried => "tried again for a repetition".to_owned(),
            Self::Cut => "cut at a repetition".to_owned(),
            Self::Truncated => "cut short at the limit of tokens".to_owned(),
            Self::Other(language) => format!("in {language}"),
        }
    }

    /// Whether the translation is one that `--strict` does not take.
    fn is_doubtful(self) -> bool {
        !matches!(self, Self::Copied(_))
    }
}

/// What became of the sentences of one input.
#[derive(Debug)]
pub(crate) struct Report {
    /// The input's name.
    name: String,
    /// The line that the next text begins in.
    line: usize,
    n_sentences: usize,
    /// How many of each kind, and the lines of the first ones.
    found: BTreeMap<Kind, (usize, Vec<usize>)>,
}

impl Report {
    /// A report on an input of this name.
    pub(crate) fn new(name: String) -> Self {
        Self { name, line: 1, n_sentences: 0, found: BTreeMap::new() }
    }

    /// Takes in the next text of the input, which ends a line of it or is all of it; gives notices.
    pub(crate) fn add(&mut self, source: &str, translated: &Translated) -> Vec<String> {
        let mut notices = Vec::new();
        let (mut line, mut at) = (self.line, 0);
        for segment in &translated.segments {
            line += n_line_breaks(&source[at..segment.source.start]);
            at = segment.source.start;
            if segment.remarks.outcome != Outcome::Copied(CopyReason::NoLetters) {
                self.n_sentences += 1;
            }
            for kind in kinds(segment) {
                let sentence = &source[segment.source.clone()];
                notices.extend(
                    self.count(kind, line).then(|| self.notice(kind, line, segment, sentence)).flatten(),
                );
            }
        }
        let is_told = translated.segments.iter().any(|s| s.remarks.other_language.is_some());
        if let Some(language) = translated.other_language.filter(|_| !is_told) {
            let kind = Kind::Other(language.name());
            if self.count(kind, self.line) {
                notices.push(format!("{}: the text seems to be {}", self.name, kind.words()));
            }
        }
        self.line += n_line_breaks(source) + 1;
        notices
    }

    /// Counts a sentence; tells whether it is one of the first of its kind.
    fn count(&mut self, kind: Kind, line: usize) -> bool {
        let (n, lines) = self.found.entry(kind).or_default();
        *n += 1;
        if lines.len() < MAX_LINES && lines.last() != Some(&line) {
            lines.push(line);
        }
        *n <= MAX_NOTICES
    }

    /// What is said of a sentence at once; nothing of one that needed no translation.
    fn notice(&self, kind: Kind, line: usize, segment: &Segment, sentence: &str) -> Option<String> {
        let n_chars = || terminal::count(sentence.chars().count());
        let what = match kind {
            Kind::Copied(_) => return None,
            Kind::PassedThrough => match segment.remarks.outcome {
                Outcome::PassedThrough(Obstacle::Refused) => {
                    "the model's tokenizer refuses a sentence, which stays as it is".to_owned()
                }
                _ => format!(
                    "{} characters without a space or comma to cut them at fit no prompt, and stay as they are",
                    n_chars()
                ),
            },
            Kind::Retried => {
                "a translation repeated itself, and was tried again from there with a penalty".to_owned()
            }
            Kind::Cut => "a translation repeated itself, and is cut there".to_owned(),
            Kind::Truncated => {
                "a sentence ran into its limit of tokens, and its translation is cut short".to_owned()
            }
            Kind::Other(_) => format!("the text seems to be {}", kind.words()),
        };
        Some(format!("{}, line {line}: {what}: {}", self.name, quoted(sentence)))
    }

    /// All of it in a line; `None` where there is nothing to say.
    pub(crate) fn summary(&self) -> Option<String> {
        let part = |(kind, (n, lines)): (&Kind, &(usize, Vec<usize>))| {
            let named: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let word = if lines.len() == 1 && *n == 1 { "line" } else { "lines" };
            let more = if *n > lines.len() && lines.len() == MAX_LINES { ", …" } else { "" };
            format!("{} {} ({word} {}{more})", terminal::count(*n), kind.words(), named.join(", "))
        };
        let parts: Vec<String> = self.found.iter().map(part).collect();
        let sentences = if self.n_sentences == 1 { "sentence" } else { "sentences" };
        let n = terminal::count(self.n_sentences);
        (!parts.is_empty()).then(|| format!("{}: of {n} {sentences}: {}", self.name, parts.join("; ")))
    }

    /// Whether something was not translated as it should be.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.found.keys().any(|kind| kind.is_doubtful())
    }
}

/// What is to be said of a segment.
fn kinds(segment: &Segment) -> impl Iterator<Item = Kind> {
    let (first, second) = match segment.remarks.outcome {
        Outcome::Copied(reason) => (copy_kind(reason).map(Kind::Copied), None),
        Outcome::PassedThrough(_) => (Some(Kind::PassedThrough), None),
        Outcome::Translated { looped, finish } => {
            let looped = looped.map(|looped| match looped {
                Looped::Retried => Kind::Retried,
                Looped::Cut => Kind::Cut,
            });
            (looped, (finish == FinishReason::Length).then_some(Kind::Truncated))
        }
    };
    let language = segment.remarks.other_language.map(OtherLanguage::name).map(Kind::Other);
    first.into_iter().chain(second).chain(language)
}

fn copy_kind(reason: CopyReason) -> Option<CopyKind> {
    match reason {
        CopyReason::NoLetters => None,
        CopyReason::NotProse => Some(CopyKind::NotProse),
        CopyReason::TargetLanguage => Some(CopyKind::TargetLanguage),
        CopyReason::OtherScript => Some(CopyKind::OtherScript),
    }
}

/// Line breaks as editors count them: `\n`, `\r\n` and `\r`.
fn n_line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let lone = |(i, b): (usize, &u8)| *b == b'\n' || (*b == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
    bytes.iter().enumerate().filter(|place| lone(*place)).count()
}

/// The beginning of a sentence.
fn quoted(sentence: &str) -> String {
    let start: String = sentence.chars().take(MAX_QUOTED_CHARS).collect();
    let more = if start.len() < sentence.len() { "…" } else { "" };
    terminal::isolate(&format!("{start}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_of_every_system_are_counted_once() {
        assert_eq!(n_line_breaks("a\nb\r\nc\rd"), 3);
        assert_eq!(n_line_breaks(""), 0);
    }

    #[test]
    fn a_summary_names_kinds_and_lines() {
        let mut report = Report::new("`a.txt`".to_owned());
        assert_eq!(report.summary(), None);
        report.n_sentences = 12;
        for line in 1..=9 {
            report.count(Kind::Copied(CopyKind::TargetLanguage), line);
        }
        assert!(!report.is_doubtful());
        report.count(Kind::Cut, 7);
        assert!(report.is_doubtful());
        assert_eq!(
            report.summary().as_deref(),
            Some(
                "`a.txt`: of 12 sentences: 9 copied, in the language wanted already (lines 1, 2, 3, 4, 5, 6, 7, 8, …); \
                 1 cut at a repetition (line 7)"
            )
        );
    }

    #[test]
    fn only_the_first_of_a_kind_are_told_one_by_one() {
        let mut report = Report::new("x".to_owned());
        let told = (1..=20).filter(|line| report.count(Kind::Cut, *line)).count();
        assert_eq!(told, MAX_NOTICES);
    }
}
