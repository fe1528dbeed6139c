//! Models of the Hub, from a server on this machine that answers as the Hub does.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::checkpoint::two_layer;
use crate::server::{ID, Repo, Server};
use crate::{Hala, hala, names};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Attempts for each file before the command gives up.
const N_ATTEMPTS: usize = 6;

/// A server with a fixture on it, and an empty cache.
struct Hub {
    server: Server,
    home: TempDir,
}

fn hub(repo: Repo) -> Hub {
    let mut repo = Repo { commit: COMMIT.to_owned(), ..repo };
    for name in ["config.json", "model.safetensors"] {
        repo.files.insert(name.to_owned(), std::fs::read(two_layer().join(name)).unwrap());
    }
    Hub { server: Server::start(repo), home: tempfile::tempdir().unwrap() }
}

impl Hub {
    /// A run with this server and this cache.
    fn hala(&self, arguments: &[&str]) -> Hala {
        let run = hala(arguments).env("HF_HOME", self.home.path()).env("HF_HUB_OFFLINE", "0");
        run.env("HF_ENDPOINT", &self.server.url)
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("hub/models--team--small-model/snapshots").join(COMMIT)
    }

    fn n_requests(&self) -> usize {
        self.server.take_requests().len()
    }
}

#[test]
fn pull_fetches_a_model_and_prints_its_folder() {
    let hub = hub(Repo::default());
    let done = hub.hala(&["pull", ID]).run();
    assert!(done.stderr.contains("fetching model.safetensors (148.8 kB)"), "{done:?}");
    assert_eq!(done.text(), format!("{}\n", hub.folder().display()));
    assert_eq!(names(&hub.folder()), ["config.json", "model.safetensors"]);
    for name in names(&hub.folder()) {
        assert_eq!(
            std::fs::read(hub.folder().join(&name)).unwrap(),
            std::fs::read(two_layer().join(name)).unwrap()
        );
    }
}

#[test]
fn pull_prints_nothing_but_the_folder_when_it_is_quiet() {
    let hub = hub(Repo::default());
    let done = hub.hala(&["pull", "--quiet", ID]).run();
    assert_eq!(done.stderr, "");
    assert_eq!(done.text(), format!("{}\n", hub.folder().display()));
}

#[test]
fn a_second_pull_downloads_nothing() {
    let hub = hub(Repo::default());
    let first = hub.hala(&["pull", ID]).run().text();
    hub.server.take_requests();
    hub.server.repo().n_weight_bytes = 0;
    let second = hub.hala(&["pull", ID]).run();
    assert_eq!((second.stderr.as_str(), hub.server.repo().n_weight_bytes), ("", 0));
    assert_eq!(second.text(), first);
    // It asks which commit `main` is, and no more.
    assert_eq!(hub.n_requests(), 1);
}

#[test]
fn a_broken_download_goes_on_by_itself() {
    let hub = hub(Repo { cuts: vec![70_000], ..Repo::default() });
    let done = hub.hala(&["pull", ID]).run();
    assert!(done.stderr.contains("going on with model.safetensors"), "{done:?}");
    done.text();
    let ranges: Vec<_> = hub.server.take_requests().into_iter().filter_map(|r| r.range).collect();
    assert!(ranges.contains(&"bytes=70000-".to_owned()), "{ranges:?}");
}

#[test]
fn a_download_that_keeps_breaking_is_an_error_and_the_next_run_goes_on_from_there() {
    let hub = hub(Repo { cuts: vec![20_000; N_ATTEMPTS], ..Repo::default() });
    let failed = hub.hala(&["pull", "--quiet", ID]).run();
    failed.refused(&["model.safetensors", "120000 bytes are kept", "run it again"]);
    assert!(!hub.folder().join("model.safetensors").exists());
    hub.server.take_requests();
    hub.hala(&["pull", ID]).run().text();
    let ranges: Vec<_> = hub.server.take_requests().into_iter().filter_map(|r| r.range).collect();
    assert!(ranges.contains(&"bytes=120000-".to_owned()), "{ranges:?}");
    let weights = std::fs::read(hub.folder().join("model.safetensors")).unwrap();
    assert_eq!(weights, std::fs::read(two_layer().join("model.safetensors")).unwrap());
}

#[test]
fn offline_the_cache_is_enough_and_nothing_is_asked() {
    let hub = hub(Repo::default());
    let offline = || hub.hala(&["pull", ID]).env("HF_HUB_OFFLINE", "1").run();
    offline().refused(&["HF_HUB_OFFLINE", ID]);
    let folder = hub.hala(&["pull", ID]).run().text();
    hub.server.take_requests();
    assert_eq!(offline().text(), folder);
    assert_eq!(hub.n_requests(), 0);
}

#[test]
fn without_a_server_the_cache_is_used_and_said_to_be() {
    let hub = hub(Repo::default());
    // Nothing listens on port 9 of this machine.
    let unreachable = || hub.hala(&["pull", ID]).env("HF_ENDPOINT", "http://127.0.0.1:9").run();
    unreachable().refused(&["cannot reach http://127.0.0.1:9", "HF_ENDPOINT"]);
    let folder = hub.hala(&["pull", ID]).run().text();
    let cached = unreachable();
    assert!(cached.stderr.contains("using the copy in the cache"), "{cached:?}");
    assert_eq!(cached.text(), folder);
}

#[test]
fn a_model_or_revision_that_does_not_exist_is_named_and_nothing_is_written() {
    let hub = hub(Repo::default());
    hub.hala(&["pull", "team/none"]).run().refused(&["no model `team/none`"]);
    hub.hala(&["pull", "team/small-model@v9"]).run().refused(&["no revision `v9`"]);
    hub.hala(&["generate", "--ids", "1", "--model", "team/none"])
        .run()
        .refused(&["`team/none`", "no such path"]);
    assert!(names(hub.home.path()).is_empty());
}

/// A server with the four-layer GGUF fixture under the names of two quantisations.
fn gguf_hub() -> Hub {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/cohere2/four-layer.gguf");
    let bytes = std::fs::read(path).unwrap();
    let files = ["M-Q4_0.gguf", "M-Q8_0.gguf", "mmproj-M.gguf"].map(|name| (name.to_owned(), bytes.clone()));
    let repo = Repo { files: files.into(), commit: COMMIT.to_owned(), ..Repo::default() };
    Hub { server: Server::start(repo), home: tempfile::tempdir().unwrap() }
}

#[test]
fn a_gguf_file_is_fetched_by_its_quantisation_and_runs_wherever_a_model_does() {
    let hub = gguf_hub();
    let file = hub.folder().join("M-Q8_0.gguf");
    let done = hub.hala(&["pull", "team/small-model:q8_0"]).run();
    assert_eq!(done.text(), format!("{}\n", file.display()));
    assert_eq!(names(&hub.folder()), ["M-Q8_0.gguf"]);
    hub.server.take_requests();
    let generate = |model: &str| {
        let run = hub.hala(&[
            "generate",
            "--ids",
            "1,5",
            "--max-tokens",
            "2",
            "--backend",
            "cpu",
            "--model",
            model,
        ]);
        run.env("HF_HUB_OFFLINE", "1").run()
    };
    let local = hala(&["generate", "--ids", "1,5", "--max-tokens", "2", "--backend", "cpu"]).model(&file);
    assert_eq!(generate("team/small-model:Q8_0").text(), local.run().text());
    assert_eq!(hub.n_requests(), 0);
    generate("team/small-model:Q4_0").refused(&["HF_HUB_OFFLINE", "no Q4_0"]);
}

#[test]
fn gguf_files_are_offered_where_none_is_named() {
    let hub = gguf_hub();
    for id in ["team/small-model", "team/small-model:Q5_K_M"] {
        let done = hub.hala(&["pull", id]).run();
        done.refused(&["\n  Q4_0  M-Q4_0.gguf  0.", "\n  Q8_0  M-Q8_0.gguf  0.", " MB"]);
        assert!(!done.stderr.contains("mmproj"), "{done:?}");
    }
    hub.hala(&["inspect", "team/small-model"]).run().refused(&["as in `team/small-model:Q4_0`"]);
    assert!(names(hub.home.path()).is_empty());
}

#[test]
fn what_is_no_id_is_refused_without_asking() {
    let hub = hub(Repo::default());
    for id in ["small-model", "a/b/c", "../x", ""] {
        hub.hala(&["pull", id]).run().refused(&[&format!("{id:?}"), "owner/name"]);
    }
    assert_eq!(hub.n_requests(), 0);
}

#[test]
fn a_token_opens_what_is_private_and_is_never_shown() {
    let hub = hub(Repo { token: Some("hf_right".to_owned()), ..Repo::default() });
    hub.hala(&["pull", ID]).run().refused(&["HF_TOKEN"]);
    let wrong = hub.hala(&["pull", ID]).env("HF_TOKEN", "hf_wrong").run();
    wrong.refused(&["token"]);
    assert!(!wrong.stderr.contains("hf_wrong"), "{wrong:?}");
    hub.hala(&["pull", ID]).env("HF_TOKEN", "hf_right").run().text();
}

#[test]
fn every_command_fetches_the_model_that_it_runs() {
    let hub = hub(Repo::default());
    let local = hala(&["generate", "--ids", "1,5", "--max-tokens", "2"]).model(two_layer()).run().text();
    let fetched = ["generate", "--model", "team/small-model@main", "--ids", "1,5", "--max-tokens", "2"];
    let done = hub.hala(&fetched).run();
    assert!(done.stderr.contains("fetching model.safetensors"), "{done:?}");
    assert_eq!(done.text(), local);
    let by_commit = format!("{ID}@{COMMIT}");
    hub.hala(&["bench", "--model", &by_commit, "--prompt", "2", "--generate", "1", "--json"]).run().json();
    hub.hala(&["inspect", ID]).run().text();
}
