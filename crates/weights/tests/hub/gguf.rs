//! GGUF files of a repository: one is meant, and fetched alone.

use std::path::PathBuf;

use hala_weights::hub::{HubError, resolve};

use crate::server::{ID, Repo};
use crate::{Bench, COMMIT, bench, names, repo};

/// A repository of GGUF files alone.
fn gguf_repo() -> Repo {
    let files: [(&str, Vec<u8>); 5] = [
        ("M-Q4_K_M.gguf", vec![4; 2_000_000]),
        ("M-Q8_0.gguf", vec![8; 30]),
        ("F16/M-F16.gguf", vec![16; 40]),
        ("mmproj-M.gguf", vec![0; 10]),
        ("README.md", b"# A model".to_vec()),
    ];
    Repo {
        files: files.map(|(name, content)| (name.to_owned(), content)).into(),
        commit: COMMIT.to_owned(),
        ..Repo::default()
    }
}

impl Bench {
    fn pull_file(&self, file: &str) -> Result<PathBuf, HubError> {
        resolve(&format!("{ID}:{file}"), &self.settings, &mut |_| {}, &|| false)
    }
}

#[test]
fn one_gguf_file_is_fetched_by_its_quantisation_and_used_without_the_network() {
    let mut bench = bench(gguf_repo());
    let snapshot = bench.model_folder().join("snapshots").join(COMMIT);
    let path = bench.pull_file("q8_0").unwrap();
    assert_eq!((&path, names(&snapshot)), (&snapshot.join("M-Q8_0.gguf"), vec!["M-Q8_0.gguf".to_owned()]));
    assert_eq!(std::fs::read(&path).unwrap(), [8; 30]);
    let nested = bench.pull_file("F16").unwrap();
    assert_eq!((std::fs::read(&nested).unwrap(), nested), (vec![16; 40], snapshot.join("F16/M-F16.gguf")));
    bench.server.take_requests();
    bench.settings.offline = true;
    assert_eq!(bench.pull_file("M-Q8_0.gguf").unwrap(), path);
    let message = bench.pull_file("Q4_K_M").unwrap_err().to_string();
    assert!(message.contains("HF_HUB_OFFLINE") && message.contains("no Q4_K_M"), "{message}");
    assert!(bench.server.take_requests().is_empty());
}

#[test]
fn a_broken_download_of_a_gguf_file_goes_on_where_it_stopped() {
    let bench = bench(Repo { cuts: vec![700_000], ..gguf_repo() });
    let error = bench.pull_file("Q4_K_M").unwrap_err();
    assert!(matches!(error, HubError::Interrupted { done_bytes: 700_000, .. }), "{error}");
    bench.server.take_requests();
    assert_eq!(std::fs::read(bench.pull_file("Q4_K_M").unwrap()).unwrap(), vec![4; 2_000_000]);
    let ranges: Vec<_> = bench.server.take_requests().into_iter().filter_map(|r| r.range).collect();
    assert!(ranges.contains(&"bytes=700000-".to_owned()), "{ranges:?}");
}

#[test]
fn gguf_files_are_listed_with_their_sizes_where_none_is_meant() {
    let bench = bench(gguf_repo());
    for (error, what) in [
        (bench.pull().unwrap_err(), "several GGUF files: name one, as in `team/small-model:F16`"),
        (bench.pull_file("Q5_0").unwrap_err(), "no GGUF file \"Q5_0\""),
    ] {
        let message = error.to_string();
        for text in [what, "\n  Q4_K_M  M-Q4_K_M.gguf  2.0 MB", "\n  F16  F16/M-F16.gguf  0.0 MB"] {
            assert!(message.contains(text), "{text} is not in {message}");
        }
        assert!(!message.contains("mmproj") && !message.contains("README"), "{message}");
    }
    assert!(!bench.settings.cache.exists());
}

#[test]
fn safetensors_go_before_gguf_files_unless_one_is_named() {
    let bench = bench(repo());
    assert!(bench.pull().unwrap().join("model.safetensors").is_file());
    assert!(bench.pull_file("Q8_0").unwrap().ends_with("model-Q8_0.gguf"));
    // Pulling the one file again by its commit asks nobody; pulling the model still gives the folder.
    assert!(bench.pull().unwrap().is_dir());
}

#[test]
fn a_server_cannot_name_files_outside_the_cache() {
    let mut repo = gguf_repo();
    repo.files = [("../../x-Q4_0.gguf".to_owned(), vec![0; 10])].into();
    let bench = bench(repo);
    let error = bench.pull_file("Q4_0").unwrap_err();
    assert!(matches!(error, HubError::Reply { .. }), "{error}");
    assert!(names(bench.folder.path()).iter().all(|name| name == "hub"));
}
