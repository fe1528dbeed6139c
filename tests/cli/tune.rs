//! `hala tune`: what it measures, what it keeps, and what becomes of a file that is of no use.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hala_tests::devices;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{Done, hala, names};

/// A machine's first adapter, tuned on the built-in model once for all tests.
struct Tuned {
    adapter: &'static str,
    cache: TempDir,
    table: String,
}

/// `None` where there is no adapter, or one without a clock: its tests are skipped.
fn tuned() -> Option<&'static Tuned> {
    static TUNED: LazyLock<Option<Tuned>> = LazyLock::new(|| {
        let adapter = devices::for_models().into_iter().next()?;
        let cache = tempdir().unwrap();
        let run = hala(&["tune", "--repeat", "1", "--tokens", "1", "--adapter", adapter])
            .env("XDG_CACHE_HOME", cache.path());
        let done = run.run();
        if done.stderr.contains("it has no timestamps") {
            return None;
        }
        assert!(done.stderr.contains("kept in "), "{done:?}");
        Some(Tuned { adapter, table: done.text(), cache })
    });
    TUNED.as_ref()
}

/// The one file in a cache.
fn file(cache: &Path) -> PathBuf {
    let folder = cache.join("hala").join("tuned");
    match &names(&folder)[..] {
        [name] => folder.join(name),
        names => panic!("{names:?} in {}", folder.display()),
    }
}

impl Tuned {
    /// What is kept.
    fn choices(&self) -> Value {
        serde_json::from_slice(&fs::read(file(self.cache.path())).unwrap()).unwrap()
    }

    /// A cache with this text in place of what is kept.
    fn cache_with(&self, text: &str) -> TempDir {
        let cache = tempdir().unwrap();
        let folder = cache.path().join("hala").join("tuned");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file(self.cache.path()).file_name().unwrap()), text).unwrap();
        cache
    }

    /// The table of tuning for two sequences that decode, with what a cache holds.
    fn tune_two(&self, cache: &Path) -> String {
        let run = hala(&["tune", "--repeat", "1", "--tokens", "2", "--adapter", self.adapter]);
        run.env("XDG_CACHE_HOME", cache).run().text()
    }

    /// A translation with this text in place of what is kept.
    fn translate_with(&self, text: &str, arguments: &[&str]) -> Done {
        let cache = self.cache_with(text);
        let run = hala(&["translate", "Good morning.", "--backend", "wgpu", "--adapter", self.adapter]);
        run.args(arguments).env("XDG_CACHE_HOME", cache.path()).run()
    }
}

#[test]
fn every_product_of_a_token_is_measured_and_kept() {
    let Some(tuned) = tuned() else { return };
    let choices = tuned.choices();
    let ways = choices["ways"].as_object().unwrap();
    for op in ["matmul", "matmul.norm", "matmul.norm.three", "short_conv", "swiglu.norm"] {
        let product = format!("{op} int8 T=1 ");
        assert!(ways.keys().any(|question| question.starts_with(&product)), "{choices}");
    }
    for (question, way) in ways {
        let way = way.as_str().unwrap();
        let is_chosen = |line: &&str| line.starts_with(question) && line.contains('◂') && line.contains(way);
        assert_eq!(tuned.table.lines().filter(is_chosen).count(), 1, "{question}: {}", tuned.table);
    }
    assert!(choices["origin"]["device"].as_str().unwrap().contains(tuned.adapter), "{choices}");
}

#[test]
fn what_is_kept_is_used_without_a_word_and_changes_no_text() {
    let Some(tuned) = tuned() else { return };
    let expected = hala(&["translate", "Good morning."]).run().text();
    let done = tuned.translate_with(&tuned.choices().to_string(), &[]);
    assert_eq!((done.stderr.as_str(), done.stdout.as_str()), ("", expected.as_str()));
}

#[test]
fn a_file_that_is_of_no_use_is_told_once_and_changes_no_text() {
    let Some(tuned) = tuned() else { return };
    let expected = hala(&["translate", "Good morning."]).run().text();
    let mut foreign = tuned.choices();
    foreign["origin"]["driver"] = "another".into();
    let whole = tuned.choices().to_string();
    for (text, reason) in [
        (foreign.to_string().as_str(), "has changed since"),
        (&whole[..whole.len() / 2], "it is damaged"),
        ("", "it is damaged"),
        ("{\"origin\": 1}", "it is damaged"),
    ] {
        let done = tuned.translate_with(text, &[]);
        assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
        assert!(done.stderr.contains(reason) && done.stderr.contains("hala tune"), "{done:?}");
        assert_eq!(done.text(), expected);
        let quiet = tuned.translate_with(text, &["--quiet"]);
        assert_eq!((quiet.stderr.as_str(), quiet.stdout.as_str()), ("", expected.as_str()));
    }
}

#[test]
fn sizes_that_no_run_has_are_refused() {
    let Some(tuned) = tuned() else { return };
    hala(&["tune", "--tokens", "7", "--adapter", tuned.adapter])
        .run()
        .refused(&["tokens [7]", "[1, 2, 4, 8, 16, 32, 128"]);
}

#[test]
fn tuning_again_keeps_what_other_models_have() {
    let Some(tuned) = tuned() else { return };
    let mut choices = tuned.choices();
    choices["ways"] = serde_json::json!({ "swiglu int8 T=1 7→9": "lanes" });
    let cache = tuned.cache_with(&choices.to_string());
    let run = hala(&["tune", "--repeat", "1", "--tokens", "1", "--adapter", tuned.adapter]);
    run.env("XDG_CACHE_HOME", cache.path()).run().text();
    let found: Value = serde_json::from_slice(&fs::read(file(cache.path())).unwrap()).unwrap();
    assert_eq!(found["ways"]["swiglu int8 T=1 7→9"], "lanes");
    assert!(found["ways"].as_object().unwrap().len() > 1, "{found}");
}

/// The products of a table with their ways.
fn ways(table: &str) -> Vec<String> {
    let rows = table.lines().skip(2).map(|row| row.split_whitespace().take(5).collect::<Vec<_>>().join(" "));
    rows.collect()
}

#[test]
fn tuning_again_measures_what_it_measured_at_first() {
    let Some(tuned) = tuned() else { return };
    let cache = tempdir().unwrap();
    let first = tuned.tune_two(cache.path());
    let mut choices: Value = serde_json::from_slice(&fs::read(file(cache.path())).unwrap()).unwrap();
    // On a software device this way holds the norms that its own way leaves to steps before, so that other products would be asked for.
    choices["ways"].as_object_mut().unwrap().values_mut().for_each(|way| *way = "lanes".into());
    let cache = tuned.cache_with(&choices.to_string());
    let second = tuned.tune_two(cache.path());
    assert!(!ways(&first).is_empty(), "{first}");
    assert_eq!(ways(&second), ways(&first));
}
