//! Models that come over the network, from a server on this machine that answers as the Hub does.

use tempfile::TempDir;

use crate::client::Client;
use crate::compiler::{Watch, root};
use crate::server::{ID, Repo, Server, sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A server, and a home that is empty.
struct Hub {
    server: Server,
    home: TempDir,
}

/// A server with a small model that has the built-in one's tokenizer.
fn hub(repo: Repo) -> Hub {
    let mut repo = Repo { commit: COMMIT.to_owned(), ..repo };
    for (folder, name) in [
        ("tests/fixtures/lfm3-page", "config.json"),
        ("tests/fixtures/lfm3-page", "model.safetensors"),
        ("crates/demo-model/files", "tokenizer.json"),
        ("crates/demo-model/files", "tokenizer_config.json"),
    ] {
        repo.files.insert(name.to_owned(), std::fs::read(root().join(folder).join(name)).unwrap());
    }
    Hub { server: Server::start(repo), home: tempfile::tempdir().unwrap() }
}

impl Hub {
    /// A run of a program with this server and this home.
    fn client(&self, source: &str, arguments: &[&str]) -> Option<Client> {
        let client = Client::of(source, Watch::Nothing)?.env("HF_ENDPOINT", &self.server.url);
        let client = client.env("HF_HUB_OFFLINE", "0").env("HF_HOME", self.home.path());
        Some(arguments.iter().fold(client, Client::arg))
    }

    /// What the program that loads says of a model of the Hub.
    fn load(&self, id: &str) -> Option<String> {
        self.client("tests/ffi/load.c", &["hub", id]).map(Client::run)
    }

    /// What the program that fetches says.
    fn download(&self, arguments: &[&str]) -> Option<String> {
        self.client("tests/ffi/download.c", arguments).map(Client::run)
    }

    fn address(&self, name: &str) -> String {
        format!("{}/files/{name}", self.server.url)
    }

    fn weights(&self) -> Vec<u8> {
        self.server.repo().files["model.safetensors"].clone()
    }
}

#[track_caller]
fn says(said: Option<String>, parts: &[&str]) {
    let Some(said) = said else { return };
    for part in parts {
        assert!(said.contains(part), "expected {part:?} in {said}");
    }
}

#[test]
fn a_model_of_the_hub_loads() {
    says(hub(Repo::default()).load(ID), &["ok: "]);
}

#[test]
fn a_model_of_the_hub_is_fetched_once() {
    let hub = hub(Repo::default());
    says(hub.download(&["hub", ID]), &["from 0,", "ok: ", COMMIT]);
    let n_sent = hub.server.repo().n_weight_bytes;
    says(hub.download(&["hub", ID]), &["ok: ", COMMIT]);
    assert_eq!(hub.server.repo().n_weight_bytes, n_sent);
}

#[test]
fn what_a_server_refuses_is_told() {
    says(hub(Repo::default()).load("team/no-such-model"), &["not-found: ", "team/no-such-model"]);
    let gated = Repo { refuse_files: Some((403, "GatedRepo")), ..Repo::default() };
    says(hub(gated).load(ID), &["unauthorized: "]);
    let broken = Repo { refuse_files: Some((418, "")), ..Repo::default() };
    says(hub(broken).load(ID), &["http: ", "418"]);
}

#[test]
fn a_file_of_any_address_goes_on_where_it_stopped() {
    let hub = hub(Repo::default());
    hub.server.repo().headers = vec![("ETag", "\"one\"".to_owned())];
    let (path, weights) = (hub.home.path().join("a/model.safetensors"), hub.weights());
    let (address, path_text, sum) =
        (hub.address("model.safetensors"), path.to_str().unwrap(), sha256(&weights));
    let arguments = ["url", &*address, path_text, &*sum];
    let stopped = hub.download(&[&arguments[..], &["stop"]].concat());
    let Some(stopped) = stopped else { return };
    assert!(stopped.contains("aborted: "), "{stopped}");
    assert!(!path.exists());
    let part = path.with_file_name("model.safetensors.part");
    let n_there = std::fs::metadata(&part).map_or(0, |part| part.len());
    says(hub.download(&arguments), &[&format!("from {n_there}, verified yes, retried 0"), "ok: ", path_text]);
    assert_eq!(std::fs::read(&path).unwrap(), weights);
    assert!(!part.exists());
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let hub = hub(Repo { cuts: vec![100_000], ..Repo::default() });
    let path = hub.home.path().join("model.safetensors");
    let address = hub.address("model.safetensors");
    says(hub.download(&["url", &address, path.to_str().unwrap(), ""]), &["retried 1", "ok: "]);
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_refused() {
    let hub = hub(Repo::default());
    let path = hub.home.path().join("model.safetensors");
    let address = hub.address("model.safetensors");
    let said = hub.download(&["url", &address, path.to_str().unwrap(), &sha256(b"another")]);
    says(said, &["corrupt-download: "]);
    assert!(!path.exists());
}

#[test]
fn what_is_to_be_fetched_must_be_said_in_full() {
    let hub = hub(Repo::default());
    says(hub.download(&["url", &hub.address("model.safetensors"), "", ""]), &["invalid-argument: "]);
    says(hub.download(&["hub", ""]), &["invalid-argument: "]);
    says(hub.download(&["hub", "a/b/c/d"]), &["invalid-request: ", "a/b/c/d"]);
}
