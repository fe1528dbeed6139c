//! Runs that go through: what they learn, and what they leave.

use hala_plan::Cancel;
use hala_tensor::DType;
use hala_train::metrics::Line;
use hala_train::run::{DryRun, Ended, Start, train};
use hala_weights::Checkpoint;

use crate::setting::{Setting, losses};

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_that_learns_nothing_fails_here() {
    let setting = Setting::new();
    let found = losses(&setting.run("{ steps: 60, batch_rows: 128, learning_rate: 3e-2 }"));
    // Twelve rows can be learnt by heart: ln 8192 is 9.0 where nothing is known.
    assert!((found[0] - 9.0).abs() < 0.2, "{found:?}");
    assert!(found[59] < 1.0, "{found:?}");
    // The built-in seed is no lucky one: a model that is not updated stays where it is.
    setting.clear();
    let still = losses(&setting.run("{ steps: 6, batch_rows: 128, learning_rate: 1e-30, weight_decay: 0 }"));
    assert!(still[5] > 8.8, "{still:?}");
}

#[test]
fn a_run_leaves_checkpoints_states_and_metrics() {
    let setting = Setting::new();
    let over = "{ steps: 6, save_every: 2, evaluate_every: 3, evaluation: [pairs.tsv], samples: 2, sample_tokens: 4 }";
    let lines = setting.run(over);
    let run = setting.path("run");
    let left = ["best", "final", "metrics.jsonl", "run.json", "state", "step-4", "step-6"];
    assert_eq!(names(&run).into_iter().filter(|name| !name.starts_with('.')).collect::<Vec<_>>(), left);
    assert_eq!(names(&run.join("state")).len(), 2);
    let files = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    for folder in ["best", "final", "step-6"] {
        assert_eq!(names(&run.join(folder)), files, "{folder}");
    }
    let evaluated: Vec<u64> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Evaluation(line) => line.chrf.map(|_| line.step),
            Line::Step(_) => None,
        })
        .collect();
    assert_eq!(evaluated, [3, 6]);
    assert_eq!(setting.bytes("final/model.safetensors"), setting.bytes("step-6/model.safetensors"));
    // Made once, a run is not made again.
    let again = train(&setting.prepared(over).unwrap(), Start::Resume, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(again, Ended::Finished { n_made: 0 });
    let anew = train(&setting.prepared(over).unwrap(), Start::Restart, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(anew, Ended::Finished { n_made: 6 });
}

#[test]
fn the_final_model_is_the_mean_of_the_last_checkpoints() {
    let setting = Setting::new();
    setting.run("{ steps: 5, save_every: 1, keep: 1, average_last: 3 }");
    let load = |folder: &str| {
        let checkpoint = Checkpoint::open(&setting.path("run").join(folder)).unwrap();
        checkpoint.load("model.embed_tokens.weight", DType::F32).unwrap().to_f32()
    };
    let steps = ["step-3", "step-4", "step-5"].map(load);
    for (i, mean) in load("final").iter().enumerate() {
        let sum: f64 = steps.iter().map(|values| f64::from(values[i])).sum();
        assert_eq!(*mean, (sum / 3.0) as f32, "{i}");
    }
}

#[test]
fn an_exponential_average_lags_behind_the_values() {
    let setting = Setting::new();
    let run = |over: &str| {
        setting.run(over);
        let values = Checkpoint::open(&setting.path("run/final"))
            .unwrap()
            .load("model.embedding_norm.weight", DType::F32);
        setting.clear();
        values.unwrap().to_f32()
    };
    let values: Vec<_> =
        (1..=3).map(|steps| run(&format!("{{ steps: {steps}, schedule: constant }}"))).collect();
    let found = run("{ steps: 3, schedule: constant, ema: 0.99 }");
    let mut expected = vec![1f32; found.len()];
    for (values, t) in values.iter().zip(1u8..) {
        let keep = ((1.0 + f64::from(t)) / (10.0 + f64::from(t))) as f32;
        expected
            .iter_mut()
            .zip(values)
            .for_each(|(average, value)| *average += (1.0 - keep) * (value - *average));
    }
    assert_eq!(found, expected);
}

#[test]
fn epochs_have_the_steps_that_their_batches_make() {
    let setting = Setting::new();
    let dry =
        DryRun::of(&setting.prepared("{ epochs: 3, accumulation: 2 }").unwrap(), &Cancel::new(), &mut |_| {});
    let dry = dry.unwrap().unwrap();
    assert_eq!((dry.counts.n_rows, dry.counts.n_documents), (12, 12));
    assert!(dry.n_batches > 2 && dry.seconds() > 0.0 && dry.needs.n_bytes() > 16 * dry.needs.n_parameters);
    let lines = setting.run("{ epochs: 3, accumulation: 2 }");
    let steps: Vec<_> = lines.iter().map(Line::step).collect();
    assert!(steps.len() as u64 >= dry.n_batches, "{steps:?}");
    let rows: u64 = lines
        .iter()
        .map(|line| match line {
            Line::Step(step) => step.n_labels,
            Line::Evaluation(_) => 0,
        })
        .sum();
    // Every label three times, and the last step may have one batch alone.
    assert_eq!(rows, 3 * dry.counts.n_supervised);
}
