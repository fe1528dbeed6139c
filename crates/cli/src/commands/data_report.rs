//! What `hala data check` prints: rows with their labels, lengths, and what is left out.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use hala_text::Specials;
use hala_train::FaultKind;
use hala_train::data::{Renderer, Shown, Survey, SurveyOptions, UpTo};
use serde::Serialize;

use crate::output;
use crate::terminal::{BOLD, DIM, count, counted, paint};

/// Ids that are labels.
const LABEL: Style = AnsiColor::Green.on_default();
/// Ids of a long row that are shown at its beginning, and as many at its end.
const N_SHOWN: usize = 40;
/// The longest bar of the histogram, in characters.
const BAR: u64 = 40;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    n_rows: u64,
    n_documents: u64,
    n_ids: u64,
    /// Rows of batches that the documents take.
    n_batch_rows: u64,
    n_supervised: u64,
    supervised_share: f64,
    n_batches: u64,
    batch_rows: usize,
    max_length: usize,
    lengths: Lengths,
    refused: BTreeMap<FaultKind, u64>,
    /// The first rows that are left out.
    examples: Vec<Example>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Lengths {
    median: usize,
    p90: usize,
    p99: usize,
    longest: usize,
    histogram: Vec<UpTo>,
}

#[derive(Serialize)]
struct Example {
    file: String,
    line: u64,
    reason: String,
}

#[derive(Serialize)]
struct Row {
    file: String,
    line: u64,
    ids: Vec<u32>,
    /// How much each id counts as a label; 0 is not at all.
    weights: Vec<f32>,
    text: String,
}

/// Prints a survey.
pub(crate) fn print(survey: &Survey, renderer: &Renderer, options: &SurveyOptions, json: bool) -> Result<()> {
    if json {
        return output::print_json(&report(survey, renderer, options)?);
    }
    let mut text = String::new();
    for shown in &survey.shown {
        text += &table(shown, renderer)?;
    }
    text += &totals(survey, options);
    text += &refused(survey);
    output::print_styled(&text)
}

/// What is wrong with the first row that is left out.
pub(crate) fn first_fault(survey: &Survey) -> String {
    survey.refused.first().map_or(": the files have no row".to_owned(), |refused| {
        format!("; `{}`, line {}: {}", refused.path, refused.line, refused.fault)
    })
}

fn report(survey: &Survey, renderer: &Renderer, options: &SurveyOptions) -> Result<Report> {
    let (counts, lengths) = (&survey.counts, &survey.lengths);
    let row = |shown: &Shown| {
        let text = renderer.tokenizer().decode(&shown.document.ids, Specials::Keep)?;
        let (ids, weights) = (shown.document.ids.clone(), shown.document.weights.clone());
        Ok(Row { file: shown.path.clone(), line: shown.line, ids, weights, text })
    };
    Ok(Report {
        n_rows: counts.n_rows,
        n_documents: counts.n_documents,
        n_ids: counts.n_ids,
        n_batch_rows: counts.n_batch_rows,
        n_supervised: counts.n_supervised,
        supervised_share: counts.supervised_share(),
        n_batches: survey.n_batches,
        batch_rows: options.max_rows,
        max_length: options.max_document_rows,
        lengths: Lengths {
            median: lengths.quantile(0.5),
            p90: lengths.quantile(0.9),
            p99: lengths.quantile(0.99),
            longest: lengths.longest(),
            histogram: lengths.histogram(),
        },
        refused: counts.refused.clone(),
        examples: survey
            .refused
            .iter()
            .map(|row| Example { file: row.path.clone(), line: row.line, reason: row.fault.to_string() })
            .collect(),
        rows: survey.shown.iter().map(row).collect::<Result<Vec<_>>>()?,
    })
}

/// A row's ids, one a line, with a mark at those that are labels.
fn table(shown: &Shown, renderer: &Renderer) -> Result<String> {
    let document = &shown.document;
    let (n, n_labels) = (document.ids.len(), document.n_supervised());
    let title = format!("{}, line {}", shown.path, shown.line);
    let mut text = format!(
        "{}: {}, {}\n",
        paint(BOLD, title),
        counted(n, "id"),
        paint(LABEL, counted(n_labels, "label"))
    );
    for (i, (id, weight)) in document.ids.iter().zip(&document.weights).enumerate() {
        if n > 2 * N_SHOWN && i == N_SHOWN {
            let left_out = paint(DIM, format!("… {} ids", count(n - 2 * N_SHOWN)));
            writeln!(text, "           {left_out}")?;
        }
        if n > 2 * N_SHOWN && (N_SHOWN..n - N_SHOWN).contains(&i) {
            continue;
        }
        // The first id is predicted from nothing.
        let is_label = i > 0 && *weight > 0.0;
        let mark = match (is_label, *weight) {
            (false, _) => String::new(),
            (true, 1.0) => "+".to_owned(),
            (true, weight) => format!("+{weight}"),
        };
        let line = format!("{id:>7} {mark:>4} {}", words(*id, renderer)?);
        writeln!(text, "{}", paint(if is_label { LABEL } else { DIM }, line))?;
    }
    Ok(text + "\n")
}

/// An id's text, or the token where that is a part of a character.
fn words(id: u32, renderer: &Renderer) -> Result<String> {
    let tokenizer = renderer.tokenizer();
    let text = tokenizer.decode(&[id], Specials::Keep)?;
    let is_whole = !text.contains('\u{FFFD}');
    let text = if is_whole { text } else { tokenizer.token_of(id).unwrap_or_default() };
    Ok(if tokenizer.is_special(id) { text } else { format!("\"{}\"", text.escape_debug()) })
}

fn totals(survey: &Survey, options: &SurveyOptions) -> String {
    let (counts, lengths) = (&survey.counts, &survey.lengths);
    let n = |n: u64| count(n as usize);
    let mut text = format!(
        "{}{} rows, {} documents, {} ids, of which {:.1} % are labels\n",
        paint(BOLD, "seen      "),
        n(counts.n_rows),
        n(counts.n_documents),
        n(counts.n_ids),
        100.0 * counts.supervised_share()
    );
    let most = lengths.histogram().iter().map(|bin| bin.n_documents).max().unwrap_or(1);
    for (i, bin) in lengths.histogram().into_iter().enumerate() {
        let title = if i == 0 { "lengths   " } else { "          " };
        let bar = "█".repeat((bin.n_documents * BAR).div_ceil(most) as usize);
        let (up_to, n) = (count(bin.n_rows), n(bin.n_documents));
        text += &format!("{}up to {up_to:>7}  {n:>11}  {bar}\n", paint(BOLD, title));
    }
    if lengths.n_documents() > 0 {
        let at = |share| count(lengths.quantile(share));
        let longest = count(lengths.longest());
        let (half, most, nearly_all) = (at(0.5), at(0.9), at(0.99));
        text += &format!(
            "          half up to {half}, 90 % up to {most}, 99 % up to {nearly_all}, the longest {longest}\n"
        );
    }
    let room = survey.n_batches * options.max_rows as u64;
    let fill = 100.0 * counts.n_batch_rows as f64 / room.max(1) as f64;
    let batches =
        if survey.n_batches == 1 { "1 batch".to_owned() } else { format!("{} batches", n(survey.n_batches)) };
    text += &format!(
        "{}{batches} of {} rows an epoch, {fill:.1} % full\n",
        paint(BOLD, "packed    "),
        count(options.max_rows)
    );
    text
}

fn refused(survey: &Survey) -> String {
    let n_refused = survey.counts.n_refused() as usize;
    if n_refused == 0 {
        return String::new();
    }
    let kinds =
        survey.counts.refused.iter().map(|(kind, n)| format!("{} {}", count(*n as usize), kind.words()));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let mut text = format!("{}{}: {kinds}\n", paint(BOLD, "left out  "), counted(n_refused, "row"));
    for row in &survey.refused {
        text += &format!("          {}, line {}: {}\n", row.path, row.line, row.fault);
    }
    text
}
