//! What `hala bench` reports; how large the numbers are is not for tests to say.

use serde_json::json;

use crate::checkpoint::two_layer;
use crate::hala;

const SMALL: [&str; 5] = ["bench", "--prompt", "9", "--generate", "2"];

#[test]
fn json_has_speeds_sizes_and_what_was_measured() {
    let found = hala(&SMALL).arg("--json").args(&["--weights", "int8"]).model(two_layer()).run().json();
    for name in ["prefill_tps", "decode_tps", "decode_read_bps", "load_s"] {
        assert!(found[name].as_f64().unwrap() > 0.0, "{found}");
    }
    let weight_bytes = found["weight_bytes"].as_u64().unwrap();
    #[cfg(target_os = "linux")]
    assert!(found["peak_bytes"].as_u64().unwrap() > weight_bytes, "{found}");
    assert!(weight_bytes > found["n_parameters"].as_u64().unwrap(), "{found}");
    assert!(found.get("peak_bytes").is_some() && found["device"].is_string(), "{found}");
    assert!(found["kernel"].as_str().unwrap().starts_with("int8 "), "{found}");
    for (name, value) in [("backend", json!("cpu")), ("weights", json!("int8")), ("prompt", json!(9))] {
        assert_eq!(found[name], value, "{found}");
    }
}

#[test]
fn wider_weights_take_more_bytes() {
    let n_bytes = |weights| {
        let run = hala(&SMALL).args(&["--json", "--weights", weights]).model(two_layer());
        run.run().json()["weight_bytes"].as_u64().unwrap()
    };
    let sizes = ["int4", "fp8", "int8", "bf16", "f32"].map(n_bytes);
    assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
}

#[test]
fn people_get_a_table() {
    let table = hala(&SMALL).args(&["--backend", "cpu"]).model(two_layer()).run().text();
    for row in [
        "model",
        "weights",
        "cpu: ",
        "kernel",
        "load",
        "prefill",
        "decode",
        "peak memory",
        "that memory gives",
    ] {
        assert!(table.contains(row), "{table}");
    }
}

#[test]
fn several_numbers_of_threads_are_measured_one_after_the_other() {
    let run = || hala(&SMALL).args(&["--backend", "cpu", "--threads", "1,3"]).model(two_layer());
    let table = run().run().text();
    assert!(table.contains("1 thread,") && table.contains("3 threads,"), "{table}");
    let lines = run().arg("--json").run().text();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for (line, threads) in lines.iter().zip(["1 thread,", "3 threads,"]) {
        assert!(line["device"].as_str().unwrap().contains(threads), "{line}");
        assert!(line["memory_read_bps"].as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn several_numbers_of_sequences_are_measured_one_after_the_other() {
    let run = || hala(&SMALL).args(&["--backend", "cpu", "--parallel", "1,3"]).model(two_layer());
    let lines = run().arg("--json").run().text();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parallel: Vec<_> = lines.iter().map(|line| line["parallel"].as_u64().unwrap()).collect();
    assert_eq!(parallel, [1, 3]);
    for line in &lines {
        assert!(
            line["prefill_tps"].as_f64().unwrap() > 0.0 && line["decode_tps"].as_f64().unwrap() > 0.0,
            "{line}"
        );
    }
    let table = run().run().text();
    assert!(table.contains("1 sequence at once") && table.contains("3 sequences at once"), "{table}");
    for wrong in ["0", "-1", "many", "9999"] {
        hala(&SMALL)
            .args(&["--backend", "cpu", "--parallel", wrong])
            .model(two_layer())
            .run()
            .refused(&[wrong]);
    }
}

#[test]
fn other_commands_take_one_number_of_threads() {
    hala(&["generate", "--threads", "1,2", "--prompt", "a"])
        .model(two_layer())
        .run()
        .refused(&["--threads", "one number"]);
}

#[test]
fn fewer_runs_than_a_median_needs_are_refused() {
    hala(&["bench", "--repeat", "2"]).model(two_layer()).run().refused(&["--repeat", "'2'"]);
}

#[test]
fn nothing_to_measure_is_refused() {
    for option in ["--prompt", "--generate"] {
        hala(&["bench", option, "0"]).model(two_layer()).run().refused(&[option, "at least 1"]);
    }
    hala(&SMALL).args(&["--context", "10"]).model(two_layer()).run().refused(&["10"]);
}
