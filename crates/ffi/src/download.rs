//! Models that come over the network.

use std::ffi::c_void;
#[cfg(feature = "hub")]
use std::path::Path;

#[cfg(feature = "hub")]
use hala::{Download, DownloadEvent, Error, Event, HubEvent, HubModel, RuntimeOptions};

#[cfg(feature = "hub")]
use crate::cancel;
use crate::cancel::Cancel;
use crate::entry::entry;
use crate::failure::Failure;
#[cfg(feature = "hub")]
use crate::log::{self, LogLevel};
use crate::owned::{Out, OwnedText};
use crate::progress::ProgressCallback;
#[cfg(feature = "hub")]
use crate::progress::{ProgressKind, Teller};
use crate::sized::{self, Given};
use crate::status::Status;
use crate::text::Text;

/// What comes, and where it goes: `hub`, or `url` with `path`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct DownloadOptions {
    /// sizeof(HalaDownloadOptions).
    pub struct_size: usize,
    /// A model of the Hugging Face Hub, `owner/name[@revision][:file]`, into the cache that Python shares. What the Hub says of its files' SHA-256 is checked.
    pub hub: Text,
    /// One file, by its address.
    pub url: Text,
    /// Where the file goes. Until it is whole and checked it is `path` with `.part` behind it, from which a later call goes on.
    pub path: Text,
    /// What the file's SHA-256 must be, in hexadecimal; not checked where it is not given.
    pub sha256: Text,
    /// Stops the download; what has come is kept.
    pub cancel: *const Cancel,
    /// Is told how it goes.
    pub on_progress: ProgressCallback,
    /// Handed to `on_progress`.
    pub user_data: *mut c_void,
}

// SAFETY: numbers and pointers alone.
unsafe impl Given for DownloadOptions {
    const NAME: &'static str = "HalaDownloadOptions";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// Fetches a model, or goes on where an earlier call stopped. `*path` is where it is: what HalaSource.path takes. What is there already and is right is
/// not fetched again.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_download(options: *const DownloadOptions, path: *mut OwnedText) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let (out, options) = unsafe { (Out::wanted(path), sized::read(options)?) };
        // SAFETY: as the caller says.
        let there = unsafe { fetch(&options) }?;
        out.put(|| there);
        Ok(())
    })
}

/// Fetches what is wanted, and gives where it is.
///
/// # Errors
/// As for [`Wanted::fetch`].
///
/// # Safety
/// Texts are as the struct says.
#[cfg(feature = "hub")]
unsafe fn fetch(options: &DownloadOptions) -> Result<String, Failure> {
    // SAFETY: as the caller says.
    let wanted = unsafe {
        let (hub, url) = (options.hub.read_given("hub")?, options.url.read_given("url")?);
        Wanted {
            hub,
            url,
            path: options.path.read_given("path")?,
            sha256: options.sha256.read_given("sha256")?,
        }
    };
    let flag = cancel::flag(options.cancel)?;
    let teller = Teller { callback: options.on_progress, user_data: options.user_data };
    let stopped = flag.clone();
    let tell = move |kind, name: &str, done, total| {
        if !teller.tell(kind, name, done, total) {
            stopped.cancel();
        }
    };
    wanted.fetch(&RuntimeOptions::stopped_by(&flag), tell)
}

#[cfg(not(feature = "hub"))]
unsafe fn fetch(_: &DownloadOptions) -> Result<String, Failure> {
    Err(Failure::left_out("hub"))
}

/// What comes, and where it goes.
#[cfg(feature = "hub")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) hub: Option<&'a str>,
    pub(crate) url: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) sha256: Option<&'a str>,
}

#[cfg(feature = "hub")]
impl Wanted<'_> {
    /// Fetches it, and gives where it is. Of the options, those of the Hub and the flag that stops it are looked at.
    ///
    /// # Errors
    /// Neither a model nor an address, or both; it cannot be fetched, or was stopped.
    pub(crate) fn fetch(
        &self,
        options: &RuntimeOptions,
        tell: impl Fn(ProgressKind, &str, u64, u64) + Send + Sync,
    ) -> Result<String, Failure> {
        match (self.hub, self.url, self.path) {
            (Some(hub), None, None) if self.sha256.is_none() => {
                let model = HubModel::parse(hub).map_err(Error::from)?;
                let mut listener = |event: Event<'_>| {
                    if let Event::Fetching(event) = event {
                        pass(event, &tell);
                    }
                };
                in_words(&hala::fetch(&model, &mut listener, options)?)
            }
            (None, Some(url), Some(path)) => {
                let sha256 = self.sha256.map(str::to_owned);
                let download = Download { sha256, ..Download::new(url, path) };
                hala::download(&download, &mut |event| pass_download(event, path, &tell), &options.cancel)?;
                Ok(path.to_owned())
            }
            _ => Err(Failure::argument(
                "HalaDownloadOptions",
                "give hub alone, or url and path, with sha256 or without",
            )),
        }
    }
}

/// A path as the interface has it.
///
/// # Errors
/// It is no UTF-8, in which HalaSource.path could not name it.
#[cfg(feature = "hub")]
fn in_words(path: &Path) -> Result<String, Failure> {
    let words = path.to_str().map(str::to_owned);
    words.ok_or_else(|| Failure::argument("the cache", format!("its path is no UTF-8: {}", path.display())))
}

/// Passes on what happens while a model of the Hub comes.
#[cfg(feature = "hub")]
pub(crate) fn pass(event: HubEvent<'_>, tell: &dyn Fn(ProgressKind, &str, u64, u64)) {
    match event {
        HubEvent::Waiting => tell(ProgressKind::Waiting, "", 0, 0),
        HubEvent::Downloading { file, done_bytes, total_bytes } => {
            tell(ProgressKind::Downloading, file, done_bytes, total_bytes);
        }
        HubEvent::Verifying { file, done_bytes, total_bytes } => {
            tell(ProgressKind::Verifying, file, done_bytes, total_bytes);
        }
        HubEvent::Retrying { file, reason } => {
            log::tell(LogLevel::Warn, &format!("{file} is tried again: {reason}"));
            tell(ProgressKind::Retrying, file, 0, 0);
        }
        HubEvent::UsingCache { reason } => {
            let message = format!("the Hub cannot be reached, and the copy in the cache is used: {reason}");
            log::tell(LogLevel::Warn, &message);
        }
    }
}

/// The same of a file of any address.
#[cfg(feature = "hub")]
fn pass_download(event: DownloadEvent<'_>, file: &str, tell: &dyn Fn(ProgressKind, &str, u64, u64)) {
    match event {
        DownloadEvent::Waiting => tell(ProgressKind::Waiting, file, 0, 0),
        DownloadEvent::Downloading { done_bytes, total_bytes } => {
            tell(ProgressKind::Downloading, file, done_bytes, total_bytes.unwrap_or(0));
        }
        DownloadEvent::Verifying { done_bytes, total_bytes } => {
            tell(ProgressKind::Verifying, file, done_bytes, total_bytes);
        }
        DownloadEvent::Retrying { reason } => {
            log::tell(LogLevel::Warn, &format!("{file} is tried again: {reason}"));
            tell(ProgressKind::Retrying, file, 0, 0);
        }
    }
}
