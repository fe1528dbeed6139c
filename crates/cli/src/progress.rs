//! Progress bars on standard error, for people.

use hala_compress::{CompressError, OnProgress, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::App;
use crate::terminal;

/// A bar on standard error; indicatif hides it where that is no terminal.
pub(crate) fn bar(n_total: u64, style: Option<ProgressStyle>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n_total), ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style.unwrap_or_else(ProgressStyle::default_bar))
}

/// A bar for one Plan that is being tuned; hidden where nobody looks.
#[derive(Debug)]
pub(crate) struct TuneBar(Option<ProgressBar>);

impl TuneBar {
    /// A bar for the Plan of so many tokens.
    pub(crate) fn new(n_tokens: usize, app: &App) -> Self {
        let is_shown = !app.quiet && terminal::stderr_is_terminal();
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
        let message = match n_tokens {
            1 => "measuring one token".to_owned(),
            n => format!("measuring {}", terminal::counted(n, "token")),
        };
        Self(is_shown.then(|| bar(1, style.ok()).with_message(message)))
    }

    /// Moves the bar to so many of so many runs.
    pub(crate) fn update(&mut self, n_done: usize, n_total: usize) {
        if let Some(bar) = &self.0 {
            bar.set_length(n_total as u64);
            bar.set_position(n_done as u64);
        }
    }
}

impl Drop for TuneBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A bar for work on a checkpoint's tensors; hidden where nobody looks.
#[derive(Debug)]
pub(crate) struct WorkBar(Option<ProgressBar>);

impl WorkBar {
    /// A bar that has not begun.
    pub(crate) fn new(app: &App) -> Self {
        let is_shown = !app.quiet && terminal::stderr_is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} % {elapsed} {msg:.60}");
        Self(is_shown.then(|| bar(1, style.ok())))
    }

    /// Moves the bar.
    pub(crate) fn update(&mut self, progress: Progress<'_>) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.n_total);
            bar.set_position(progress.n_done);
            bar.set_message(progress.what.to_owned());
        }
    }
}

/// A bar for files that are read once; hidden where nobody looks.
#[derive(Debug)]
pub(crate) struct ShareBar(Option<ProgressBar>);

impl ShareBar {
    /// Parts of the whole that a bar can show.
    const N_PARTS: u64 = 1000;

    /// A bar that has not begun.
    pub(crate) fn new(app: &App) -> Self {
        let is_shown = !app.quiet && terminal::stderr_is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} % {elapsed}");
        Self(is_shown.then(|| bar(Self::N_PARTS, style.ok())))
    }

    /// Moves the bar to a share from 0 to 1.
    pub(crate) fn update(&mut self, share: f64) {
        if let Some(bar) = &self.0 {
            bar.set_position((share * Self::N_PARTS as f64) as u64);
        }
    }
}

impl Drop for ShareBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Does work on a checkpoint's tensors behind a bar, which Ctrl-C stops.
///
/// # Errors
/// Those of the work.
pub(crate) fn with_work_bar<T>(
    app: &App,
    work: impl FnOnce(&mut OnProgress<'_>) -> Result<T, CompressError>,
) -> Result<T, CompressError> {
    let _working = app.interrupt.working();
    let mut bar = WorkBar::new(app);
    work(&mut |progress| {
        bar.update(progress);
        !app.interrupt.cancel().is_cancelled()
    })
}

impl Drop for WorkBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
