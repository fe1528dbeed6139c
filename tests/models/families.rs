//! LFM3, Gemma 2 and Cohere 2: what their config.json may not say, and texts that a device chooses.

use std::borrow::Cow;
use std::fs;

use hala_backend_cpu::CpuBackend;
use hala_engine::{MatrixInputs, Probe};
use hala_model::{ModelError, Options, WeightFormat};
use hala_plan::Cancel;
use hala_tests::devices;
use hala_tests::fixtures::Fixture;
use hala_weights::Checkpoint;
use pollster::block_on;
use serde_json::{Value, json};

use crate::{ahead, load};

/// What opening a fixture says when one of config.json's values is another; null takes it away.
fn opened_with(fixture: &Fixture, key: &str, value: &Value) -> Result<(), ModelError> {
    let mut files = Vec::new();
    for name in ["config.json", "model.safetensors"] {
        let mut bytes = fs::read(fixture.path.join(name)).unwrap();
        if name == "config.json" {
            let mut config: Value = serde_json::from_slice(&bytes).unwrap();
            config[key] = value.clone();
            bytes = serde_json::to_vec(&config).unwrap();
        }
        files.push((name.to_owned(), Cow::Owned(bytes)));
    }
    hala_model::open(&Checkpoint::from_files(files)?, Options::default()).map(drop)
}

#[test]
fn settings_that_change_the_maths_are_refused_by_name() {
    let lfm3 = Fixture::new("lfm3", "five-layer");
    let gemma2 = Fixture::new("gemma2", "two-layer");
    let cohere2 = Fixture::new("cohere2", "four-layer");
    let rope = |full: Value| json!({"full_attention": full, "sliding_attention": {"rope_type": "default"}});
    let flat = json!({"rope_type": "default", "rope_theta": 1e4});
    let refused = [
        (&lfm3, "attention_bias", json!(true)),
        (&lfm3, "hidden_act", json!("gelu")),
        (&lfm3, "norm_eps", json!(0)),
        (&lfm3, "head_dim", json!(33)),
        (&lfm3, "layer_types", json!(vec!["conv"; 5])),
        (&lfm3, "layer_types", json!(["full_attention"])),
        (&lfm3, "layer_types", json!(["conv", "conv", "mamba", "conv", "conv"])),
        (&lfm3, "sliding_window", json!(0)),
        (&lfm3, "sliding_window", Value::Null),
        (&lfm3, "rope_parameters", flat),
        (&lfm3, "rope_parameters", rope(Value::Null)),
        (&lfm3, "rope_parameters", rope(json!({"rope_type": "axial"}))),
        (&gemma2, "hidden_activation", json!("gelu")),
        (&gemma2, "hidden_act", json!("silu")),
        (&gemma2, "attention_bias", json!(true)),
        (&gemma2, "use_bidirectional_attention", json!(true)),
        (&gemma2, "query_pre_attn_scalar", json!(0)),
        (&gemma2, "attn_logit_softcapping", json!(-1)),
        (&gemma2, "final_logit_softcapping", json!(0)),
        (&gemma2, "rms_norm_eps", json!(0)),
        (&gemma2, "head_dim", json!(33)),
        (&gemma2, "num_key_value_heads", json!(3)),
        (&gemma2, "layer_types", json!(["full_attention"])),
        (&gemma2, "layer_types", json!(["chunked_attention", "full_attention"])),
        (&gemma2, "sliding_window", json!(0)),
        (&gemma2, "sliding_window", Value::Null),
        (&cohere2, "hidden_act", json!("gelu")),
        (&cohere2, "use_parallel_block", json!(false)),
        (&cohere2, "use_gated_activation", json!(false)),
        (&cohere2, "use_qk_norm", json!(true)),
        (&cohere2, "rotary_pct", json!(0.5)),
        (&cohere2, "position_embedding_type", json!("rope_neox")),
        (&cohere2, "attention_bias", json!(true)),
    ];
    for (fixture, key, value) in refused {
        match opened_with(fixture, key, &value) {
            Err(ModelError::UnsupportedSetting { key: found, .. }) => {
                assert!(found.contains(key), "{key} = {value}: {found}");
            }
            other => panic!("{key} = {value}: {other:?}"),
        }
    }
}

#[test]
fn sizes_that_the_tensors_contradict_are_refused_by_name() {
    for (family, name) in [("lfm3", "five-layer"), ("gemma2", "two-layer"), ("cohere2", "four-layer")] {
        let fixture = Fixture::new(family, name);
        for (key, value) in [("hidden_size", 128), ("intermediate_size", 96), ("num_attention_heads", 2)] {
            let found = opened_with(&fixture, key, &json!(value));
            assert!(matches!(found, Err(ModelError::Disagreement { .. })), "{family}: {key}: {found:?}");
        }
        // A layer fewer leaves tensors over.
        for (key, value) in [("num_hidden_layers", json!(1)), ("layer_types", json!(["full_attention"]))] {
            assert!(opened_with(&fixture, key, &value).is_err(), "{family}: {key}");
        }
        assert!(opened_with(&fixture, "max_position_embeddings", &json!(100)).is_ok());
    }
}

#[test]
fn what_goes_into_matrices_is_shown_with_the_norm_that_it_came_out_of() {
    let expected = [
        ("lfm3", "own-names", "feed_forward.w3", Some("ffn_norm")),
        ("lfm3", "own-names", "conv.in_proj", Some("operator_norm")),
        ("lfm3", "own-names", "conv.out_proj", None),
        ("gemma2", "two-layer", "mlp.gate_proj", Some("pre_feedforward_layernorm")),
        ("gemma2", "two-layer", "self_attn.k_proj", Some("input_layernorm")),
        ("gemma2", "two-layer", "mlp.down_proj", None),
        ("cohere2", "four-layer", "mlp.up_proj", Some("input_layernorm")),
        ("cohere2", "four-layer", "self_attn.v_proj", Some("input_layernorm")),
        ("cohere2", "four-layer", "self_attn.o_proj", None),
    ];
    for (family, name, matrix, norm) in expected {
        let fixture = Fixture::new(family, name);
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        let engine = load(CpuBackend::plain(), &checkpoint, WeightFormat::F32).unwrap();
        let (mut found, wanted) = (None, format!("model.layers.1.{matrix}.weight"));
        let visit = |inputs: MatrixInputs<'_>| {
            if inputs.weights.contains(&wanted.as_str()) {
                found = Some((inputs.norm.map(|norm| norm.name.clone()), inputs.rows.len()));
            }
        };
        block_on(Probe::new(&engine).matrix_inputs(&checkpoint, &[1, 5, 9], &Cancel::new(), visit)).unwrap();
        let (found, n_elements) = found.unwrap();
        assert_eq!(found, norm.map(|norm| format!("model.layers.1.{norm}.weight")), "{family}: {matrix}");
        assert_eq!(n_elements, 3 * checkpoint.tensor(&wanted).unwrap().shape().n_columns());
    }
}

#[test]
fn a_device_chooses_the_tokens_that_the_host_would() {
    for (family, name) in [("lfm3", "five-layer"), ("gemma2", "tight-caps"), ("cohere2", "four-layer")] {
        let fixture = Fixture::new(family, name);
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        let prompt = &fixture.prompts()[2].ids;
        let on_cpu = ahead::ahead_on_cpu();
        ahead::assert_same_on(on_cpu, (family, &checkpoint, WeightFormat::F32), prompt);
        for device in devices::for_models() {
            ahead::assert_same_on(devices::shared(device), (device, &checkpoint, WeightFormat::F32), prompt);
        }
    }
}

#[test]
fn a_model_of_two_halves_is_told_by_what_is_not_its_own() {
    let refused = |name: &str, key: &str, value: Value| {
        opened_with(&Fixture::new("lfm3", name), key, &value).unwrap_err().to_string()
    };
    for (name, key, value, word) in [
        // Gates and norms that config.json asks for and no tensor holds, and the other way round.
        ("no-gate", "use_attention_gate", true, "model.layers.1.self_attn.gate_proj.weight"),
        ("five-layer", "use_attention_gate", false, "model.layers.2.self_attn.gate_proj.weight"),
        ("own-names", "use_attention_gate", false, "model.layers.0.self_attn.g_proj.weight"),
        ("no-sandwich", "use_sandwich_norm", true, "model.layers.0.post_operator_norm.weight"),
        ("five-layer", "use_sandwich_norm", false, "post_ffn_norm.weight"),
    ] {
        let message = refused(name, key, json!(value));
        assert!(message.contains(word), "{name}, {key}: {message}");
    }
    for key in ["head_dim", "num_key_value_heads", "vocab_size"] {
        assert!(refused("five-layer", key, Value::Null).contains(key), "{key}");
    }
}

#[test]
fn a_part_of_heads_that_no_maths_reads_is_told_before_loading() {
    let told = |name| hala_model::passed_over(&Checkpoint::open(&Fixture::new("lfm3", name).path).unwrap());
    let found = told("as-published");
    assert!(
        found.len() == 1 && found[0].contains("rope_parameters.full_attention.partial_rotary_factor is 0.5")
    );
    for name in ["five-layer", "stretched"] {
        assert!(told(name).is_empty(), "{name}");
    }
}
