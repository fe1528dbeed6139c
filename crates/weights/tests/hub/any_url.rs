//! Files of any address: fetched to a path, gone on with, verified, and refused with a reason.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use hala_weights::download::{Download, DownloadError, DownloadEvent, download};

use crate::server::{Repo, Server, sha256};
use crate::{names, paths};

const NAME: &str = "model.gguf";

fn content() -> Vec<u8> {
    (0..500_000u32).flat_map(u32::to_le_bytes).collect()
}

fn files(name: &str, content: Vec<u8>) -> Repo {
    Repo {
        files: [(name.to_owned(), content)].into(),
        headers: vec![("ETag", "\"one\"".to_owned())],
        ..Repo::default()
    }
}

/// A server with one file, and an empty folder.
struct Place {
    server: Server,
    folder: tempfile::TempDir,
    download: Download,
}

fn place(repo: Repo) -> Place {
    let (server, folder) = (Server::start(repo), tempfile::tempdir().unwrap());
    let url = format!("{}/files/{NAME}", server.url);
    let download = Download { n_retries: 0, ..Download::new(url, folder.path().join("models/m.gguf")) };
    Place { server, folder, download }
}

impl Place {
    fn fetch(&self) -> Result<(), DownloadError> {
        download(&self.download, &mut |_| {}, &|| false)
    }

    fn with_sha256(mut self, content: &[u8]) -> Self {
        self.download.sha256 = Some(sha256(content).to_uppercase());
        self
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    /// What the file has; nothing else is in its folder.
    fn content(&self) -> Vec<u8> {
        assert_eq!(names(&self.models()), ["m.gguf"]);
        std::fs::read(&self.download.path).unwrap()
    }

    /// The ranges and versions that were asked for since the last look.
    fn ranges(&self) -> Vec<(Option<String>, Option<String>)> {
        self.server.take_requests().into_iter().map(|r| (r.range, r.if_range)).collect()
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_file_is_fetched_to_its_path_and_told_of() {
    let place = place(files(NAME, content())).with_sha256(&content());
    let mut told = Vec::new();
    download(&place.download, &mut |event| told.push(format!("{event:?}")), &|| false).unwrap();
    assert_eq!(place.content(), content());
    let n = content().len();
    assert_eq!(told[0], format!("Downloading {{ done_bytes: 0, total_bytes: Some({n}) }}"));
    assert_eq!(told[told.len() - 2], format!("Downloading {{ done_bytes: {n}, total_bytes: Some({n}) }}"));
    assert_eq!(told[told.len() - 1], format!("Verifying {{ done_bytes: {n}, total_bytes: {n} }}"));
}

#[test]
fn a_file_that_is_there_and_right_is_not_fetched_again() {
    let place = place(files(NAME, content())).with_sha256(&content());
    place.fetch().unwrap();
    place.server.take_requests();
    let mut n_verified = 0;
    let verify = &mut |event: DownloadEvent<'_>| match event {
        DownloadEvent::Verifying { done_bytes, .. } => n_verified = done_bytes,
        other => panic!("{other:?}"),
    };
    download(&place.download, verify, &|| false).unwrap();
    assert_eq!((n_verified, place.ranges().len()), (content().len() as u64, 0));
    // What is there and is not right is replaced.
    std::fs::write(&place.download.path, b"other").unwrap();
    place.fetch().unwrap();
    assert_eq!(place.content(), content());
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    for has_sha256 in [false, true] {
        let mut place = place(Repo { cuts: vec![700_000], ..files(NAME, content()) });
        if has_sha256 {
            place = place.with_sha256(&content());
        }
        let error = place.fetch().unwrap_err();
        assert!(matches!(error, DownloadError::Interrupted { done_bytes: 700_000, .. }), "{error}");
        assert_eq!(names(&place.models()), ["m.gguf.lock", "m.gguf.part"]);
        place.server.take_requests();
        place.fetch().unwrap();
        assert_eq!(place.content(), content());
        assert_eq!(place.ranges(), [(text("bytes=700000-"), text("\"one\""))]);
    }
}

#[test]
fn a_broken_download_is_tried_again_by_itself() {
    let mut place = place(Repo { cuts: vec![10, 900_000], statuses: vec![503], ..files(NAME, content()) });
    place.download.n_retries = 5;
    let mut n_retried = 0;
    let count = &mut |event: DownloadEvent<'_>| {
        n_retried += usize::from(matches!(event, DownloadEvent::Retrying { .. }));
    };
    download(&place.download, count, &|| false).unwrap();
    assert_eq!((place.content(), n_retried), (content(), 3));
}

#[test]
fn a_file_that_has_changed_is_fetched_anew() {
    let changed: Vec<u8> = content().into_iter().rev().collect();
    let is_unlike = |place: &Place| {
        place.fetch().unwrap_err();
        let mut repo = place.server.repo();
        repo.files.insert(NAME.to_owned(), changed.clone());
        repo.headers = vec![("ETag", "\"two\"".to_owned())];
    };
    let place = place(Repo { cuts: vec![700_000], ..files(NAME, content()) });
    is_unlike(&place);
    place.server.take_requests();
    place.fetch().unwrap();
    assert_eq!(place.content(), changed);
    assert_eq!(place.ranges().len(), 1);
}

#[test]
fn dates_and_ranges_tell_versions_apart_too() {
    let date = || vec![("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT".to_owned())];
    let place = place(Repo { cuts: vec![700_000], headers: date(), ..files(NAME, content()) });
    place.fetch().unwrap_err();
    place.server.take_requests();
    place.fetch().unwrap();
    assert_eq!(place.ranges(), [(text("bytes=700000-"), text("Mon, 01 Jan 2024 00:00:00 GMT"))]);
    assert_eq!(place.content(), content());
}

#[test]
fn a_part_of_no_version_is_gone_on_with_only_where_a_hash_will_tell() {
    for (has_sha256, range) in [(false, None), (true, text("bytes=700000-"))] {
        let mut place = place(Repo { cuts: vec![700_000], headers: vec![], ..files(NAME, content()) });
        if has_sha256 {
            place = place.with_sha256(&content());
        }
        place.fetch().unwrap_err();
        place.server.take_requests();
        place.fetch().unwrap();
        assert_eq!((place.content(), place.ranges()), (content(), vec![(range, None)]));
    }
}

#[test]
fn a_part_of_another_file_is_forgotten() {
    let mut place = place(Repo { cuts: vec![700_000], ..files(NAME, content()) });
    place.fetch().unwrap_err();
    place.server.repo().files.insert("other.gguf".to_owned(), vec![1; 800_000]);
    place.download.url = place.download.url.replace(NAME, "other.gguf");
    place.server.take_requests();
    place.fetch().unwrap();
    assert_eq!((place.content(), place.ranges()), (vec![1; 800_000], vec![(None, None)]));
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let place = place(Repo { cuts: vec![700_000], has_no_ranges: true, ..files(NAME, content()) });
    place.fetch().unwrap_err();
    place.fetch().unwrap();
    assert_eq!(place.content(), content());
}

#[test]
fn a_part_that_was_whole_gets_its_name() {
    let place = place(Repo { cuts: vec![700_000], ..files(NAME, content()) });
    place.fetch().unwrap_err();
    std::fs::write(place.models().join("m.gguf.part"), content()).unwrap();
    place.server.repo().n_weight_bytes = 0;
    place.fetch().unwrap();
    assert_eq!((place.content(), place.server.repo().n_weight_bytes), (content(), 0));
}

#[test]
fn a_length_that_the_server_does_not_know_is_none() {
    let place = place(Repo { has_no_lengths: true, ..files(NAME, content()) }).with_sha256(&content());
    let mut totals = Vec::new();
    let note = &mut |event: DownloadEvent<'_>| {
        if let DownloadEvent::Downloading { total_bytes, .. } = event {
            totals.push(total_bytes);
        }
    };
    download(&place.download, note, &|| false).unwrap();
    assert!(totals.iter().all(Option::is_none) && !totals.is_empty());
    assert_eq!(place.content(), content());
}

#[test]
fn damaged_bytes_are_fetched_once_more_and_then_an_error() {
    let place = place(Repo { n_damaged: 1, ..files(NAME, content()) }).with_sha256(&content());
    place.fetch().unwrap();
    assert_eq!(place.content(), content());
    std::fs::remove_file(&place.download.path).unwrap();
    place.server.repo().n_damaged = 2;
    let error = place.fetch().unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, DownloadError::Corrupt { .. }), "{message}");
    assert!(message.contains(&sha256(&content())), "{message}");
    assert!(names(&place.models()).is_empty());
}

#[test]
fn a_download_is_stopped_while_no_byte_comes_and_goes_on_later() {
    let place = place(Repo { stalls: vec![1000], ..files(NAME, content()) });
    let (is_begun, is_stopped) = (Cell::new(false), Cell::new(false));
    let watch = &mut |event: DownloadEvent<'_>| match event {
        DownloadEvent::Downloading { done_bytes: 1000, .. } => is_begun.set(true),
        DownloadEvent::Waiting => is_stopped.set(is_begun.get()),
        _ => {}
    };
    let stopped = download(&place.download, watch, &|| is_stopped.get());
    assert!(matches!(stopped, Err(DownloadError::Stopped)), "{stopped:?}");
    place.server.take_requests();
    place.fetch().unwrap();
    assert_eq!(place.content(), content());
    assert_eq!(place.ranges(), [(text("bytes=1000-"), text("\"one\""))]);
}

#[test]
fn a_wait_before_another_attempt_is_stopped_too() {
    let mut place = place(Repo { statuses: vec![500; 100], ..files(NAME, content()) });
    place.download.n_retries = 99;
    let is_stopped = Cell::new(false);
    let watch = &mut |event: DownloadEvent<'_>| {
        is_stopped.set(is_stopped.get() || matches!(event, DownloadEvent::Retrying { .. }));
    };
    let stopped = download(&place.download, watch, &|| is_stopped.get());
    assert!(matches!(stopped, Err(DownloadError::Stopped)), "{stopped:?}");
    assert!(names(&place.models()).is_empty());
}

#[test]
fn a_server_that_falls_silent_is_a_broken_connection() {
    let mut place = place(Repo { stalls: vec![1000], ..files(NAME, content()) });
    place.download.silence = Duration::from_millis(300);
    let error = place.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted { done_bytes: 1000, .. }), "{error}");
}

#[test]
fn what_a_server_refuses_is_told_by_its_kind_and_leaves_nothing() {
    let place = place(files(NAME, content()));
    type Expected = fn(&DownloadError) -> bool;
    let table: [(u16, Expected); 6] = [
        (401, |e| matches!(e, DownloadError::Unauthorized { status: 401, .. })),
        (403, |e| matches!(e, DownloadError::Unauthorized { status: 403, .. })),
        (404, |e| matches!(e, DownloadError::NotFound { .. })),
        (429, |e| matches!(e, DownloadError::Status { status: 429, .. })),
        (500, |e| matches!(e, DownloadError::Status { status: 500, .. })),
        (418, |e| matches!(e, DownloadError::Status { status: 418, .. })),
    ];
    for (status, is_expected) in table {
        place.server.repo().statuses = vec![status];
        let error = place.fetch().unwrap_err();
        assert!(is_expected(&error), "{status}: {error}");
        assert!(names(&place.models()).is_empty());
    }
}

#[test]
fn redirections_are_followed() {
    let mut place = place(files(NAME, content()));
    place.download.url = place.download.url.replace("/files/", "/moved/");
    place.fetch().unwrap();
    assert_eq!(place.content(), content());
    assert_eq!(paths(&place.server.take_requests()), ["/moved/model.gguf", "/files/model.gguf"]);
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_anything_is_written() {
    let mut place = place(files(NAME, content()));
    place.download.sha256 = text("0123");
    let folder = Download { path: place.folder.path().to_owned(), sha256: None, ..place.download.clone() };
    let mut downloads = vec![place.download.clone(), folder];
    for url in ["", "ftp://host/x", "model.gguf", "https:/x", "مثال"] {
        downloads.push(Download { url: url.to_owned(), sha256: None, ..place.download.clone() });
    }
    for wrong in downloads {
        let error = download(&wrong, &mut |_| {}, &|| false).unwrap_err();
        assert!(matches!(error, DownloadError::Invalid { .. }), "{wrong:?}: {error}");
    }
    assert!(names(place.folder.path()).is_empty());
}

#[test]
fn secrets_of_an_address_are_not_shown() {
    let mut place = place(files(NAME, content()));
    place.server.repo().statuses = vec![403];
    place.download.url = place.download.url.replace("http://", "http://me:secret@") + "?signature=hidden";
    let message = place.fetch().unwrap_err().to_string();
    assert!(
        message.contains(NAME) && !message.contains("secret") && !message.contains("hidden"),
        "{message}"
    );
}

#[test]
fn a_server_out_of_reach_is_named() {
    let mut place = place(files(NAME, content()));
    // Nothing listens on port 9 of this machine.
    place.download.url = format!("http://127.0.0.1:9/{NAME}");
    let error = place.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("cannot reach http://127.0.0.1:9/model.gguf"), "{error}");
}

#[test]
fn two_downloads_into_one_file_are_refused() {
    let place = place(Repo { stalls: vec![1000], ..files(NAME, content()) });
    let (second, is_done) = (Cell::new(None), Cell::new(false));
    let watch = &mut |event: DownloadEvent<'_>| {
        if matches!(event, DownloadEvent::Downloading { done_bytes: 1000, .. }) {
            second.set(Some(place.fetch().unwrap_err()));
            is_done.set(true);
        }
    };
    download(&place.download, watch, &|| is_done.get()).unwrap_err();
    let second = second.take().unwrap();
    assert!(matches!(second, DownloadError::Locked { .. }), "{second}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let place = place(files(NAME, content()));
    std::fs::create_dir(place.models()).unwrap();
    std::fs::write(place.models().join("m.gguf.lock"), note(&place)).unwrap();
    // The device on which nothing has room.
    std::os::unix::fs::symlink("/dev/full", place.models().join("m.gguf.part")).unwrap();
    let error = place.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Disk { .. }), "{error}");
    assert!(
        error.to_string().contains("m.gguf.part") && error.to_string().contains("Free some space"),
        "{error}"
    );
}

/// What an earlier download of the same version notes.
#[cfg(target_os = "linux")]
fn note(place: &Place) -> String {
    serde_json::json!({ "url": place.download.url, "sha256": null, "version": "\"one\"" }).to_string()
}
