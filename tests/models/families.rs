//! Gemma 2 and Cohere 2: what their config.json may not say, and texts that a device chooses.

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
    let gemma2 = Fixture::new("gemma2", "two-layer");
    let cohere2 = Fixture::new("cohere2", "four-layer");
    let refused = [
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
    for (family, name) in [("gemma2", "two-layer"), ("cohere2", "four-layer")] {
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
    for (family, name) in [("gemma2", "tight-caps"), ("cohere2", "four-layer")] {
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
