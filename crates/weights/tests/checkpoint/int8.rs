//! Int8 checkpoints: what is written is read bit for bit, and other ways to quantise are refused by name.

use std::borrow::Cow;

use hala_tensor::{DType, Data, Shape, Tensor, TensorBuilder};
use hala_weights::{Checkpoint, SafetensorsWriter, WeightsError, int8_quantization_config};
use half::{bf16, f16};
use serde_json::{Value, json};

use crate::build::{f32_bytes, memory, tensors};

const NAME: &str = "model.embed_tokens.weight";

fn int8(rows: usize, columns: usize, group: usize) -> Tensor {
    let shape = Shape::matrix(rows, columns);
    let mut builder = TensorBuilder::new(shape, DType::Int8 { group }).unwrap();
    for row in 0..rows {
        let values: Vec<f32> =
            (0..columns).map(|c| ((row * 31 + c * 17) % 203) as f32 / 9.0 - 11.0).collect();
        builder.push_row(&values).unwrap();
    }
    builder.finish().unwrap()
}

fn config(group: usize) -> String {
    json!({ "quantization_config": int8_quantization_config(group) }).to_string()
}

fn written(tensor: &Tensor, config: &str) -> Checkpoint {
    let mut writer = SafetensorsWriter::new();
    writer.declare(NAME, tensor.shape(), tensor.dtype()).unwrap();
    memory(writer.to_bytes(|_| Ok(Cow::Borrowed(tensor))).unwrap(), config)
}

/// A checkpoint of one int8 matrix `[1, 4]` in groups of 2, its scales stored in this type.
fn by_hand(codes: [i8; 4], scale_dtype: &str, scales: Vec<u8>, config: &str) -> Checkpoint {
    let codes = codes.map(|c| c as u8).to_vec();
    let entries =
        [("a.weight", "I8", &[1, 4][..], codes), ("a.weight_scale", scale_dtype, &[1, 2][..], scales)];
    memory(tensors(&entries), config)
}

#[test]
fn codes_and_scales_pass_through_bit_for_bit() {
    for (rows, columns) in [(1, 1), (3, 64), (5, 129), (1100, 1025)] {
        let tensor = int8(rows, columns, 64);
        let checkpoint = written(&tensor, &config(64));
        assert_eq!(checkpoint.stored_dtype(NAME).unwrap(), DType::Int8 { group: 64 });
        assert_eq!(checkpoint.load(NAME, DType::Int8 { group: 64 }).unwrap(), tensor);
    }
}

#[test]
fn another_type_or_group_is_decoded_and_encoded_again() {
    let tensor = int8(200, 1025, 64);
    let checkpoint = written(&tensor, &config(64));
    for dtype in [DType::F32, DType::BF16, DType::E4M3, DType::Int8 { group: 32 }] {
        let mut expected = TensorBuilder::new(tensor.shape(), dtype).unwrap();
        tensor.to_f32().chunks(1025).for_each(|row| expected.push_row(row).unwrap());
        assert_eq!(checkpoint.load(NAME, dtype).unwrap(), expected.finish().unwrap(), "{dtype}");
    }
}

#[test]
fn scales_are_no_tensors_of_their_own() {
    let checkpoint = written(&int8(3, 130, 64), &config(64));
    assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), [NAME]);
    assert_eq!((checkpoint.n_parameters(), checkpoint.n_bytes()), (390, 390 + 3 * 3 * 4));
    assert!(checkpoint.contains("model.embed_tokens.weight_scale"));
}

#[test]
fn scales_may_be_f32_f16_or_bf16() {
    let scales = [0.5f32, 2.0];
    let f16s = scales.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
    let bf16s = scales.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect();
    for (dtype, bytes) in [("F32", f32_bytes(&scales)), ("F16", f16s), ("BF16", bf16s)] {
        let checkpoint = by_hand([1, -2, 3, 127], dtype, bytes, &config(2));
        let loaded = checkpoint.load("a.weight", DType::Int8 { group: 2 }).unwrap();
        assert_eq!(loaded.to_f32(), [0.5, -1.0, 6.0, 254.0]);
    }
}

#[test]
fn the_code_minus_128_is_kept() {
    let checkpoint = by_hand([-128, 64, 1, 2], "F32", f32_bytes(&[1.0, 1.0]), &config(2));
    let loaded = checkpoint.load("a.weight", DType::Int8 { group: 2 }).unwrap();
    let Data::Int8 { codes, scales, .. } = loaded.data() else { panic!("not int8") };
    assert_eq!((codes[0], scales[0]), (-128, 1.0));
    assert_eq!(checkpoint.load("a.weight", DType::F32).unwrap().to_f32(), [-128.0, 64.0, 1.0, 2.0]);
}

#[test]
fn missing_or_misshapen_scales_are_named() {
    let alone = memory(tensors(&[("a.weight", "I8", &[1, 4], vec![0; 4])]), &config(2));
    let message = alone.load("a.weight", DType::F32).unwrap_err().to_string();
    assert!(message.contains("no tensor `a.weight_scale`"), "{message}");
    let one_group = by_hand([0; 4], "F32", f32_bytes(&[1.0, 1.0]), &config(4));
    let message = one_group.load("a.weight", DType::F32).unwrap_err().to_string();
    assert!(message.contains("`a.weight_scale`") && message.contains("[1, 2], where [1, 1]"), "{message}");
}

#[test]
fn a_scale_that_is_not_finite_is_refused() {
    let checkpoint = by_hand([0; 4], "F32", f32_bytes(&[1.0, f32::NAN]), &config(2));
    assert!(checkpoint.load("a.weight", DType::F32).unwrap_err().to_string().contains("NaN"));
}

#[test]
fn floats_beside_int8_weights_load_as_ever() {
    let entries = [("norm.weight", "F32", &[2][..], f32_bytes(&[1.0, 2.0]))];
    let checkpoint = memory(tensors(&entries), &config(64));
    assert_eq!(checkpoint.load("norm.weight", DType::F32).unwrap().to_f32(), [1.0, 2.0]);
}

/// The message of loading from a checkpoint whose quantization_config was changed.
fn refused(change: impl Fn(&mut Value)) -> String {
    let mut quantisation = int8_quantization_config(64);
    change(&mut quantisation);
    let config = json!({ "quantization_config": quantisation }).to_string();
    let checkpoint = memory(tensors(&[("n", "F32", &[1], f32_bytes(&[1.0]))]), &config);
    let error = checkpoint.load("n", DType::F32).unwrap_err();
    assert!(matches!(error, WeightsError::Quantisation { .. }), "{error}");
    error.to_string()
}

#[test]
fn other_ways_to_quantise_are_named_and_refused() {
    let group = |change: fn(&mut Value)| refused(move |q| change(&mut q["config_groups"]["group_0"]));
    let message = refused(|q| *q = json!({ "quant_method": "gptq", "bits": 4 }));
    assert!(message.contains(r#"quant_method "gptq", bits 4) is not supported yet"#), "{message}");
    let nvfp4 = refused(|q| {
        q["format"] = json!("nvfp4-pack-quantized");
        q["config_groups"]["group_0"]["weights"]["type"] = json!("float");
        q["config_groups"]["group_0"]["weights"]["strategy"] = json!("tensor_group");
    });
    for word in ["nvfp4-pack-quantized", "tensor_group", "float", "num_bits 8"] {
        assert!(nvfp4.contains(word), "{nvfp4}");
    }
    assert!(group(|g| g["format"] = json!("mxfp8-quantized")).contains("formats"));
    assert!(group(|g| g["weights"]["strategy"] = json!("token")).contains("strategy is token"));
    assert!(group(|g| g["weights"]["num_bits"] = json!(3)).contains("int with 3 bits"));
    let zeros_of_floats = group(|g| {
        g["weights"]["symmetric"] = json!(false);
        g["weights"]["type"] = json!("float");
    });
    assert!(zeros_of_floats.contains("in config_groups.group_0, symmetric is false"), "{zeros_of_floats}");
    assert!(group(|g| g["weights"]["actorder"] = json!("random")).contains("actorder is \"random\""));
    let order_of_channels = group(|g| {
        g["weights"]["actorder"] = json!("group");
        g["weights"]["strategy"] = json!("channel");
    });
    assert!(order_of_channels.contains("actorder is group"), "{order_of_channels}");
    assert!(group(|g| g["weights"]["dynamic"] = json!(true)).contains("dynamic"));
    assert!(group(|g| g["weights"]["group_size"] = json!(0)).contains("group_size"));
    assert!(
        group(|g| g["input_activations"] = json!({ "num_bits": 4 }))
            .contains("input_activations have 4 bits")
    );
    assert!(group(|g| g["output_activations"] = json!({ "num_bits": 8 })).contains("output_activations"));
    let transform = json!({ "config_groups": { "u": { "type": "hadamard" } } });
    assert!(refused(|q| q["transform_config"] = transform.clone()).contains("transform_config"));
    for format in ["sparse-bitmask", "sparse-24-bitmask"] {
        let message = refused(|q| q["sparsity_config"] = json!({ "format": format }));
        assert!(message.contains(&format!("sparsity_config.format is {format}")), "{message}");
    }
    for format in ["marlin-24", "mxfp4-pack-quantized", "dense"] {
        assert!(refused(|q| q["format"] = json!(format)).contains(&format!("its format is {format}")));
    }
    assert!(refused(|q| q["config_groups"] = json!({})).contains("empty"));
}

#[test]
fn settings_that_change_nothing_are_passed_over() {
    let codes = [0, 1, 2, 3];
    let loaded = |change: fn(&mut Value)| {
        let mut quantisation = int8_quantization_config(2);
        change(&mut quantisation);
        let config = json!({ "quantization_config": quantisation }).to_string();
        let checkpoint = by_hand(codes, "F32", f32_bytes(&[1.0, 2.0]), &config);
        checkpoint.check_quantisation().unwrap();
        checkpoint.load("a.weight", DType::F32).unwrap().to_f32()
    };
    let plain = loaded(|_| {});
    for change in [
        (|q| q["sparsity_config"] = json!({ "format": "dense", "ignore": ["lm_head"] })) as fn(&mut Value),
        |q| q["sparsity_config"] = json!({}),
        |q| q["transform_config"] = json!({ "config_groups": {} }),
        |q| q["kv_cache_scheme"] = json!({ "num_bits": 8, "type": "float" }),
        |q| q["moe_sparsity_config"] = Value::Null,
        |q| q["quantization_status"] = json!("frozen"),
        |q| q["config_groups"]["of_inputs"] = json!({ "targets": ["x"], "weights": null }),
        |q| q["config_groups"]["group_0"]["weights"]["actorder"] = json!("static"),
        |q| drop(q["config_groups"]["group_0"]["weights"].as_object_mut().unwrap().remove("symmetric")),
        |q| drop(q["config_groups"]["group_0"]["weights"].as_object_mut().unwrap().remove("strategy")),
    ] {
        assert_eq!(loaded(change), plain);
    }
}

#[test]
fn a_quantised_cache_is_told_of_and_its_scales_are_no_weights() {
    let mut quantisation = int8_quantization_config(4);
    let open = |quantisation: &Value| {
        let scale = || f32_bytes(&[0.5]);
        let entries =
            [("l.self_attn.k_scale", "F32", &[1][..], scale()), ("l.v_scale", "F32", &[1], scale())];
        memory(tensors(&entries), &json!({ "quantization_config": quantisation }).to_string())
    };
    assert_eq!(open(&quantisation).tensor_names().count(), 2);
    assert!(open(&quantisation).passed_over().is_empty());
    quantisation["kv_cache_scheme"] = json!({ "num_bits": 8, "type": "float", "symmetric": true });
    let checkpoint = open(&quantisation);
    assert_eq!(checkpoint.tensor_names().count(), 0);
    let told = checkpoint.passed_over();
    assert!(told.len() == 1 && told[0].contains("kv_cache_scheme"), "{told:?}");
}

#[test]
fn folders_of_mlx_are_refused_for_what_they_are() {
    let by_config = memory(
        tensors(&[("n", "F32", &[1], f32_bytes(&[1.0]))]),
        r#"{"quantization": {"group_size": 32, "bits": 4, "mode": "affine"}, "quantization_config": {"bits": 4}}"#,
    );
    let words = vec![0; 8];
    let entries = [
        ("a.weight", "U32", &[2, 1][..], words.clone()),
        ("a.scales", "F32", &[2, 1], words.clone()),
        ("a.biases", "F32", &[2, 1], words),
    ];
    let by_tensors = memory(tensors(&entries), "{}");
    let by_method = memory(
        tensors(&[("n", "F32", &[1], f32_bytes(&[1.0]))]),
        r#"{"quantization_config": {"group_size": 32, "bits": 4}}"#,
    );
    for checkpoint in [by_config, by_tensors, by_method] {
        let error = checkpoint.check_quantisation().unwrap_err();
        assert!(matches!(error, WeightsError::Mlx { .. }) && error.to_string().contains("MLX"), "{error}");
    }
}

#[test]
fn an_int8_tensor_without_a_quantization_config_is_not_guessed_at() {
    let checkpoint = by_hand([0; 4], "F32", f32_bytes(&[1.0, 1.0]), "{}");
    assert!(matches!(checkpoint.load("a.weight", DType::F32), Err(WeightsError::UnsupportedDType { .. })));
}

/// Words of a row of codes of so many bits, from 0 on.
fn words(n_bits: u32, n_codes: u32) -> Vec<u8> {
    let mut words = vec![0u32; (n_codes * n_bits).div_ceil(32) as usize];
    for i in 0..n_codes {
        words[(i * n_bits / 32) as usize] |= (i % (1 << n_bits)) << (i * n_bits % 32);
    }
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// A checkpoint of one packed matrix of a row, one scale, and `weight_shape`; its config has these numbers of bits.
fn packed(n_bits: u32, n_codes: u32, shape: Option<i64>, config: &[u32]) -> Checkpoint {
    let words = words(n_bits, n_codes);
    let n_words = words.len() / 4;
    let dims = [1, n_words];
    let mut entries = vec![
        ("a.weight_packed", "I32", &dims[..], words),
        ("a.weight_scale", "F32", &[1, 1][..], f32_bytes(&[2.0])),
    ];
    if let Some(shape) = shape {
        entries.push((
            "a.weight_shape",
            "I64",
            &[2][..],
            [1, shape].iter().flat_map(|n| n.to_le_bytes()).collect(),
        ));
    }
    let mut quantisation = int8_quantization_config(64);
    quantisation["format"] = json!("pack-quantized");
    for (i, n_bits) in config.iter().enumerate() {
        let mut group = quantisation["config_groups"]["group_0"].clone();
        group["weights"]["num_bits"] = json!(n_bits);
        group["weights"]["strategy"] = json!("channel");
        quantisation["config_groups"][format!("group_{i}")] = group;
    }
    memory(tensors(&entries), &json!({ "quantization_config": quantisation }).to_string())
}

#[test]
fn packed_codes_are_unpacked() {
    for (n_bits, n_codes, shape, config) in [
        (4, 16, None, &[4][..]),
        (8, 8, None, &[8]),
        // The shape says how many bits, and how many codes of the last word count.
        (4, 16, Some(16), &[4, 8]),
        (8, 8, Some(8), &[4, 8]),
        (4, 13, Some(13), &[8, 4]),
        (8, 5, Some(5), &[4, 8]),
    ] {
        let checkpoint = packed(n_bits, n_codes, shape, config);
        assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), ["a.weight"], "{n_bits} bits");
        let expected: Vec<f32> =
            (0..n_codes).map(|i| 2.0 * ((i % (1 << n_bits)) as f32 - (1 << (n_bits - 1)) as f32)).collect();
        let held = checkpoint.stored_dtype("a.weight").unwrap();
        for dtype in [held, DType::F32] {
            assert_eq!(checkpoint.load("a.weight", dtype).unwrap().to_f32(), expected, "{n_bits} bits");
        }
    }
}

#[test]
fn packed_codes_that_may_be_two_things_are_not_guessed_at() {
    let checkpoint = packed(4, 16, None, &[4, 8]);
    assert!(!checkpoint.contains("a.weight"));
    // A shape that no scheme has.
    let misshapen = packed(4, 16, Some(40), &[4, 8]);
    for checkpoint in [checkpoint, misshapen] {
        assert!(!checkpoint.contains("a.weight"));
        for error in [
            checkpoint.load("a.weight", DType::F32).unwrap_err(),
            checkpoint.check_quantisation().unwrap_err(),
        ] {
            assert!(matches!(error, WeightsError::Packed { .. }), "{error}");
        }
    }
}

#[test]
fn what_is_not_supported_is_named_before_tensors_are_missed() {
    let mut quantisation = int8_quantization_config(64);
    quantisation["format"] = json!("nvfp4-pack-quantized");
    let config = json!({ "quantization_config": quantisation }).to_string();
    let entries = [
        ("a.weight_packed", "I32", &[1, 1][..], vec![0; 4]),
        ("a.weight_scale", "F32", &[1, 1], f32_bytes(&[1.0])),
    ];
    let error = memory(tensors(&entries), &config).load("a.weight", DType::F32).unwrap_err().to_string();
    assert!(error.contains("nvfp4-pack-quantized") && !error.contains("has no tensor"), "{error}");
    let error = memory(tensors(&entries), "{}").load("a.weight", DType::F32).unwrap_err().to_string();
    assert!(error.contains("quantization_config") && !error.contains("has no tensor"), "{error}");
}
