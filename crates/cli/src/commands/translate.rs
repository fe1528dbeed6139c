//! `hala translate`: texts from Arabic to English and back.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::TryRecvError;

use anyhow::{Result, ensure};
use clap::Args;
use hala::{FinishReason, Runtime, RuntimeOptions, TranslateRequest, Translated};
use hala_engine::{Direction, Handed, Remarks, Translation, Translations, Usage};
use hala_text::{Language, OtherLanguage};
use serde::Serialize;

use super::translation_report::Report;
use super::usage::TimingsJson;
use crate::app::App;
use crate::failure::{InDoubt, Interrupted};
use crate::input::{Input, Line, STDIN};
use crate::model_args::{ModelArgs, parallel};
use crate::new_file::NewFile;
use crate::{output, paths, terminal};

/// Translates text between Arabic and English.
///
/// The direction is found out from the text where it is not given. Paragraphs, line breaks and white space stay as
/// they are; tabs part cells, which are translated one by one.
///
/// A sentence that cannot be translated stays as it is. A translation that repeats itself as its source does not is tried
/// again from there with a repetition penalty, and cut where it does so once more. Notices and a summary on standard error
/// name the lines. With --json each segment has "copied" (no-letters, not-prose, target-language, other-script,
/// too-long, refused), "looped" (retried, cut), "truncated" and "other_language" where they apply.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala translate \"صباح الخير\"
  hala translate --to ar --file report.md --output report.ar.md
  tail -f messages.txt | hala translate --lines")]
pub(crate) struct TranslateArgs {
    /// The text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// The language to translate into: ar or en
    #[arg(long, value_name = "LANGUAGE")]
    to: Option<Language>,

    /// The language of the text: ar or en
    #[arg(long, value_name = "LANGUAGE")]
    from: Option<Language>,

    /// Translate this file
    #[arg(long, value_name = "IN", conflicts_with = "text", allow_hyphen_values = true, value_parser = paths::existing())]
    file: Option<PathBuf>,

    /// Write the translation to this file
    #[arg(long, short, value_name = "OUT", allow_hyphen_values = true, value_parser = paths::new())]
    output: Option<PathBuf>,

    /// Translate each line by itself as soon as it is read, several at once where there are some
    #[arg(long)]
    lines: bool,

    /// Translate so many sentences at once; as many as suit the device where this is not given
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parallel())]
    parallel: Option<usize>,

    /// Print JSON: one object, or one for each line with --lines
    #[arg(long)]
    json: bool,

    /// End with status 3 where a sentence was passed through, cut short or tried again, or is of a third language
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    model: ModelArgs,
}

/// What is translated.
enum Source {
    /// A whole text, the name of its input, and what is printed behind it.
    Document { text: String, name: String, ending: &'static str },
    /// Lines, each by itself.
    Lines(Input),
}

/// Where the translation goes.
enum Sink {
    Stdout,
    File(NewFile),
}

impl Sink {
    fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Stdout => output::print(text),
            Self::File(file) => file.write(text.as_bytes()),
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && terminal::stdout_is_terminal()
    }

    fn commit(self) -> Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(file) => file.commit(),
        }
    }
}

/// A translation in JSON.
#[derive(Serialize)]
struct Json<'a> {
    text: &'a str,
    to: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_language: Option<OtherLanguage>,
    segments: Vec<SegmentJson<'a>>,
    finish: FinishReason,
    usage: Usage,
    timings: TimingsJson,
}

/// A sentence and its translation; places are bytes of the two texts.
#[derive(Serialize)]
struct SegmentJson<'a> {
    source: &'a str,
    target: &'a str,
    source_bytes: [usize; 2],
    target_bytes: [usize; 2],
    #[serde(flatten)]
    remarks: Remarks,
}

impl<'a> Json<'a> {
    fn new(source: &'a str, translated: &'a Translated) -> Self {
        let segment = |s: &hala_engine::Segment| SegmentJson {
            source: &source[s.source.clone()],
            target: &translated.text[s.target.clone()],
            source_bytes: [s.source.start, s.source.end],
            target_bytes: [s.target.start, s.target.end],
            remarks: s.remarks,
        };
        Self {
            text: &translated.text,
            to: translated.to,
            other_language: translated.other_language,
            segments: translated.segments.iter().map(segment).collect(),
            finish: translated.finish,
            usage: translated.usage,
            timings: TimingsJson::new(&translated.usage, &translated.timings),
        }
    }
}

impl TranslateArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        // Everything that can be wrong without a model is found before one is loaded.
        self.direction().target("")?;
        let source = self.source()?;
        let sink = self.sink()?;
        let loading = &app.quiet_if(self.json);
        let options = RuntimeOptions { n_parallel: self.parallel, ..self.model.options(loading)? };
        let runtime = self.model.load_with(options, loading)?;
        let report = pollster::block_on(self.translate(runtime, source, sink, app))?;
        if let Some(summary) = report.summary().filter(|_| !app.quiet) {
            terminal::notice(&summary);
        }
        ensure!(!(self.strict && report.is_doubtful()), InDoubt);
        Ok(())
    }

    fn direction(&self) -> Direction {
        Direction { from: self.from, to: self.to }
    }

    fn source(&self) -> Result<Source> {
        let is_stdin = self.file.is_none() && (self.text.is_empty() || self.text == [STDIN]);
        if !is_stdin && self.file.is_none() && !self.lines {
            let (text, name) = (self.text.join(" "), "the text".to_owned());
            return Ok(Source::Document { text, name, ending: "\n" });
        }
        let input = match &self.file {
            Some(path) => Input::file(path)?,
            None if is_stdin => Input::stdin(),
            None => Input::text(self.text.join(" ")),
        };
        if self.lines {
            return Ok(Source::Lines(input));
        }
        let name = input.name().to_owned();
        Ok(Source::Document { text: input.read_all()?, name, ending: "" })
    }

    fn sink(&self) -> Result<Sink> {
        let Some(output) = &self.output else { return Ok(Sink::Stdout) };
        if let Some(input) = &self.file {
            ensure!(
                !is_same(input, output),
                "`{}` is both the input and the output: choose another name for the output",
                output.display()
            );
        }
        Ok(Sink::File(NewFile::create(output)?))
    }

    async fn translate(&self, runtime: Runtime, source: Source, sink: Sink, app: &App) -> Result<Report> {
        match source {
            Source::Document { text, name, ending } => {
                let mut run = Run { runtime, sink, report: Report::new(name), app };
                self.one(&mut run, Line { text, ending }).await?;
                run.end()
            }
            Source::Lines(lines) => {
                let mut run = Run { runtime, sink, report: Report::new(lines.name().to_owned()), app };
                self.lines(&mut run, lines).await?;
                run.end()
            }
        }
    }

    /// Translates lines, those that are there already several at once, and writes them in their order.
    async fn lines(&self, run: &mut Run<'_>, input: Input) -> Result<()> {
        let lines = input.in_background();
        let (mut translations, mut open) = (Translations::default(), VecDeque::new());
        let (mut working, mut last) = (None, None);
        loop {
            while last.is_none() && translations.has_room(run.runtime.scheduler()?)? {
                // What is under way does not wait for a line that is still to be written.
                let next = if translations.is_empty() {
                    working = None;
                    lines.recv().map_err(TryRecvError::from)
                } else {
                    lines.try_recv()
                };
                run.app.interrupt.check()?;
                match next {
                    Ok(Ok(line)) => {
                        working = working.or_else(|| Some(run.app.interrupt.working()));
                        let (engine, cancel) = (run.runtime.engine()?, run.app.interrupt.cancel());
                        translations.push(Translation::new(engine, &line.text, self.direction(), cancel)?);
                        open.push_back(line);
                    }
                    // The lines before it come first.
                    Ok(Err(error)) => last = Some(Err(error)),
                    Err(TryRecvError::Disconnected) => last = Some(Ok(())),
                    Err(TryRecvError::Empty) => break,
                }
            }
            if let Some(last) = last.take_if(|_| translations.is_empty()) {
                return last;
            }
            match run.runtime.step_translations(&mut translations).await? {
                Handed::Text(piece) if !self.json => run.sink.write(&piece)?,
                Handed::End(translated) => {
                    let Some(line) = open.pop_front() else { continue };
                    self.end(run, &line, &translated)?;
                }
                Handed::Text(_) | Handed::Nothing => {}
            }
        }
    }

    /// Translates one text and writes it with its ending.
    async fn one(&self, run: &mut Run<'_>, line: Line) -> Result<()> {
        let _working = run.app.interrupt.working();
        let request = TranslateRequest { text: line.text.clone(), from: self.from, to: self.to };
        let mut stream = run.runtime.stream_translation(&request, run.app.interrupt.cancel())?;
        while let Some(piece) = stream.next().await? {
            if !self.json {
                run.sink.write(&piece)?;
            }
        }
        let translated = stream.finish()?;
        self.end(run, &line, &translated)
    }

    /// Writes what is left of a translation, and tells what there is to tell of it.
    fn end(&self, run: &mut Run<'_>, Line { text, ending }: &Line, translated: &Translated) -> Result<()> {
        let Run { sink, report, app, .. } = run;
        if self.json {
            let json = serde_json::to_string(&Json::new(text, translated))?;
            sink.write(&format!("{json}\n"))?;
        } else if sink.is_terminal() && !translated.text.ends_with('\n') {
            sink.write("\n")?;
        } else {
            sink.write(ending)?;
        }
        let notices = report.add(text, translated);
        if !self.json && !app.quiet {
            notices.iter().for_each(|notice| terminal::notice(notice));
        }
        ensure!(translated.finish != FinishReason::Cancelled, Interrupted);
        Ok(())
    }
}

/// What texts go through, one after the other.
struct Run<'a> {
    runtime: Runtime,
    sink: Sink,
    report: Report,
    app: &'a App,
}

impl Run<'_> {
    fn end(self) -> Result<Report> {
        self.sink.commit()?;
        Ok(self.report)
    }
}

/// Whether two paths are one file.
fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
