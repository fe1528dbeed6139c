//! Text after a prompt: the choice of tokens, where it ends, and what the JSON says of it.

use serde_json::{Value, json};

use crate::checkpoint::{Copy, two_layer};
use crate::{golden, hala};

/// Ids as the command takes them.
fn list(ids: &Value) -> String {
    ids.as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What the greedy choice of the built-in model says to one sentence.
const PROMPT: &str = "Translate everything that follows into Arabic:\n\nGood morning.";
const REPLY: &str = "صباح الخير.";

#[test]
fn greedy_text_is_the_reference_implementations() {
    for golden in golden().iter().take(3) {
        let found = hala(&["generate", "--ids", &list(&golden["prompt_ids"])]).run().text();
        assert_eq!(found.trim_end_matches('\n'), golden["target"]);
    }
}

#[test]
fn a_prompt_is_put_into_the_chat_template_where_that_is_asked_for() {
    let run = || hala(&["generate", "--chat", "--prompt"]);
    assert_eq!(run().arg(PROMPT).run().text(), format!("{REPLY}\n"));
    assert_eq!(run().arg("-").input(PROMPT).run().text(), format!("{REPLY}\n"));
    let told = run().arg(PROMPT).arg("--system").arg("Be kind.").arg("--json").run().json();
    let untold = run().arg(PROMPT).arg("--json").run().json();
    let n_prompt = |json: &Value| json["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(n_prompt(&told) > n_prompt(&untold), "{told} {untold}");
}

#[test]
fn a_prompt_is_taken_as_it_stands_otherwise() {
    let rendered = format!("<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n");
    for options in [&["generate"][..], &["generate", "--raw"]] {
        assert_eq!(hala(options).arg("--prompt").arg(&rendered).run().text(), format!("{REPLY}\n"));
    }
}

#[test]
fn drafts_leave_the_text_as_it_is_and_are_counted() {
    let text = "Good morning. ".repeat(8);
    let run = |draft: &[&str]| {
        let options =
            ["generate", "--json", "--backend", "cpu", "--ignore-eos", "--max-tokens", "40", "--prompt"];
        hala(&options).arg(&text).args(draft).run().json()
    };
    let (off, lookup) = (run(&["--draft", "off"]), run(&["--draft", "lookup"]));
    assert_eq!(off["ids"], lookup["ids"]);
    assert_eq!(off["ids"], run(&[])["ids"]);
    assert!(off["usage"].get("completion_tokens_details").is_none(), "{off}");
    let details = &lookup["usage"]["completion_tokens_details"];
    assert!(details["accepted_prediction_tokens"].as_u64().unwrap() > 0, "{lookup}");
    assert!(details["rejected_prediction_tokens"].is_u64(), "{lookup}");
}

#[test]
fn json_holds_text_ids_usage_and_times() {
    let golden = &golden()[0];
    let json = hala(&["generate", "--json", "--ids", &list(&golden["prompt_ids"])]).run().json();
    let n_prompt = golden["prompt_ids"].as_array().unwrap().len();
    // The last id of the reference's output ends it, and is no text.
    let (end, ids) = golden["output_ids"].as_array().unwrap().split_last().unwrap();
    assert_eq!((end, &json["ids"]), (&json!(7), &json!(ids)));
    assert_eq!((&json["text"], &json["finish"]), (&golden["target"], &json!("stop")));
    assert_eq!(json["usage"]["prompt_tokens"], n_prompt);
    assert_eq!(json["usage"]["completion_tokens"], ids.len() + 1);
    for name in ["prefill_s", "decode_s", "prefill_tps", "decode_tps"] {
        assert!(json["timings"][name].as_f64().unwrap() > 0.0, "{json}");
    }
    assert!(json.get("logprobs").is_none());
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_seed_another() {
    let text = |seed| {
        let options =
            ["generate", "--temperature", "1.5", "--max-tokens", "30", "--ignore-eos", "--seed", seed];
        hala(&options).arg("--prompt").arg("The weather").run().text()
    };
    assert_eq!(text("7"), text("7"));
    assert_ne!(text("7"), text("8"));
}

#[test]
fn the_seed_minus_1_is_another_one_each_time_and_is_told() {
    let run = |seed: &str| {
        let options = ["generate", "--temperature", "1.5", "--max-tokens", "20", "--ignore-eos", "--json"];
        hala(&options).args(&["--prompt", "The weather", "--seed", seed]).run().json()
    };
    let [first, second] = [run("-1"), run("-1")];
    assert_ne!(first["sampling"]["seed"], second["sampling"]["seed"]);
    assert_eq!(run(&first["sampling"]["seed"].to_string())["text"], first["text"]);
}

/// Each object that the command prints.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_prompts_of_a_file_are_continued_in_their_order_as_each_is_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.txt");
    let prompts = ["Good morning.", "Thank you.", "Where is it?", "Good morning."];
    std::fs::write(&file, prompts.join("\n\n")).unwrap();
    let options = ["generate", "--chat", "--max-tokens", "12", "--json"];
    for parallel in ["1", "3"] {
        let run = hala(&options).args(&["--parallel", parallel]).arg("--file").arg(&file);
        let found = objects(&run.run().text());
        assert_eq!(found.len(), prompts.len());
        for (i, (found, prompt)) in found.iter().zip(prompts).enumerate() {
            let alone = hala(&options).arg("--prompt").arg(prompt).run().json();
            assert_eq!((&found["prompt"], &found["choice"]), (&json!(i), &json!(0)));
            for name in ["text", "ids", "finish"] {
                assert_eq!(found[name], alone[name], "{name} of {prompt}");
            }
        }
    }
    std::fs::write(&file, "\n \n").unwrap();
    hala(&options).arg("--file").arg(&file).run().refused(&["prompts.txt", "no prompt"]);
    hala(&options).arg("--file").arg(folder.path().join("none.txt")).run().refused(&["none.txt"]);
}

#[test]
fn several_texts_of_a_prompt_are_those_of_the_seeds_that_follow() {
    let options = ["generate", "--prompt", "Good", "--temperature", "1.5", "--max-tokens", "9", "--json"];
    let found = objects(&hala(&options).args(&["--n", "3", "--seed", "7", "--logprobs", "1"]).run().text());
    assert_eq!(found.iter().map(|found| found["choice"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    for (found, seed) in found.iter().zip(["7", "8", "9"]) {
        let alone = hala(&options).args(&["--seed", seed, "--logprobs", "1"]).run().json();
        for name in ["text", "ids", "finish", "sampling", "logprobs"] {
            assert_eq!(found[name], alone[name], "{name} of seed {seed}");
        }
    }
    let text = hala(&["generate", "--prompt", "Good", "--max-tokens", "3", "--n", "2"]).run().text();
    assert!(text.contains("prompt 1, text 1\n") && text.contains("prompt 1, text 2\n"), "{text}");
    hala(&options).args(&["--n", "0"]).run().refused(&["--n"]);
}

#[test]
fn the_text_ends_before_a_stop_string() {
    let run = |stop: &str| hala(&["generate", "--chat", "--prompt", PROMPT, "--stop", stop]).run().text();
    assert_eq!(run("الخير"), "صباح \n");
    // A stop string that only begins to come is text after all.
    assert_eq!(run("الخير!"), format!("{REPLY}\n"));
}

#[test]
fn the_text_ends_after_so_many_tokens_or_with_the_context() {
    let run = |options: &[&str]| {
        let run = hala(&["generate", "--ids", "1,5", "--ignore-eos", "--json"]).model(two_layer());
        run.args(options).run().json()
    };
    for (options, n_ids) in [(["--max-tokens", "3"], 3), (["--max-tokens", "0"], 0), (["--context", "9"], 8)]
    {
        let json = run(&options);
        assert_eq!((json["ids"].as_array().unwrap().len(), &json["finish"]), (n_ids, &json!("length")));
    }
}

#[test]
fn a_model_without_a_tokenizer_takes_and_gives_ids() {
    let run = || hala(&["generate", "--ids", "1, 5\n9", "--max-tokens", "3"]).model(two_layer());
    let json = run().arg("--json").run().json();
    assert_eq!(json["text"], "");
    assert_eq!(run().run().text().split_whitespace().collect::<Vec<_>>().join(","), list(&json["ids"]));
    let several = run().args(&["--n", "2"]).run().text();
    let ids = list(&json["ids"]).replace(',', " ");
    assert_eq!(several, format!("prompt 1, text 1\n{ids}\nprompt 1, text 2\n{ids}\n"));
    let text = hala(&["generate", "--prompt", "x"]).model(two_layer());
    text.run().refused(&["no tokenizer.json"]);
}

#[test]
fn logprobs_name_the_choice_and_its_likeliest_rivals() {
    let run = hala(&["generate", "--chat", "--prompt", PROMPT, "--json", "--logprobs", "3"]);
    let json = run.run().json();
    let logprobs = json["logprobs"].as_array().unwrap();
    let ids: Vec<_> = logprobs.iter().map(|l| &l["id"]).collect();
    assert_eq!(json!(ids), json["ids"]);
    let text: String = logprobs.iter().map(|l| l["token"].as_str().unwrap()).collect();
    assert_eq!(text, REPLY);
    for entry in logprobs {
        let top: Vec<_> =
            entry["top"].as_array().unwrap().iter().map(|c| c["logprob"].as_f64().unwrap()).collect();
        assert_eq!((top.len(), &entry["top"][0]["id"]), (3, &entry["id"]));
        assert!(top.is_sorted_by(|a, b| a >= b) && top[0] <= 0.0, "{top:?}");
    }
    hala(&["generate", "--prompt", "x", "--logprobs", "3"]).run().refused(&["--json"]);
}

#[test]
fn a_bias_forbids_a_token() {
    let first = |bias: &[String]| {
        let run = hala(&["generate", "--chat", "--prompt", PROMPT, "--json", "--max-tokens", "1"]);
        let json = bias.iter().fold(run, |run, bias| run.arg("--logit-bias").arg(bias)).run().json();
        json["ids"][0].as_u64().unwrap()
    };
    let likeliest = first(&[]);
    let second = first(&[format!("{likeliest}=-inf")]);
    let third = first(&[format!("{likeliest}=-inf"), format!("{second}=-100")]);
    assert!(likeliest != second && second != third && third != likeliest);
}

#[test]
fn a_quantised_cache_that_a_checkpoint_asks_for_is_passed_over_with_a_word() {
    let weights = json!({ "num_bits": 8, "type": "int", "strategy": "channel" });
    let copy = Copy::new().set(
        "quantization_config",
        json!({
            "quant_method": "compressed-tensors",
            "format": "int-quantized",
            "kv_cache_scheme": { "num_bits": 8, "type": "float", "symmetric": true },
            "config_groups": { "group_0": { "targets": ["Linear"], "weights": weights } },
        }),
    );
    let run = |more: &[&str]| {
        hala(&["generate", "--ids", "1,5,9", "--max-tokens", "2"]).args(more).model(copy.path()).run()
    };
    let told = run(&[]);
    assert_eq!(told.stderr.matches("kv_cache_scheme").count(), 1, "{told:?}");
    told.text();
    assert_eq!(run(&["--json"]).stderr, "");
}
