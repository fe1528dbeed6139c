//! What people see of a run while it goes on, on standard error; or its metrics as JSON, on standard output.

use std::time::Instant;

use hala_train::metrics::{Evaluated, Line, Stepped};
use hala_train::run::{Answer, Event};
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::App;
use crate::output;
use crate::progress::bar;
use crate::terminal::{self, count, isolate};

/// Answers that are shown at each evaluation.
const N_SHOWN: usize = 3;
/// How many lines tell of a run's steps where there is no bar.
const N_LINES: u64 = 20;
/// How much of the mean loss that is shown is of the last step.
const LAST: f64 = 0.1;

/// Shows a run.
#[derive(Debug)]
pub(super) struct Watch {
    is_quiet: bool,
    json: bool,
    bar: Option<ProgressBar>,
    n_steps: u64,
    /// Steps of this call, and since when.
    n_made: u64,
    begun: Instant,
    loss: Option<f64>,
}

impl Watch {
    /// Shows nothing yet.
    pub(super) fn new(app: &App, json: bool) -> Self {
        let is_shown = !app.quiet && terminal::stderr_is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}");
        let bar = is_shown.then(|| bar(1, style.ok()));
        Self { is_quiet: app.quiet, json, bar, n_steps: 0, n_made: 0, begun: Instant::now(), loss: None }
    }

    /// Shows what has happened.
    pub(super) fn on(&mut self, event: Event<'_>) {
        match event {
            Event::Counting { n_batches } => {
                if let Some(bar) = self.bar.as_ref().filter(|_| n_batches.is_multiple_of(64)) {
                    bar.set_message(format!("counting: {} batches", count(n_batches as usize)));
                }
            }
            Event::Began { step, n_steps, n_parameters } => self.begin(step, n_steps, n_parameters),
            Event::Batch { step, n_done, n_total } => {
                if let Some(bar) = self.bar.as_ref().filter(|_| n_total > 1) {
                    bar.set_position(step - 1);
                    bar.set_prefix(format!("{n_done}/{n_total}"));
                }
            }
            Event::Step(step) => self.step(step),
            Event::Answer(answer) => self.answer(answer),
            Event::Evaluated(evaluated) => self.evaluated(evaluated),
            Event::Saved { .. } => {}
        }
    }

    fn begin(&mut self, step: u64, n_steps: u64, n_parameters: usize) {
        (self.n_steps, self.begun) = (n_steps, Instant::now());
        let parameters = terminal::counted(n_parameters, "parameter");
        let steps = terminal::counted(n_steps as usize, "step");
        self.tell(&match step {
            0 => format!("training {parameters} for {steps}"),
            n => format!("training {parameters} on from step {} of {steps}", count(n as usize)),
        });
        if let Some(bar) = &self.bar {
            bar.set_length(n_steps);
            bar.set_position(step);
        }
    }

    fn step(&mut self, step: &Stepped) {
        self.print(&Line::Step(*step));
        self.n_made += 1;
        let loss = self.loss.map_or(step.loss, |mean| mean + LAST * (step.loss - mean));
        self.loss = Some(loss);
        let left = self.n_steps.saturating_sub(step.step);
        let seconds = self.begun.elapsed().as_secs_f64() / self.n_made as f64 * left as f64;
        let speed = count(step.rows_per_second as usize);
        let text = format!("loss {loss:.3}, {speed} rows/s, {} left", duration(seconds));
        match &self.bar {
            Some(bar) => {
                bar.set_position(step.step);
                bar.set_message(text);
            }
            None if step.step.is_multiple_of((self.n_steps / N_LINES).max(1)) => {
                self.tell(&format!(
                    "step {} of {}: {text}",
                    count(step.step as usize),
                    count(self.n_steps as usize)
                ));
            }
            None => {}
        }
    }

    fn answer(&self, answer: &Answer) {
        if answer.index < N_SHOWN {
            let asked = answer.asked.split("\n\n").last().unwrap_or_default();
            let [asked, found] = [asked, &answer.found].map(|text| isolate(&brief(text)));
            self.tell(&format!("  {asked} → {found}"));
        }
    }

    fn evaluated(&self, evaluated: &Evaluated) {
        self.print(&Line::Evaluation(*evaluated));
        let chrf = evaluated.chrf.map_or_else(String::new, |chrf| format!(", chrF++ {chrf:.1}"));
        let best = if evaluated.is_best { ", the best so far" } else { "" };
        self.tell(&format!(
            "step {}: held-out loss {:.3}{chrf}{best}",
            count(evaluated.step as usize),
            evaluated.loss
        ));
    }

    fn print(&self, line: &Line) {
        if self.json {
            // A run goes on whether or not somebody reads of it.
            let _ = output::print_json(line);
        }
    }

    fn tell(&self, text: &str) {
        match &self.bar {
            _ if self.is_quiet => {}
            Some(bar) => bar.suspend(|| terminal::notice(text)),
            None => terminal::notice(text),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A text as one line that is not too long.
fn brief(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Seconds for people: `45 s`, `12 min`, `3 h 20 min`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        n @ ..120 => format!("{n} s"),
        n @ ..7200 => format!("{} min", (n + 30) / 60),
        n => format!("{} h {} min", n / 3600, n % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units_at_most() {
        assert_eq!(
            [0.4, 119.0, 120.0, 7199.0, 12_000.0].map(duration),
            ["0 s", "119 s", "2 min", "120 min", "3 h 20 min"]
        );
    }

    #[test]
    fn texts_become_short_lines() {
        assert_eq!(brief(" a\n b "), "a b");
        assert_eq!(brief(&"x".repeat(100)).chars().count(), 81);
    }
}
