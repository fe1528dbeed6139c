//! Models are fetched from a server that answers as the Hub does, resumed, reused, and refused with a reason.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod any_url;
mod gguf;
mod server;
mod verified;

use std::path::{Path, PathBuf};

use hala_tensor::DType;
use hala_weights::Checkpoint;
use hala_weights::hub::{HubError, HubEvent, HubSettings, resolve};
use server::{ID, Repo, Request, Server};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const LATER: &str = "fedcba9876543210fedcba9876543210fedcba98";
/// Floats in the weights: enough that a connection cut in the middle has sent some and kept some.
const N_FLOATS: usize = 100_000;

/// A safetensors file of one vector `w` whose values start at `first`.
fn weights(first: usize) -> Vec<u8> {
    let header =
        format!(r#"{{"w":{{"dtype":"F32","shape":[{N_FLOATS}],"data_offsets":[0,{}]}}}}"#, N_FLOATS * 4);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((first..first + N_FLOATS).flat_map(|i| (i as f32).to_le_bytes()));
    file
}

fn repo() -> Repo {
    let files: [(&str, Vec<u8>); 8] = [
        ("config.json", br#"{"model_type": "lfm2"}"#.to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
        ("chat_template.jinja", b"{{ messages }}".to_vec()),
        ("model.safetensors", weights(0)),
        ("pytorch_model.bin", vec![0; 10]),
        ("model-Q8_0.gguf", vec![0; 10]),
        ("README.md", b"# A model".to_vec()),
        ("onnx/config.json", b"{}".to_vec()),
    ];
    Repo {
        files: files.map(|(name, content)| (name.to_owned(), content)).into(),
        commit: COMMIT.to_owned(),
        ..Repo::default()
    }
}

/// A server, an empty cache and the settings to use them.
struct Bench {
    server: Server,
    settings: HubSettings,
    folder: tempfile::TempDir,
}

fn bench(repo: Repo) -> Bench {
    let (server, folder) = (Server::start(repo), tempfile::tempdir().unwrap());
    let mut settings = HubSettings::new(folder.path().join("hub"));
    settings.endpoint = server.url.clone();
    settings.n_retries = 0;
    Bench { server, settings, folder }
}

impl Bench {
    fn pull(&self) -> Result<PathBuf, HubError> {
        resolve(ID, &self.settings, &mut |_| {}, &|| false)
    }

    fn model_folder(&self) -> PathBuf {
        self.settings.cache.join("models--team--small-model")
    }

    /// What has arrived of a broken download, if anything.
    fn part(&self) -> Option<PathBuf> {
        let blobs = self.model_folder().join("blobs").read_dir().unwrap();
        blobs.map(|e| e.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "part"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn paths(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.path.as_str()).collect()
}

#[test]
fn a_model_is_fetched_into_the_shared_cache_without_what_it_does_not_need() {
    let bench = bench(repo());
    let folder = bench.pull().unwrap();
    assert_eq!(folder, bench.model_folder().join("snapshots").join(COMMIT));
    assert_eq!(names(&folder), ["chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"]);
    let refs = bench.model_folder().join("refs");
    assert_eq!(
        (names(&refs), std::fs::read_to_string(refs.join("main")).unwrap().as_str()),
        (vec!["main".to_owned()], COMMIT)
    );
    let checkpoint = Checkpoint::open(&folder).unwrap();
    assert_eq!(checkpoint.load("w", DType::F32).unwrap().to_f32()[N_FLOATS - 1], (N_FLOATS - 1) as f32);
    #[cfg(unix)]
    assert!(folder.join("config.json").read_link().unwrap().starts_with("../../blobs"));
}

#[test]
fn a_second_run_asks_for_the_commit_and_fetches_nothing() {
    let bench = bench(repo());
    let first = bench.pull().unwrap();
    bench.server.take_requests();
    assert_eq!(bench.pull().unwrap(), first);
    assert_eq!(paths(&bench.server.take_requests()), [format!("/api/models/{ID}/revision/main")]);
    let by_commit = resolve(&format!("{ID}@{COMMIT}"), &bench.settings, &mut |_| {}, &|| false).unwrap();
    assert_eq!((by_commit, bench.server.take_requests().len()), (first, 0));
}

#[test]
fn progress_counts_every_byte_of_every_file() {
    let bench = bench(repo());
    let mut done = std::collections::BTreeMap::new();
    let count = &mut |event: HubEvent<'_>| {
        if let HubEvent::Downloading { file, done_bytes, total_bytes } = event {
            assert!(done_bytes <= total_bytes);
            done.insert(file.to_owned(), (done_bytes, total_bytes));
        }
    };
    resolve(ID, &bench.settings, count, &|| false).unwrap();
    let n = weights(0).len() as u64;
    assert_eq!(done["model.safetensors"], (n, n));
    assert_eq!(done.len(), 4);
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let content = weights(0);
    let half = content.len() / 2;
    let bench = bench(Repo { cuts: vec![half], ..repo() });
    let error = bench.pull().unwrap_err();
    let message = error.to_string();
    let HubError::Interrupted { file, done_bytes, .. } = error else { panic!("{message}") };
    assert_eq!((file.as_str(), done_bytes), ("model.safetensors", half as u64), "{message}");
    assert!(message.contains("run it again to go on"), "{message}");
    assert!(!bench.model_folder().join("snapshots").join(COMMIT).join("model.safetensors").exists());
    bench.server.take_requests();
    bench.server.repo().n_weight_bytes = 0;
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
    let ranges: Vec<_> =
        bench.server.take_requests().into_iter().filter_map(|request| request.range).collect();
    assert!(ranges.contains(&format!("bytes={half}-")), "{ranges:?}");
    assert_eq!(bench.server.repo().n_weight_bytes, content.len() - half);
}

#[test]
fn a_broken_download_is_tried_again_by_itself() {
    let content = weights(0);
    let mut bench = bench(Repo { cuts: vec![content.len() / 3, 0, content.len() / 4], ..repo() });
    bench.settings.n_retries = 3;
    let mut n_retried = 0;
    let count = &mut |event: HubEvent<'_>| {
        n_retried += usize::from(matches!(event, HubEvent::Retrying { file: "model.safetensors", .. }));
    };
    let folder = resolve(ID, &bench.settings, count, &|| false);
    assert_eq!(std::fs::read(folder.unwrap().join("model.safetensors")).unwrap(), content);
    assert_eq!(n_retried, 3);
}

#[test]
fn a_download_that_ended_just_before_its_renaming_is_finished_without_the_network() {
    let content = weights(0);
    let bench = bench(Repo { cuts: vec![content.len() / 2], ..repo() });
    bench.pull().unwrap_err();
    std::fs::write(bench.part().unwrap(), &content).unwrap();
    bench.server.repo().n_weight_bytes = 0;
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
    assert_eq!(bench.server.repo().n_weight_bytes, 0);
}

#[test]
fn what_has_arrived_is_dropped_when_it_is_longer_than_the_file() {
    let content = weights(0);
    let bench = bench(Repo { cuts: vec![content.len() / 2], ..repo() });
    bench.pull().unwrap_err();
    std::fs::write(bench.part().unwrap(), vec![0; content.len() + 1]).unwrap();
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
    assert!(bench.part().is_none());
}

#[test]
fn a_new_commit_fetches_only_what_changed() {
    let bench = bench(repo());
    let first = bench.pull().unwrap();
    bench.server.take_requests();
    {
        let mut repo = bench.server.repo();
        repo.commit = LATER.to_owned();
        repo.files.insert("config.json".to_owned(), br#"{"model_type": "other"}"#.to_vec());
        repo.n_weight_bytes = 0;
    }
    let second = bench.pull().unwrap();
    assert_ne!(first, second);
    assert_eq!(bench.server.repo().n_weight_bytes, 0);
    let kind = |folder: &Path| {
        let checkpoint = Checkpoint::open(folder).unwrap();
        checkpoint.config().unwrap().model_type().unwrap().unwrap().to_owned()
    };
    assert_eq!((kind(&first), kind(&second)), ("lfm2".to_owned(), "other".to_owned()));
}

#[test]
fn shards_are_fetched_through_the_index() {
    let mut repo = repo();
    let whole = repo.files.remove("model.safetensors").unwrap();
    repo.files.insert("model-00001-of-00001.safetensors".to_owned(), whole.clone());
    repo.files.insert("unused.safetensors".to_owned(), whole);
    let index = br#"{"weight_map": {"w": "model-00001-of-00001.safetensors"}}"#;
    repo.files.insert("model.safetensors.index.json".to_owned(), index.to_vec());
    let mut bench = bench(repo);
    let folder = bench.pull().unwrap();
    assert!(Checkpoint::open(&folder).unwrap().contains("w"));
    assert!(!folder.join("unused.safetensors").exists());
    bench.settings.offline = true;
    assert_eq!(bench.pull().unwrap(), folder);
    std::fs::remove_file(folder.join("model-00001-of-00001.safetensors")).unwrap();
    assert!(bench.pull().unwrap_err().to_string().contains("no model-00001-of-00001.safetensors"));
}

#[test]
fn offline_uses_the_cache_and_never_the_network() {
    let mut bench = bench(repo());
    bench.settings.offline = true;
    let message = bench.pull().unwrap_err().to_string();
    assert!(message.contains("HF_HUB_OFFLINE") && message.contains(ID), "{message}");
    bench.settings.offline = false;
    let folder = bench.pull().unwrap();
    bench.server.take_requests();
    bench.settings.offline = true;
    assert_eq!(bench.pull().unwrap(), folder);
    assert!(bench.server.take_requests().is_empty());
    let other = resolve(&format!("{ID}@v2"), &bench.settings, &mut |_| {}, &|| false).unwrap_err();
    assert!(matches!(other, HubError::Offline { .. }), "{other}");
}

#[test]
fn a_server_out_of_reach_leaves_the_cache() {
    let mut bench = bench(repo());
    let folder = bench.pull().unwrap();
    // Nothing listens on port 9 of this machine.
    bench.settings.endpoint = "http://127.0.0.1:9".to_owned();
    let mut told = false;
    let tell = &mut |event: HubEvent<'_>| told |= matches!(event, HubEvent::UsingCache { .. });
    let cached = resolve(ID, &bench.settings, tell, &|| false);
    assert_eq!((cached.unwrap(), told), (folder, true));
    bench.settings.cache = bench.folder.path().join("other");
    let message = bench.pull().unwrap_err().to_string();
    assert!(
        message.contains("cannot reach http://127.0.0.1:9") && message.contains("HF_ENDPOINT"),
        "{message}"
    );
}

#[test]
fn a_branch_with_a_slash_is_a_revision() {
    let bench = bench(repo());
    let folder = resolve(&format!("{ID}@refs/pr/1"), &bench.settings, &mut |_| {}, &|| false).unwrap();
    let noted = std::fs::read_to_string(bench.model_folder().join("refs/refs/pr/1")).unwrap();
    assert_eq!((folder.ends_with(COMMIT), noted.as_str()), (true, COMMIT));
}

#[test]
fn a_token_is_sent_and_a_wrong_one_is_named_but_not_shown() {
    let mut bench = bench(Repo { token: Some("hf_right".to_owned()), ..repo() });
    let message = bench.pull().unwrap_err().to_string();
    assert!(message.contains("has no model") && message.contains("HF_TOKEN"), "{message}");
    bench.settings.token = Some("hf_wrong".to_owned());
    let error = bench.pull().unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, HubError::BadToken { .. }) && !message.contains("hf_wrong"), "{message}");
    bench.settings.token = Some("hf_right".to_owned());
    bench.pull().unwrap();
}

#[test]
fn the_token_file_of_the_cache_is_not_used_unless_the_settings_say_so() {
    let bench = bench(repo());
    std::fs::write(bench.folder.path().join("token"), "hf_stray").unwrap();
    bench.pull().unwrap();
    assert!(bench.server.take_requests().iter().all(|request| request.token.is_none()));
}

#[test]
fn a_gated_model_says_where_its_terms_are() {
    for (token, status) in [(None, 401), (Some("hf_x".to_owned()), 403)] {
        let mut bench = bench(Repo { refuse_files: Some((status, "GatedRepo")), ..repo() });
        bench.settings.token = token;
        let message = bench.pull().unwrap_err().to_string();
        assert!(
            message.contains(&format!("is gated: accept its terms at {}/{ID}", bench.server.url)),
            "{message}"
        );
    }
}

#[test]
fn a_model_or_revision_that_does_not_exist_is_named() {
    let bench = bench(repo());
    let error = resolve("team/no-such", &bench.settings, &mut |_| {}, &|| false).unwrap_err();
    assert!(
        matches!(error, HubError::NotFound { .. }) && error.to_string().contains("`team/no-such`"),
        "{error}"
    );
    let error = resolve(&format!("{ID}@v9"), &bench.settings, &mut |_| {}, &|| false).unwrap_err();
    assert!(matches!(error, HubError::Revision { .. }) && error.to_string().contains("`v9`"), "{error}");
    assert!(!bench.settings.cache.exists());
}

#[test]
fn a_model_without_safetensors_or_config_is_refused_before_anything_is_fetched() {
    for missing in ["model.safetensors", "config.json"] {
        let mut repo = repo();
        repo.files.remove("model-Q8_0.gguf");
        repo.files.remove(missing);
        let message = bench(repo).pull().unwrap_err().to_string();
        assert!(message.contains(&format!("`{ID}` has no {missing}")), "{message}");
    }
}

#[test]
fn a_server_that_fails_is_named_with_its_status() {
    let bench = bench(Repo { refuse_files: Some((503, "")), ..repo() });
    let error = bench.pull().unwrap_err();
    assert!(matches!(error, HubError::Status { status: 503, .. }), "{error}");
}

#[test]
fn a_server_cannot_place_files_outside_the_cache() {
    let etags = ["../../../escaped", "", ".hidden", "a/b"];
    for etag in etags {
        let bench = bench(Repo { etag: Some(etag.to_owned()), ..repo() });
        let error = bench.pull().unwrap_err();
        assert!(matches!(error, HubError::Reply { .. }), "{etag}: {error}");
        assert!(names(bench.folder.path()).iter().all(|name| name == "hub"));
    }
    let escaped = || "../../escaped".to_owned();
    for repo in [Repo { commit: escaped(), ..repo() }, Repo { file_commit: Some(escaped()), ..repo() }] {
        assert!(matches!(bench(repo).pull(), Err(HubError::Reply { .. })));
    }
}

#[test]
fn a_blob_that_was_deleted_is_fetched_again() {
    let bench = bench(repo());
    let folder = bench.pull().unwrap();
    std::fs::remove_dir_all(bench.model_folder().join("blobs")).unwrap();
    assert_eq!(bench.pull().unwrap(), folder);
    assert!(Checkpoint::open(&folder).unwrap().contains("w"));
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let mut bench = bench(repo());
    let file = bench.folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    bench.settings.cache = file;
    let error = bench.pull().unwrap_err();
    assert!(matches!(error, HubError::Cache { .. }) && error.to_string().contains("HF_HOME"), "{error}");
}

#[test]
fn a_path_that_exists_is_no_request() {
    let bench = bench(repo());
    let text = bench.folder.path().to_str().unwrap();
    assert_eq!(resolve(text, &bench.settings, &mut |_| {}, &|| false).unwrap(), bench.folder.path());
    assert!(bench.server.take_requests().is_empty());
}
