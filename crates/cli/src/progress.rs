//! Progress bars on standard error, for people.

use hala_compress::{CompressError, OnProgress, Progress};
use hala_engine::LoadProgress;
use hala_weights::hub::HubEvent;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::App;
use crate::terminal;

/// Weights below this many elements load before a bar could be read.
const LARGE: usize = 50_000_000;

/// A bar for loading weights; hidden for small models and where nobody looks.
#[derive(Debug)]
pub(crate) struct LoadBar {
    bar: Option<ProgressBar>,
    is_shown: bool,
}

impl LoadBar {
    /// A bar that appears with the first weight of a large model.
    pub(crate) fn new(app: &App) -> Self {
        Self { bar: None, is_shown: !app.quiet && terminal::stderr_is_terminal() }
    }

    /// Moves the bar.
    pub(crate) fn update(&mut self, progress: LoadProgress<'_>) {
        if !self.is_shown || progress.n_total < LARGE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("loading {wide_bar} {percent:>3} % {elapsed}");
            bar(progress.n_total as u64, style.ok())
        });
        bar.set_position(progress.n_done as u64);
    }
}

impl Drop for LoadBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar on standard error; indicatif hides it where that is no terminal.
fn bar(n_total: u64, style: Option<ProgressStyle>) -> ProgressBar {
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

/// Bars for files that are fetched; plain lines where nobody looks at a terminal.
#[derive(Debug)]
pub(crate) struct PullBars {
    current: Option<(String, ProgressBar)>,
    is_quiet: bool,
}

impl PullBars {
    /// Bars that appear with the first file.
    pub(crate) fn new(app: &App) -> Self {
        Self { current: None, is_quiet: app.quiet }
    }

    /// Shows what happened.
    pub(crate) fn update(&mut self, event: HubEvent<'_>) {
        if self.is_quiet {
            return;
        }
        match event {
            HubEvent::Downloading { file, done_bytes, total_bytes } => {
                self.move_bar(file, done_bytes, total_bytes);
            }
            HubEvent::Retrying { file } => self.say(&format!("the connection broke; going on with {file}")),
            HubEvent::UsingCache { reason } => {
                self.say(&format!("using the copy in the cache: {reason}"));
            }
        }
    }

    fn move_bar(&mut self, file: &str, n_done: u64, n_total: u64) {
        if self.current.as_ref().is_none_or(|(name, _)| name != file) {
            self.end();
            let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
            let bar = bar(n_total, style.ok()).with_message(file.to_owned());
            if !terminal::stderr_is_terminal() {
                terminal::notice(&format!("fetching {file} ({})", terminal::bytes(n_total as usize)));
            }
            self.current = Some((file.to_owned(), bar));
        }
        if let Some((_, bar)) = &self.current {
            bar.set_position(n_done);
        }
    }

    fn say(&self, text: &str) {
        match &self.current {
            Some((_, bar)) => bar.suspend(|| terminal::notice(text)),
            None => terminal::notice(text),
        }
    }

    /// Leaves a finished file's bar on the screen.
    fn end(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.abandon();
        }
    }
}

impl Drop for PullBars {
    fn drop(&mut self) {
        self.end();
    }
}
