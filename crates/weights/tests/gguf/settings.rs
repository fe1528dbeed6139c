//! What becomes of a file's settings: config.json in the published words, or an error that names the setting.

use serde_json::{Value, json};

use crate::build::File;

fn config(file: &File) -> Value {
    Value::Object(file.open().unwrap().config().unwrap().map().clone())
}

/// An LFM2 file's rotary settings, with heads of 64.
fn rope(change: impl Fn(&mut File)) -> Result<Value, String> {
    let mut file = File::new("lfm2");
    file.float("lfm2.rope.freq_base", 1e6);
    change(&mut file);
    match file.open() {
        Ok(checkpoint) => Ok(checkpoint.config().unwrap().map()["rope_parameters"].clone()),
        Err(e) => Err(e.to_string()),
    }
}

#[test]
fn rotary_frequencies_are_stretched_as_llama_cpp_does() {
    let default = json!({ "rope_type": "default", "rope_theta": 1_000_000 });
    let linear = json!({ "rope_type": "linear", "factor": 4, "rope_theta": 1_000_000 });
    let kind = "lfm2.rope.scaling.type";
    let factor = "lfm2.rope.scaling.factor";
    assert_eq!(rope(|_| {}).unwrap(), default);
    assert_eq!(
        rope(|f| {
            f.text(kind, "none").float(factor, 4.0);
        })
        .unwrap(),
        default
    );
    assert_eq!(
        rope(|f| {
            f.text(kind, "linear").float(factor, 4.0);
        })
        .unwrap(),
        linear
    );
    // A factor alone is one for all; the old key counts where the new one is not there; 0 is none.
    assert_eq!(
        rope(|f| {
            f.float(factor, 4.0);
        })
        .unwrap(),
        linear
    );
    assert_eq!(
        rope(|f| {
            f.float("lfm2.rope.scale_linear", 4.0);
        })
        .unwrap(),
        linear
    );
    assert_eq!(
        rope(|f| {
            f.float("lfm2.rope.scale_linear", 9.0).float(factor, 4.0);
        })
        .unwrap(),
        linear
    );
    assert_eq!(
        rope(|f| {
            f.float(factor, 0.0);
        })
        .unwrap(),
        default
    );
    let base = File::new("lfm2");
    assert_eq!(config(&base)["rope_parameters"]["rope_theta"], json!(10_000));
}

#[test]
fn yarn_has_llama_cpps_numbers() {
    let found = rope(|f| {
        f.text("lfm2.rope.scaling.type", "yarn").float("lfm2.rope.scaling.factor", 4.0);
        f.integer("lfm2.rope.scaling.original_context_length", 1024)
            .float("lfm2.rope.scaling.attn_factor", 1.5);
        f.float("lfm2.rope.scaling.yarn_beta_fast", 32.0).bool("lfm2.rope.scaling.finetuned", true);
    });
    let found = found.unwrap();
    let attention = found["attention_factor"].as_f64().unwrap();
    assert!((attention - 1.5 * (0.1 * 4f64.ln() + 1.0)).abs() < 1e-12);
    for (key, value) in [
        ("factor", 4.0),
        ("original_max_position_embeddings", 1024.0),
        ("beta_fast", 32.0),
        ("beta_slow", 1.0),
    ] {
        assert_eq!(found[key].as_f64(), Some(value), "{key}");
    }
    // Without its own key, the first context is the model's.
    let found = rope(|f| {
        f.text("lfm2.rope.scaling.type", "yarn").float("lfm2.rope.scaling.factor", 2.0);
    });
    assert_eq!(found.unwrap()["original_max_position_embeddings"], json!(4096));
}

#[test]
fn a_tensor_of_factors_divides_each_frequency() {
    let factors: Vec<f32> = (0..32).map(|i| 1.0 + i as f32 / 4.0).collect();
    let with_factors = |f: &mut File| {
        f.tensor("rope_freqs.weight", &[32], &factors);
    };
    let found = rope(with_factors).unwrap();
    assert_eq!((&found["rope_type"], &found["short_factor"]), (&json!("longrope"), &json!(factors)));
    assert_eq!((&found["long_factor"], &found["attention_factor"]), (&json!(factors), &json!(1)));
    let found = rope(|f| {
        with_factors(f);
        f.float("lfm2.rope.scaling.factor", 2.0);
    });
    assert_eq!(found.unwrap()["short_factor"][4], json!(4.0));
    let file = File::new("lfm2").tensor("rope_freqs.weight", &[32], &factors).open().unwrap();
    assert!(!file.contains("rope_freqs.weight"));
    // What multiplies cosines and sines is said in the same words.
    let found = rope(|f| {
        f.float("lfm2.rope.scaling.attn_factor", 1.25);
    })
    .unwrap();
    assert_eq!((&found["attention_factor"], &found["short_factor"]), (&json!(1.25), &json!(vec![1.0; 32])));
}

#[test]
fn other_ways_to_stretch_are_refused_by_name() {
    let kind = "lfm2.rope.scaling.type";
    let yarn = |f: &mut File, key: &str, value: f32| {
        f.text(kind, "yarn")
            .float("lfm2.rope.scaling.factor", 4.0)
            .float(&format!("lfm2.rope.scaling.{key}"), value);
    };
    for key in
        ["yarn_beta_fast", "yarn_beta_slow", "yarn_ext_factor", "yarn_attn_factor", "yarn_log_multiplier"]
    {
        let message = rope(|f| yarn(f, key, 0.5)).unwrap_err();
        assert!(message.contains(key) && message.contains("0.5"), "{message}");
    }
    let refused = |change: &dyn Fn(&mut File), expected: &str| {
        let message = rope(change).unwrap_err();
        assert!(message.contains(expected), "{message}");
    };
    refused(
        &|f| {
            f.text(kind, "longrope");
        },
        "`lfm2.rope.scaling.type` is \"longrope\"",
    );
    refused(
        &|f| {
            f.integer(kind, 1);
        },
        "`lfm2.rope.scaling.type` is 1",
    );
    refused(
        &|f| {
            f.float("lfm2.rope.scaling.factor", -2.0);
        },
        "`lfm2.rope.scaling.factor` is -2",
    );
    refused(&|f| yarn(f, "original_context_length", 4.0), "original_context_length` is 4");
    refused(
        &|f| yarn(f.tensor("rope_freqs.weight", &[32], &[1.0; 32]), "yarn_ext_factor", 1.0),
        "rope_freqs.weight",
    );
    refused(
        &|f| {
            f.tensor("rope_freqs.weight", &[5], &[1.0; 5]);
        },
        "5 numbers",
    );
    refused(
        &|f| {
            f.tensor("rope_freqs.weight", &[32], &[0.0; 32]);
        },
        "rope_freqs.weight",
    );
    refused(
        &|f| {
            f.float("lfm2.rope.scaling.alpha", 2.0);
        },
        "rope.scaling.alpha",
    );
    let mut gemma2 = File::new("gemma2");
    gemma2.text("gemma2.rope.scaling.type", "none").float("gemma2.rope.scaling.factor", 8.0);
    assert!(gemma2.refusal().contains("rope.scaling.factor"));
}

#[test]
fn settings_that_change_the_maths_are_refused_by_name() {
    for (family, key, value) in [
        ("lfm2", "attention.causal", 0.0),
        ("lfm2", "pooling_type", 2.0),
        ("lfm2", "expert_count", 8.0),
        ("lfm2", "rope.dimension_count", 32.0),
        ("lfm2", "attention.value_length", 128.0),
        ("lfm2", "attention.scale", 0.5),
        ("lfm2", "attention.sliding_window", 512.0),
        ("lfm2", "final_logit_softcapping", 30.0),
        ("lfm2", "logit_scale", 0.5),
        ("lfm2", "never.heard_of", 1.0),
        ("gemma2", "rope.freq_base_swa", 1e6),
        ("gemma2", "attention.scale", 1.0),
        ("gemma2", "attention.key_length_swa", 128.0),
        ("gemma2", "shortconv.l_cache", 3.0),
        ("gemma2", "embedding_scale", 2.0),
        ("cohere2", "attn_logit_softcapping", 50.0),
        ("cohere2", "use_parallel_residual", 0.0),
    ] {
        let key = format!("{family}.{key}");
        let message = File::new(family).float(&key, value).refusal();
        assert!(message.contains(&format!("`{key}` is {value}")), "{message}");
    }
    let message = File::new("lfm2").bool("lfm2.attention.causal", false).refusal();
    assert!(message.contains("`lfm2.attention.causal` is false"), "{message}");
    let message = File::new("gemma2").text("gemma2.hidden_activation", "silu").refusal();
    assert!(message.contains("`gemma2.hidden_activation` is \"silu\""), "{message}");
    let message = File::new("gemma2").integers("gemma2.feed_forward_length", &[8, 16]).refusal();
    assert!(message.contains("`gemma2.feed_forward_length` is a list of 2"), "{message}");
}

#[test]
fn settings_that_say_what_is_so_pass() {
    let mut file = File::new("lfm2");
    file.bool("lfm2.attention.causal", true).integer("lfm2.pooling_type", 0).integer("lfm2.expert_count", 0);
    file.integer("lfm2.rope.dimension_count", 64).integer("lfm2.attention.value_length", 64);
    file.float("lfm2.attention.scale", 0.125).integer("lfm2.attention.sliding_window", 0);
    file.float("lfm2.logit_scale", 1.0)
        .text("lfm2.hidden_activation", "silu")
        .text("lfm2.tensor_data_layout", "x");
    file.integers("lfm2.feed_forward_length", &[512, 512])
        .text("general.name", "a")
        .integer("quantize.imatrix.chunks_count", 2);
    let found = config(&file);
    assert_eq!((&found["intermediate_size"], &found["head_dim"]), (&json!(512), &json!(64)));
    assert_eq!(found.get("sliding_window"), None);
}

#[test]
fn gemma_2_has_llama_cpps_scale_and_windows() {
    let with = |change: &dyn Fn(&mut File)| {
        let mut file = File::new("gemma2");
        file.integer("gemma2.attention.key_length", 128).integer("gemma2.attention.value_length", 128);
        change(&mut file);
        config(&file)
    };
    let found = with(&|f| {
        f.float("gemma2.attn_logit_softcapping", 40.0).float("gemma2.final_logit_softcapping", 0.0);
    });
    assert_eq!((&found["query_pre_attn_scalar"], &found["model_type"]), (&json!(128), &json!("gemma2")));
    assert_eq!(
        (&found["attn_logit_softcapping"], &found["final_logit_softcapping"]),
        (&json!(40), &Value::Null)
    );
    let [sliding, full] = ["sliding_attention", "full_attention"];
    assert_eq!(found["layer_types"], json!([sliding, full]));
    let key = "gemma2.attention.sliding_window_pattern";
    assert_eq!(
        with(&|f| {
            f.bools(key, &[false, true]);
        })["layer_types"],
        json!([full, sliding])
    );
    assert_eq!(
        with(&|f| {
            f.integers(key, &[1, 1]);
        })["layer_types"],
        json!([sliding, sliding])
    );
    assert_eq!(
        with(&|f| {
            f.integer(key, 1);
        })["layer_types"],
        json!([full, full])
    );
    assert_eq!(
        with(&|f| {
            f.integer(key, 0);
        })["layer_types"],
        json!([sliding, sliding])
    );
    // The model of 27B has 46 layers, and scores by the width that heads have of the model's.
    let bytes = File::new("gemma2").integer("gemma2.attention.key_length", 128).bytes();
    let at = bytes.windows(18).position(|w| w == b"gemma2.block_count").unwrap() + 18 + 4;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("27b.gguf");
    std::fs::write(&path, [&bytes[..at], &[46], &bytes[at + 1..]].concat()).unwrap();
    let checkpoint = hala_weights::Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.config().unwrap().map()["query_pre_attn_scalar"], json!(64));
}

#[test]
fn the_kinds_of_lfm2_s_layers_are_told_by_heads_or_by_tensors() {
    let kinds = json!(["conv", "full_attention"]);
    let mut file = File::new("lfm2");
    file.tensor("blk.0.shortconv.in_proj.weight", &[2], &[0.0; 2]);
    let of_each = config(file.clone().integers("lfm2.attention.head_count_kv", &[0, 2]));
    assert_eq!((&of_each["layer_types"], &of_each["num_key_value_heads"]), (&kinds, &json!(2)));
    let of_all = config(file.integer("lfm2.attention.head_count_kv", 2));
    assert_eq!((&of_all["layer_types"], &of_all["num_key_value_heads"]), (&kinds, &json!(2)));
}
