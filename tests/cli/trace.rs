//! What `hala trace` shows of each step of a model.

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
