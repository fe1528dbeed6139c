//! `hala train`: a run as a user starts it, breaks it off, kills it, and goes on with it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Child;

use tempfile::TempDir;

use crate::{Hala, demo_folder, hala, names};

/// Two layers, one of each kind, and no more of anything than there must be.
const SHAPE: &str = r#"{
  "architectures": ["Lfm2ForCausalLM"], "model_type": "lfm2",
  "hidden_size": 16, "intermediate_size": 24, "block_auto_adjust_ff_dim": false, "num_hidden_layers": 2,
  "num_attention_heads": 2, "num_key_value_heads": 1, "layer_types": ["conv", "full_attention"], "conv_L_cache": 3,
  "conv_bias": false, "norm_eps": 1e-5, "max_position_embeddings": 256, "tie_word_embeddings": true,
  "rope_parameters": { "rope_theta": 10000.0, "rope_type": "default" }
}"#;

/// A folder with the files of a run.
struct Setting(TempDir);

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), SHAPE).unwrap();
        let pairs = "Hello.\tمرحبا.\nThank you.\tشكرا.\nGood morning.\tصباح الخير.\nWhere is the station?\tأين المحطة؟\n";
        fs::write(folder.path().join("pairs.tsv"), pairs).unwrap();
        let run = format!(
            "from_scratch: {{ config: config.json, tokenizer: {} }}\noutput: run\ndata: [pairs.tsv]\nbatch_rows: 48\naccumulation: 2\n\
             dropout: 0.1\nlearning_rate: 1e-2\nsave_as: f32\nsave_every: 3\nsteps: 24\nthreads: 2\n",
            demo_folder().display()
        );
        fs::write(folder.path().join("run.yml"), run).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn train(&self) -> Hala {
        hala(&["train"]).arg(self.path("run.yml"))
    }

    fn weights(&self) -> Vec<u8> {
        fs::read(self.path("run/final/model.safetensors")).unwrap()
    }
}

/// Ends a run at once, after so many lines of its metrics.
fn kill_after(mut child: Child, n_lines: usize) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..n_lines {
        let Some(line) = lines.next() else { break };
        line.unwrap();
    }
    // SIGKILL: nothing of the process gets a word in.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Kills a run at moments that a seed draws, each time after it has gone on for a while, and compares what it ends with.
fn killed(n: u64) {
    let setting = Setting::new();
    setting.train().run().text();
    let expected = setting.weights();
    fs::remove_dir_all(setting.path("run")).unwrap();
    let mut drawn = 7u64;
    for _ in 0..n {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let threads = (1 + drawn % 3).to_string();
        let child = setting.train().args(&["--json", "--threads", &threads]).start();
        kill_after(child, (drawn >> 33) as usize % 6);
    }
    setting.train().run().text();
    assert!(setting.weights() == expected, "other bits");
    let metrics = fs::read_to_string(setting.path("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 24, "{metrics}");
}

#[test]
fn a_run_killed_at_a_few_moments_ends_with_the_same_bits() {
    killed(4);
}

#[test]
#[ignore = "long: a run killed at 20 moments"]
fn a_run_killed_at_twenty_moments_ends_with_the_same_bits() {
    killed(20);
}

#[test]
fn what_is_made_runs_and_its_report_is_drawn() {
    let setting = Setting::new();
    let text = setting.train().args(&["--steps", "4"]).run().text();
    assert!(text.contains("final: 4 steps, loss "), "{text}");
    let run = setting.path("run");
    let made: Vec<_> = names(&run).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(made, ["final", "metrics.jsonl", "run.json", "state", "step-3", "step-4"]);
    let written = hala(&["generate", "--prompt", "Hello.", "--chat", "--max-tokens", "3", "--json"])
        .model(run.join("final"));
    assert_eq!(written.run().json()["usage"]["completion_tokens"], 3);
    let page = hala(&["train", "report"]).arg(&run).run().text();
    assert!(fs::read_to_string(page.trim_end()).unwrap().contains("<h2>Loss</h2>"), "{page}");
    let again = setting.train().args(&["--steps", "4"]).run().text();
    assert!(again.contains("was finished before"), "{again}");
}

#[test]
fn a_dry_run_tells_what_a_run_would_be_and_writes_nothing() {
    let setting = Setting::new();
    let before = names(setting.0.path());
    let found = setting.train().args(&["--dry-run", "--json", "--set", "held_out=0.0"]).run().json();
    assert_eq!((found["documents"].as_u64(), found["steps"].as_u64()), (Some(8), Some(24)), "{found}");
    let decays: Vec<_> =
        found["parameters"].as_array().unwrap().iter().filter(|p| p["decays"] == true).collect();
    assert!(decays.iter().all(|p| p["dims"].as_array().unwrap().len() == 2) && decays.len() > 8, "{found}");
    let text = setting.train().arg("--dry-run").run().text();
    for word in ["supervised", "rows/s", "gradients and moments", "model.embed_tokens.weight"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert_eq!(names(setting.0.path()), before);
}

#[test]
fn what_cannot_be_trained_is_refused_with_the_next_step() {
    let setting = Setting::new();
    let refused = |option: &[&str], faults: &[&str]| setting.train().args(option).run().refused(faults);
    refused(&["--set", "stepz=3"], &["stepz", "`steps`"]);
    refused(&["--set", "held_out=3"], &["held_out", "below 1"]);
    refused(&["--set", "data=[none.tsv]"], &["none.tsv"]);
    refused(&["--model", demo_folder().to_str().unwrap()], &["rounded weights cannot be trained"]);
    fs::create_dir(setting.path("mine")).unwrap();
    fs::write(setting.path("mine/thesis.txt"), "").unwrap();
    refused(&["--output", setting.path("mine").to_str().unwrap()], &["mine", "no folder of a run"]);
    setting.train().args(&["--steps", "2"]).run().text();
    refused(&["--steps", "3"], &["`steps` was 2 and is 3", "--restart"]);
    hala(&["train"]).arg(setting.path("none.yml")).run().refused(&["none.yml"]);
    let text = setting.train().args(&["--steps", "3", "--restart"]).run().text();
    assert!(text.contains("3 steps"), "{text}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_done() {
    let setting = Setting::new();
    let mut child = setting.train().args(&["--json", "--steps", "2000", "--set", "save_every=0"]).start();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    (0..5).for_each(|_| assert!(lines.read_line(&mut String::new()).unwrap() > 0));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    lines.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let states = names(&setting.path("run/state"));
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(!Path::new(&setting.path("run/final")).exists());
}
