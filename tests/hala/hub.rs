//! Models of the Hub, and files of any address, as an app gets them: told, stopped, and refused with a code.

use std::path::Path;

use hala::{
    Cancel, Download, DownloadEvent, Event, HubEvent, HubModel, HubSettings, ModelSource, Runtime,
    RuntimeOptions,
};
use pollster::block_on;

use crate::server::{ID, Repo, Server, sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A server that has the built-in model, and a cache.
struct Hub {
    server: Server,
    cache: tempfile::TempDir,
    options: RuntimeOptions,
}

fn hub(repo: Repo) -> Hub {
    let files = hala_demo_model::files().into_iter();
    let files = files.map(|(name, content)| (name, content.into_owned())).collect();
    let server = Server::start(Repo { files, commit: COMMIT.to_owned(), ..repo });
    let cache = tempfile::tempdir().unwrap();
    let settings = HubSettings {
        endpoint: server.url.clone(),
        n_retries: 0,
        ..HubSettings::new(cache.path().to_owned())
    };
    let options = RuntimeOptions { hub: Some(settings), ..RuntimeOptions::default() };
    Hub { server, cache, options }
}

fn model() -> HubModel {
    HubModel::parse(ID).unwrap()
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().unwrap().next().is_none()
}

#[test]
fn a_model_of_the_hub_is_fetched_verified_and_loaded() {
    let hub = hub(Repo::default());
    let is_verified = std::sync::Arc::new(std::sync::Mutex::new(false));
    let seen = std::sync::Arc::clone(&is_verified);
    let listener = move |event: Event<'_>| {
        if let Event::Fetching(HubEvent::Verifying { file: "model.safetensors", .. }) = event {
            *seen.lock().unwrap() = true;
        }
    };
    block_on(Runtime::load(ModelSource::Hub(model()), hub.options.clone(), listener)).unwrap();
    assert!(*is_verified.lock().unwrap());
}

#[test]
fn loading_is_stopped_while_the_model_is_fetched() {
    let hub = hub(Repo { stalls: vec![100_000], ..Repo::default() });
    let cancel = hub.options.cancel.clone();
    let listener = move |event: Event<'_>| {
        if let Event::Fetching(HubEvent::Downloading { done_bytes: 100_000, .. }) = event {
            cancel.cancel();
        }
    };
    let stopped = block_on(Runtime::load(ModelSource::Hub(model()), hub.options.clone(), listener));
    let error = stopped.err().unwrap();
    assert!(error.is_cancelled(), "{error}");
    // The flag is down again for whoever goes on.
    hub.options.cancel.reset();
    hub.server.take_requests();
    let folder = hala::fetch(&model(), &mut |_: Event<'_>| {}, &hub.options).unwrap();
    assert!(folder.join("model.safetensors").is_file());
    let ranges: Vec<_> = hub.server.take_requests().into_iter().filter_map(|r| r.range).collect();
    assert!(ranges.contains(&"bytes=100000-".to_owned()), "{ranges:?}");
}

#[test]
fn what_fails_has_a_code() {
    let no_such = HubModel::parse("team/none").unwrap();
    let code = |repo: Repo, model: &HubModel| {
        hala::fetch(model, &mut |_: Event<'_>| {}, &hub(repo).options).unwrap_err().code()
    };
    assert_eq!(code(Repo::default(), &no_such), "not-found");
    assert_eq!(code(Repo { n_damaged: 2, ..Repo::default() }, &model()), "corrupt-download");
    assert_eq!(code(Repo { cuts: vec![9], ..Repo::default() }, &model()), "network");
    assert_eq!(
        code(Repo { refuse_files: Some((403, "GatedRepo")), ..Repo::default() }, &model()),
        "unauthorized"
    );
    assert_eq!(code(Repo { refuse_files: Some((500, "")), ..Repo::default() }, &model()), "http");
}

#[test]
fn what_a_model_of_the_hub_takes_is_told_without_its_weights() {
    let hub = hub(Repo::default());
    let expected = hala::estimate(ModelSource::BuiltIn, &hub.options).unwrap();
    let n_weight_bytes = hub.server.repo().files["model.safetensors"].len();
    let told = hala::estimate(ModelSource::Hub(model()), &hub.options).unwrap();
    assert_eq!(told, expected);
    assert!(hub.server.repo().n_weight_bytes < n_weight_bytes / 10);
    // What is in the cache is looked at there.
    hala::fetch(&model(), &mut |_: Event<'_>| {}, &hub.options).unwrap();
    hub.server.take_requests();
    assert_eq!(hala::estimate(ModelSource::Hub(model()), &hub.options).unwrap(), expected);
    assert!(hub.server.take_requests().is_empty());
}

#[test]
fn what_a_gguf_file_of_the_hub_takes_is_told_by_its_header() {
    for file in ["cohere2/four-layer.gguf", "lfm3/five-layer.gguf"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(file);
        let hub = hub(Repo::default());
        hub.server.repo().files = [("M-Q8_0.gguf".to_owned(), std::fs::read(&path).unwrap())].into();
        let expected = hala::estimate(ModelSource::Path(path), &hub.options).unwrap();
        assert_eq!(hala::estimate(ModelSource::Hub(model()), &hub.options).unwrap(), expected, "{file}");
        assert!(is_empty(hub.cache.path()));
    }
}

#[test]
fn what_cannot_be_told_has_a_code() {
    let code = |repo: Repo| hala::estimate(ModelSource::Hub(model()), &hub(repo).options).unwrap_err().code();
    assert_eq!(code(Repo { has_no_ranges: true, ..Repo::default() }), "http");
    assert_eq!(code(Repo { cuts: vec![9], ..Repo::default() }), "network");
    assert_eq!(code(Repo { statuses: vec![403], ..Repo::default() }), "unauthorized");
    let stopped = hub(Repo::default());
    stopped.options.cancel.cancel();
    let error = hala::estimate(ModelSource::Hub(model()), &stopped.options).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}

#[test]
fn a_file_of_any_address_is_fetched_and_what_fails_has_a_code() {
    let hub = hub(Repo::default());
    let content = hub.server.repo().files["config.json"].clone();
    let mut asked =
        Download::new(format!("{}/files/config.json", hub.server.url), hub.cache.path().join("c.json"));
    asked.sha256 = Some(sha256(&content));
    asked.n_retries = 0;
    let code = |statuses: Vec<u16>, n_damaged: usize| {
        (hub.server.repo().statuses, hub.server.repo().n_damaged) = (statuses, n_damaged);
        hala::download(&asked, &mut |_| {}, &Cancel::new()).unwrap_err().code()
    };
    assert_eq!(code(vec![404], 0), "not-found");
    assert_eq!(code(vec![401], 0), "unauthorized");
    assert_eq!(code(vec![500], 0), "http");
    assert_eq!(code(vec![], 2), "corrupt-download");
    let stopped = Cancel::new();
    stopped.cancel();
    assert_eq!(hala::download(&asked, &mut |_| {}, &stopped).unwrap_err().code(), "aborted");
    let invalid = Download { sha256: Some("no".to_owned()), ..asked.clone() };
    assert_eq!(hala::download(&invalid, &mut |_| {}, &Cancel::new()).unwrap_err().code(), "invalid-request");
    assert!(is_empty(hub.cache.path()));
    let mut is_verified = false;
    let watch =
        &mut |event: DownloadEvent<'_>| is_verified |= matches!(event, DownloadEvent::Verifying { .. });
    hala::download(&asked, watch, &Cancel::new()).unwrap();
    assert_eq!((std::fs::read(&asked.path).unwrap(), is_verified), (content, true));
}
