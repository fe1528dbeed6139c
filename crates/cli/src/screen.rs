//! What a person sees while a model comes, is loaded, or goes on with another device.

use hala::{Event, Listener, Notice};
use hala_engine::LoadProgress;
use hala_plan::Device;
use hala_weights::hub::HubEvent;
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::App;
use crate::progress::bar;
use crate::terminal;

/// Shows what happens on standard error.
#[derive(Debug)]
pub(crate) struct Screen {
    is_quiet: bool,
    load: LoadBar,
    pull: PullBars,
}

impl Screen {
    /// A screen with nothing on it.
    pub(crate) fn new(app: &App) -> Self {
        Self { is_quiet: app.quiet, load: LoadBar::default(), pull: PullBars::default() }
    }
}

impl Listener for Screen {
    fn tell(&mut self, event: Event<'_>) {
        match event {
            _ if self.is_quiet => {}
            Event::Fetching(event) => self.pull.update(event),
            Event::Loading(progress) => self.load.update(progress),
            Event::Notice(notice) => show(&notice),
            // A model's first run takes a moment longer, and is over before anybody could act on it.
            Event::FirstRun { .. } => {}
            Event::DeviceLost { reason } => terminal::notice(&format!("{reason}; setting it up again")),
            Event::DeviceChanged { device: Device { backend, name }, .. } => {
                terminal::notice(&format!("going on with {backend}: {name}"));
            }
        }
    }
}

fn show(notice: &Notice) {
    match notice {
        Notice::PassedOver(_) => terminal::notice(&notice.to_string()),
        Notice::OnCpu { .. } | Notice::AskedFor { .. } | Notice::TunedUnused { .. } => {
            terminal::notice_later(&notice.to_string());
        }
        Notice::Converted(_) if !terminal::stderr_is_terminal() => {}
        Notice::Converted(_) => terminal::notice_later(&notice.to_string()),
    }
}

/// Weights below this many elements load before a bar could be read.
const LARGE: usize = 50_000_000;

/// A bar for loading weights; hidden for small models and where nobody looks.
#[derive(Debug, Default)]
struct LoadBar(Option<ProgressBar>);

impl LoadBar {
    /// Moves the bar, which appears with the first weight of a large model.
    fn update(&mut self, progress: LoadProgress<'_>) {
        if progress.n_total < LARGE {
            return;
        }
        let bar = self.0.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("loading {wide_bar} {percent:>3} % {elapsed}");
            bar(progress.n_total as u64, style.ok())
        });
        bar.set_position(progress.n_done as u64);
        if progress.n_done == progress.n_total {
            self.clear();
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for LoadBar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Bars for files that are fetched; plain lines where nobody looks at a terminal.
#[derive(Debug, Default)]
struct PullBars {
    current: Option<(String, ProgressBar)>,
}

impl PullBars {
    /// Shows what happened.
    fn update(&mut self, event: HubEvent<'_>) {
        match event {
            HubEvent::Downloading { file, done_bytes, total_bytes } => {
                self.move_bar(&format!("fetching {file}"), done_bytes, total_bytes);
            }
            // What ends a download is over at once: it was hashed while it came.
            HubEvent::Verifying { done_bytes, total_bytes, .. } if done_bytes == total_bytes => {}
            HubEvent::Verifying { file, done_bytes, total_bytes } => {
                self.move_bar(&format!("verifying {file}"), done_bytes, total_bytes);
            }
            HubEvent::Waiting => {}
            HubEvent::Retrying { file, reason } => self.say(&format!("{reason}; going on with {file}")),
            HubEvent::UsingCache { reason } => {
                self.say(&format!("using the copy in the cache: {reason}"));
            }
        }
    }

    fn move_bar(&mut self, what: &str, n_done: u64, n_total: u64) {
        if self.current.as_ref().is_none_or(|(name, _)| name != what) {
            self.end();
            let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
            let bar = bar(n_total, style.ok()).with_message(what.to_owned());
            if !terminal::stderr_is_terminal() {
                terminal::notice(&format!("{what} ({})", terminal::bytes(n_total as usize)));
            }
            self.current = Some((what.to_owned(), bar));
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
