//! How fast a checkpoint's model is trained on this machine, on random ids: `speed MODEL_FOLDER [rows] [length] [steps] [f32|bf16] [threads] [kept|recomputed]`.
//!
//! A step is one batch of `rows` documents of `length` tokens, with a label in each row, and an update; the median of the steps after two is printed, as JSON.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use hala_plan::training::{Activations, TrainOptions};
use hala_train::data::Batch;
use hala_train::learn::{Compute, Learner, LearnerOptions, Products, Update};
use hala_weights::Checkpoint;

/// Steps before those that are timed.
const N_WARM: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let arg = |i: usize, default: &str| args.get(i).map_or(default, |arg| arg.as_str()).to_owned();
    let (n_documents, length): (usize, usize) = (arg(1, "8").parse()?, arg(2, "512").parse()?);
    let n_steps: usize = arg(3, "6").parse()?;
    let products = if arg(4, "f32") == "bf16" { Products::Bf16 } else { Products::F32 };
    let is_kept = arg(6, "kept") == "kept";
    let activations = if is_kept { Activations::Kept } else { Activations::Recomputed };
    let options = LearnerOptions {
        n_rows: n_documents * length,
        context: Some(length),
        plan: TrainOptions { activations, ..TrainOptions::default() },
        compute: Compute::Fast { n_threads: arg(5, "2").parse()?, products },
    };
    let mut learner = Learner::open(&Checkpoint::open(Path::new(&arg(0, ".")))?, &options)?;
    let n_vocab = learner.facts().n_vocab as u32;
    let update = Update { learning_rate: 1e-4, max_norm: Some(1.0), ..Update::default() };
    let mut seconds = Vec::new();
    for step in 0..n_steps + N_WARM {
        let batch = random(step as u32, [n_documents, length], n_vocab);
        let start = Instant::now();
        learner.accumulate(&batch, step as u64)?;
        learner.update(&update)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let timed = &mut seconds[N_WARM..];
    timed.sort_by(f64::total_cmp);
    let speed = (n_documents * length) as f64 / timed[timed.len() / 2];
    print(&format!(
        "{{\"products\": \"{products:?}\", \"activations\": \"{activations:?}\", \"tokens_per_s\": {speed:.1}, \"peak_mb\": {}, \"estimate_mb\": {}}}",
        peak_mb(),
        learner.estimate().n_bytes() >> 20
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn print(line: &str) {
    println!("{line}");
}

/// Documents of random ids, each row predicting the next.
fn random(seed: u32, [n_documents, length]: [usize; 2], n_vocab: u32) -> Batch {
    let id =
        |i: usize| (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) % n_vocab;
    let n_rows = n_documents * length;
    Batch {
        tokens: (0..n_rows).map(id).collect(),
        labels: (1..=n_rows).map(id).collect(),
        weights: vec![1.0; n_rows],
        starts: (0..n_documents).map(|i| (i * length) as u32).collect(),
    }
}

/// The most memory that this process has had, where the system tells.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.unwrap_or(0) / 1024
}
