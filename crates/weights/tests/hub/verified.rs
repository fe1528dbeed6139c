//! What arrives is what the Hub says it is, or an error; and whoever waits can stop.

use std::cell::Cell;

use hala_weights::hub::{HubError, HubEvent, HubSettings, resolve};

use crate::server::{ID, Repo, sha256};
use crate::{Bench, COMMIT, bench, repo, weights};

impl Bench {
    /// Pulls, and gives the events in words, one for each run of equal ones.
    fn pull_told(&self) -> (Result<std::path::PathBuf, HubError>, Vec<String>) {
        let mut told: Vec<String> = Vec::new();
        let pulled = resolve(
            ID,
            &self.settings,
            &mut |event| {
                let word = match event {
                    HubEvent::Downloading { file, .. } => format!("downloading {file}"),
                    HubEvent::Verifying { file, .. } => format!("verifying {file}"),
                    HubEvent::Retrying { file, .. } => format!("retrying {file}"),
                    HubEvent::Waiting | HubEvent::UsingCache { .. } => return,
                };
                if told.last() != Some(&word) {
                    told.push(word);
                }
            },
            &|| false,
        );
        (pulled, told)
    }
}

#[test]
fn every_file_is_verified_by_its_own_kind_of_hash() {
    let (pulled, told) = bench(repo()).pull_told();
    pulled.unwrap();
    let expected = ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"]
        .map(|file| [format!("downloading {file}"), format!("verifying {file}")]);
    assert_eq!(told, expected.concat());
}

#[test]
fn a_large_file_that_comes_damaged_is_fetched_once_more() {
    let bench = bench(Repo { n_damaged: 1, ..repo() });
    let (pulled, told) = bench.pull_told();
    assert_eq!(std::fs::read(pulled.unwrap().join("model.safetensors")).unwrap(), weights(0));
    assert!(told.contains(&"retrying model.safetensors".to_owned()), "{told:?}");
    assert_eq!(bench.server.repo().n_weight_bytes, 2 * weights(0).len());
}

#[test]
fn a_file_that_comes_damaged_twice_is_removed_and_an_error() {
    let bench = bench(Repo { n_damaged: 2, ..repo() });
    let error = bench.pull().unwrap_err();
    let message = error.to_string();
    let HubError::Corrupt { file, found, expected } = error else { panic!("{message}") };
    assert_eq!((file.as_str(), expected.as_str()), ("model.safetensors", sha256(&weights(0)).as_str()));
    assert!(found != expected && message.contains("arrived damaged"), "{message}");
    assert_eq!(bench.part(), None);
    assert!(!bench.model_folder().join("snapshots").join(COMMIT).join("model.safetensors").exists());
    bench.pull().unwrap();
}

#[test]
fn a_small_file_that_is_not_what_git_calls_so_is_an_error() {
    let bench = bench(Repo { etag: Some("0123456789abcdef0123456789abcdef01234567".to_owned()), ..repo() });
    let error = bench.pull().unwrap_err();
    assert!(matches!(&error, HubError::Corrupt { file, .. } if file == "config.json"), "{error}");
    assert_eq!(bench.part(), None);
}

#[test]
fn a_file_whose_etag_is_no_hash_is_taken_as_it_comes() {
    let mut repo = Repo { etag: Some("v1".to_owned()), ..repo() };
    repo.files.retain(|name, _| name == "model-Q8_0.gguf");
    let bench = bench(repo);
    let (pulled, told) = bench.pull_told();
    assert_eq!(std::fs::read(pulled.unwrap()).unwrap(), [0; 10]);
    assert_eq!(told, ["downloading model-Q8_0.gguf"]);
}

#[test]
fn the_part_that_was_there_is_read_again_before_the_rest_comes() {
    let content = weights(0);
    let bench = bench(Repo { cuts: vec![content.len() / 2], ..repo() });
    bench.pull().unwrap_err();
    let (pulled, told) = bench.pull_told();
    pulled.unwrap();
    let file = "model.safetensors";
    let expected = [format!("verifying {file}"), format!("downloading {file}"), format!("verifying {file}")];
    assert_eq!(told, expected);
}

#[test]
fn a_part_that_was_damaged_on_disk_is_fetched_anew() {
    let content = weights(0);
    let half = content.len() / 2;
    let bench = bench(Repo { cuts: vec![half], ..repo() });
    bench.pull().unwrap_err();
    std::fs::write(bench.part().unwrap(), vec![7; half]).unwrap();
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let content = weights(0);
    let bench = bench(Repo { cuts: vec![content.len() / 2], has_no_ranges: true, ..repo() });
    bench.pull().unwrap_err();
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
}

#[test]
fn a_server_that_falls_silent_is_a_broken_connection() {
    let content = weights(0);
    let mut bench = bench(Repo { stalls: vec![1000], ..repo() });
    bench.settings.silence = std::time::Duration::from_millis(300);
    let error = bench.pull().unwrap_err();
    assert!(matches!(error, HubError::Interrupted { done_bytes: 1000, .. }), "{error}");
    assert!(error.to_string().contains("nothing came for 300ms"), "{error}");
    bench.settings.silence = HubSettings::new(Default::default()).silence;
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
}

#[test]
fn a_download_is_stopped_while_no_byte_comes_and_goes_on_later() {
    let content = weights(0);
    let bench = bench(Repo { stalls: vec![1000], ..repo() });
    let (is_begun, is_stopped) = (Cell::new(false), Cell::new(false));
    let stopped = resolve(
        ID,
        &bench.settings,
        &mut |event| match event {
            HubEvent::Downloading { file: "model.safetensors", done_bytes: 1000, .. } => is_begun.set(true),
            HubEvent::Waiting => is_stopped.set(is_begun.get()),
            _ => {}
        },
        &|| is_stopped.get(),
    );
    assert!(matches!(stopped, Err(HubError::Stopped)), "{stopped:?}");
    assert_eq!(bench.part().unwrap().metadata().unwrap().len(), 1000);
    bench.server.take_requests();
    let folder = bench.pull().unwrap();
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), content);
    let ranges: Vec<_> = bench.server.take_requests().into_iter().filter_map(|r| r.range).collect();
    assert_eq!(ranges, ["bytes=1000-"; 2]);
}

#[test]
fn what_is_stopped_before_it_begins_asks_nobody() {
    let bench = bench(repo());
    let stopped = resolve(ID, &bench.settings, &mut |_| {}, &|| true);
    assert!(matches!(stopped, Err(HubError::Stopped)), "{stopped:?}");
    assert!(!bench.settings.cache.exists());
}
