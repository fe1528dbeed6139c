//! What `hala trace` shows of each step of a model, and of each step beside the plain run's.

use hala_tests::devices;

use crate::checkpoint::two_layer;
use crate::hala;

#[test]
fn people_see_every_step_from_the_embedding_to_the_logits() {
    let text = hala(&["trace", "--ids", "1,5"]).model(two_layer()).run().text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("prefill of 2 tokens: 12 steps"), "{text}");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[1])[..3], ["step", "op", "writes"]);
    assert_eq!(words(lines[2])[..4], ["0", "embed", "h", "2×64"]);
    assert_eq!(words(lines.last().unwrap())[..4], ["11", "matmul", "logits", "2×113"]);
}

#[test]
fn json_holds_the_statistics_of_every_buffer() {
    let found = hala(&["trace", "--ids", "1,5", "--json"]).model(two_layer()).run().json();
    assert_eq!((&found["n_tokens"], &found["ids"]), (&2.into(), &serde_json::json!([1, 5])));
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 12);
    for buffer in steps.iter().flat_map(|step| step["outputs"].as_array().unwrap()) {
        let [min, max, mean, rms] = ["min", "max", "mean", "rms"].map(|name| buffer[name].as_f64().unwrap());
        assert!(min <= mean && mean <= max && rms > 0.0, "{buffer}");
        assert_eq!(buffer["n_not_finite"], 0, "{buffer}");
    }
    assert_eq!(steps[11]["outputs"][0]["shape"], serde_json::json!([2, 113]));
}

#[test]
fn text_is_a_prompt_too() {
    let ids = hala(&["tokenize", "--json", "Good"]).run().json()["ids"].clone();
    assert_eq!(hala(&["trace", "--json", "--prompt", "Good"]).run().json()["ids"], ids);
}

#[test]
fn ids_beyond_the_vocabulary_and_prompts_beyond_the_context_are_refused() {
    hala(&["trace", "--ids", "113"]).model(two_layer()).run().refused(&["113", "vocabulary of 113"]);
    let run = hala(&["trace", "--ids", "1,5,9", "--context", "2"]).model(two_layer());
    run.run().refused(&["3 tokens", "holds 2"]);
}

#[test]
fn several_prompts_are_traced_together_and_what_comes_before_is_left_out() {
    let arguments = ["trace", "--json", "--ids", "1,5,9", "--ids", "4,7"];
    let ids = |more: &[&str]| hala(&arguments).args(more).model(two_layer()).run().json()["ids"].clone();
    assert_eq!(ids(&[]), serde_json::json!([1, 5, 9, 4, 7]));
    assert_eq!(ids(&["--position", "1"]), serde_json::json!([5, 9, 7]));
    assert_eq!(ids(&["--decode"]), serde_json::json!([9, 7]));
    assert_eq!(ids(&["--decode", "--position", "1"]), serde_json::json!([5, 7]));
    let run = hala(&arguments).args(&["--position", "2"]).model(two_layer()).run();
    run.refused(&["2 tokens has none at position 2"]);
}

#[test]
fn every_step_is_compared_with_the_plain_run_s_and_a_verdict_ends_the_table() {
    let run = |more: &[&str]| {
        let run = hala(&["trace", "--backend", "cpu", "--against", "cpu", "--ids", "1,5,9"]);
        run.args(more).model(two_layer()).run().text()
    };
    for (more, plan) in [(&[][..], "prefill of 3 rows"), (&["--decode", "--ids", "8"], "decode of 2 rows")] {
        let text = run(more);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with(plan) && lines[1].starts_with("against cpu: plain loops"), "{text}");
        let words: Vec<_> = lines[2].split_whitespace().collect();
        assert_eq!(words, ["step", "op", "writes", "shape", "error", "allowed", "furthest", "off"]);
        let last = lines.last().unwrap();
        assert!(last.starts_with("every step agrees within what is allowed: step "), "{text}");
        for label in ["layers.0.convolved", "layers.1.keys", "layers.1.attended", "logits"] {
            assert!(lines.iter().any(|line| line.contains(label)), "{label} is not in {text}");
        }
    }
}

#[test]
fn json_of_a_comparison_has_every_buffer_and_says_whether_all_agree() {
    let arguments =
        ["trace", "--json", "--against", "cpu", "--backend", "cpu", "--decode", "--weights", "int8"];
    let found = hala(&arguments).args(&["--ids", "1,5", "--ids", "3"]).model(two_layer()).run().json();
    assert_eq!((&found["agrees"], &found["first_departure"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!((&found["backend"], &found["n_rows"]), (&"cpu".into(), &2.into()));
    assert_eq!(found["ids"], serde_json::json!([[1, 5], [3]]));
    let steps = found["steps"].as_array().unwrap();
    for buffer in steps.iter().flat_map(|step| step["outputs"].as_array().unwrap()) {
        let [error, allowed, share] =
            ["error", "allowed", "share"].map(|name| buffer[name].as_f64().unwrap());
        assert!(error <= allowed && share <= 1.0, "{buffer}");
        assert_eq!((&buffer["n_rows"], buffer["worst"].is_object()), (&2.into(), true), "{buffer}");
    }
    assert_eq!(steps.last().unwrap()["outputs"][0]["label"], "logits");
}

/// A kernel that a file has, with a fault in it.
fn faulty(kernel: &str, [from, to]: [&str; 2]) -> tempfile::NamedTempFile {
    let source = hala_shaders::variant(kernel).unwrap().source(hala_shaders::Target::Native);
    assert!(source.contains(from), "{source}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), source.replace(from, to)).unwrap();
    file
}

#[test]
fn a_kernel_with_a_fault_is_named_and_ends_with_status_1() {
    for device in devices::for_models() {
        let arguments = ["trace", "--against", "cpu", "--decode", "--weights", "f32", "--adapter", device];
        let broken =
            faulty("rope_kv.f16", ["table_of(span_of(token), params.table)", "table_of(0u, params.table)"]);
        let kernel = format!("rope_kv.f16={}", broken.path().display());
        let run = |more: &[&str]| {
            let run = hala(&arguments).args(&["--ids", "1,5,9", "--ids", "4,8", "--kernel", &kernel]);
            run.args(more).model(two_layer()).run()
        };
        let done = run(&[]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(1), ""), "{done:?}");
        let last = done.stdout.lines().last().unwrap().to_owned();
        assert!(
            last.contains("rope_kv layers.1.keys, is the first that departs: row 1, column 0: NaN"),
            "{last}"
        );
        let done = run(&["--json"]);
        let found: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((done.code, &found["agrees"]), (Some(1), &false.into()));
        let first = &found["first_departure"];
        assert_eq!((&first["op"], &first["label"]), (&"rope_kv".into(), &"layers.1.keys".into()));
        assert_eq!((&first["worst"]["row"], &first["worst"]["found"]), (&1.into(), &serde_json::Value::Null));
    }
}

#[test]
fn kernels_are_for_gpus_and_have_names_and_files() {
    for (kernel, faults) in
        [("softcap", &["NAME=FILE"][..]), ("softcap=/no/such/file", &["/no/such/file", "No such file"])]
    {
        let run = hala(&["trace", "--ids", "1", "--backend", "cpu", "--kernel", kernel]).model(two_layer());
        run.run().refused(faults);
    }
    let file = faulty("softcap", ["", ""]);
    let kernel = format!("softcap={}", file.path().display());
    let run = hala(&["trace", "--ids", "1", "--backend", "cpu", "--kernel", &kernel]).model(two_layer());
    run.run().refused(&["--kernel", "--backend wgpu"]);
    for device in devices::for_models() {
        let kernel = format!("nonsense={}", file.path().display());
        let run = hala(&["trace", "--ids", "1", "--adapter", device, "--kernel", &kernel]).model(two_layer());
        let done = run.run();
        assert!(!done.stderr.contains("report"), "nothing is wrong with hala: {done:?}");
        done.refused(&["\"nonsense\"", "hala profile"]);
    }
}
