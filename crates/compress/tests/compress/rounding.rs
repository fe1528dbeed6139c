//! Codes and scales against those that compressed-tensors computes, byte for byte.

use hala_compress::Scheme;
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::files::{RANGE, fixture, folder, recipe, run};

#[test]
fn codes_and_scales_are_those_of_compressed_tensors() {
    let input = folder(&[]);
    for name in Scheme::NAMES {
        let out = input.path().join(name);
        run(input.path(), &out, &recipe(name)).unwrap();
        let expected = Checkpoint::open(&fixture(&format!("{name}.safetensors"))).unwrap();
        let found = Checkpoint::open(&out.join("model.safetensors")).unwrap();
        let mut n_compared = 0;
        for tensor in expected.weight_files().flat_map(|(_, tensors)| tensors) {
            let [found, expected] = [&found, &expected].map(|c| c.tensor(&tensor.name).unwrap());
            assert_eq!((found.shape(), found.file_dtype()), (expected.shape(), expected.file_dtype()));
            assert!(found.bytes().unwrap() == expected.bytes().unwrap(), "{name}: {}", tensor.name);
            n_compared += 1;
        }
        assert!(n_compared >= 12, "{name}: {n_compared} tensors");
    }
}

#[test]
fn what_was_written_is_read_as_codes_times_scales() {
    let input = folder(&[]);
    let before = Checkpoint::open(input.path()).unwrap();
    // Half of a step of the codes, relative to the largest magnitude of a row, with the rounding of scales in bf16.
    for (name, step) in [
        ("fp8-dynamic", 0.07),
        ("fp8-static", 0.07),
        ("fp8-block", 0.07),
        ("int8", 0.009),
        ("int8-w8a16", 0.009),
        ("int4-w4a16", 0.08),
    ] {
        let out = input.path().join(name);
        run(input.path(), &out, &recipe(name)).unwrap();
        let after = Checkpoint::open(&out).unwrap();
        assert_eq!(after.tensor_names().collect::<Vec<_>>(), before.tensor_names().collect::<Vec<_>>());
        let weight = "model.layers.0.feed_forward.w2.weight";
        let [x, y] = [&before, &after].map(|c| c.load(weight, DType::F32).unwrap());
        assert_eq!(x.shape(), y.shape());
        for row in [0, 3, 4, 5, 63] {
            let (mut a, mut b) = (vec![0.0; 160], vec![0.0; 160]);
            x.row(row, &mut a);
            y.row(row, &mut b);
            let largest = if ["fp8-block", "fp8-static"].contains(&name) {
                5e37
            } else {
                a.iter().fold(0.0f32, |m, x| m.max(x.abs()))
            };
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() <= largest * step, "{name}, row {row}: {a} became {b}");
            }
        }
    }
}

#[test]
fn the_types_in_memory_hold_the_codes() {
    let input = folder(&[]);
    for (name, dtype) in [
        ("fp8-dynamic", DType::E4M3),
        ("fp8-static", DType::E4M3),
        ("fp8-block", DType::Int8 { group: DType::INT8_GROUP }),
        ("int8", DType::Int8 { group: 256 }),
        ("int8-w8a16", DType::Int8 { group: 256 }),
        ("int4-w4a16", DType::Int4 { group: 32 }),
    ] {
        let out = input.path().join(name);
        run(input.path(), &out, &recipe(name)).unwrap();
        let checkpoint = Checkpoint::open(&out).unwrap();
        let weight = "model.layers.0.feed_forward.w2.weight";
        assert_eq!(checkpoint.stored_dtype(weight).unwrap(), dtype, "{name}");
        let exact = checkpoint.load(weight, DType::F32).unwrap();
        if name != "fp8-block" {
            assert_eq!(checkpoint.load(weight, dtype).unwrap().to_f32(), exact.to_f32(), "{name}");
        }
    }
}

#[test]
fn static_inputs_have_the_scale_of_their_range() {
    let input = folder(&[]);
    let out = input.path().join("out");
    run(input.path(), &out, &recipe("fp8-static")).unwrap();
    let checkpoint = Checkpoint::open(&out).unwrap();
    // In the weight's own type, as torch rounds.
    for (layer, expected) in [
        ("conv.in_proj", half::bf16::from_f32(half::bf16::from_f32(RANGE).to_f32() / 448.0).to_f32()),
        ("self_attn.q_proj", half::f16::from_f32(half::f16::from_f32(RANGE).to_f32() / 448.0).to_f32()),
        ("self_attn.k_proj", RANGE / 448.0),
    ] {
        let scale = checkpoint.load(&format!("model.layers.0.{layer}.input_scale"), DType::F32).unwrap();
        assert_eq!((scale.shape().dims(), scale.to_f32()), (&[1][..], vec![expected]), "{layer}");
    }
    // They belong to their weights, and are no tensors of their own.
    assert!(!checkpoint.tensor_names().any(|name| name.contains("scale")));
}

#[test]
fn packed_codes_of_4_and_8_bits_are_told_apart() {
    let input = folder(&[]);
    // With groups as long as a row both have one scale a row.
    let text = "
groups:
  - { scheme: int4-w4a16, group: 64, targets: ['re:.*w1$', 're:.*w3$'] }
  - { scheme: int8-w8a16 }
";
    let recipe = hala_compress::Recipe::parse("recipe.yml", text).unwrap();
    let out = input.path().join("out");
    let report = run(input.path(), &out, &recipe).unwrap();
    let error = |name: &str| report.modules.iter().find(|m| m.module.ends_with(name)).unwrap().relative_error;
    assert!(error("w1") > 0.03 && error("w2") < 0.03, "{report:?}");
    let checkpoint = Checkpoint::open(&out).unwrap();
    assert_eq!(
        checkpoint.stored_dtype("model.layers.0.feed_forward.w1.weight").unwrap(),
        DType::Int4 { group: 64 }
    );
    assert_eq!(
        checkpoint.stored_dtype("model.layers.0.feed_forward.w2.weight").unwrap(),
        DType::Int8 { group: 256 }
    );
}
