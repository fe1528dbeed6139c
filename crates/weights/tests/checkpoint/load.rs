//! Tensors of every stored type, loaded as every type.

use hala_tensor::{DType, Data, Shape, TensorBuilder};
use hala_weights::WeightsError;
use half::{bf16, f16};

use crate::build::{f32_bytes, memory, tensors};

const FLOATS: [DType; 3] = [DType::F32, DType::F16, DType::BF16];
const ALL: [DType; 6] =
    [DType::F32, DType::F16, DType::BF16, DType::E4M3, DType::Int8 { group: 64 }, DType::Int8 { group: 32 }];

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 % 2003) as f32 - 1001.0) / 513.0).collect()
}

/// The values as a file of this type holds them, and the floats that those bytes stand for.
fn stored(dtype: DType, values: &[f32]) -> (&'static str, Vec<u8>, Vec<f32>) {
    match dtype {
        DType::F16 => {
            let halves: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
            let bytes = halves.iter().flat_map(|x| x.to_le_bytes()).collect();
            ("F16", bytes, halves.iter().map(|x| x.to_f32()).collect())
        }
        DType::BF16 => {
            let halves: Vec<bf16> = values.iter().map(|x| bf16::from_f32(*x)).collect();
            let bytes = halves.iter().flat_map(|x| x.to_le_bytes()).collect();
            ("BF16", bytes, halves.iter().map(|x| x.to_f32()).collect())
        }
        _ => ("F32", f32_bytes(values), values.to_vec()),
    }
}

#[test]
fn every_stored_type_loads_as_every_type_as_if_encoded_whole() {
    // The last shape spans several chunks, the last of them short; an odd name length leaves the data unaligned.
    for (rows, columns) in [(1, 1), (3, 31), (129, 65), (1025, 130)] {
        let shape = Shape::matrix(rows, columns);
        for from in FLOATS {
            let (name, bytes, floats) = stored(from, &values(rows * columns));
            let checkpoint = memory(tensors(&[("odd", name, &[rows, columns], bytes)]), "{}");
            assert_eq!(checkpoint.stored_dtype("odd").unwrap(), from);
            for to in ALL {
                let mut expected = TensorBuilder::new(shape, to).unwrap();
                floats.chunks(columns).for_each(|row| expected.push_row(row).unwrap());
                let loaded = checkpoint.load("odd", to).unwrap();
                assert_eq!(loaded, expected.finish().unwrap(), "{from} {shape} as {to}");
            }
        }
    }
}

#[test]
fn scalars_vectors_cubes_and_empty_tensors_load_as_floats() {
    for dims in [&[][..], &[7], &[2, 1, 3], &[0], &[0, 5], &[5, 0], &[1 << 40, 0]] {
        let n = dims.iter().product();
        for from in FLOATS {
            let (name, bytes, floats) = stored(from, &values(n));
            let checkpoint = memory(tensors(&[("t", name, dims, bytes)]), "{}");
            for to in FLOATS {
                let loaded = checkpoint.load("t", to).unwrap();
                assert_eq!((loaded.shape().dims(), loaded.dtype()), (dims, to));
                if to == DType::F32 {
                    let Data::F32(found) = loaded.into_data() else { panic!("not f32") };
                    assert_eq!(found, floats);
                }
            }
            if dims.len() != 2 || n == 0 {
                assert!(checkpoint.load("t", DType::E4M3).is_err());
                assert!(checkpoint.load("t", DType::Int8 { group: 64 }).is_err());
            }
        }
    }
}

#[test]
fn a_value_that_is_not_finite_is_refused_with_its_tensor_and_row() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut with_fault = values(12);
        with_fault[10] = bad;
        for from in FLOATS {
            let (name, bytes, _) = stored(from, &with_fault);
            let checkpoint = memory(tensors(&[("w", name, &[4, 3], bytes)]), "{}");
            for to in ALL {
                let message = checkpoint.load("w", to).unwrap_err().to_string();
                assert!(message.starts_with("tensor `w` in model.safetensors: row 3 holds"), "{message}");
            }
        }
    }
}

#[test]
fn a_value_beyond_f16_is_refused_as_f16_only() {
    let checkpoint = memory(tensors(&[("w", "F32", &[1], f32_bytes(&[1e6]))]), "{}");
    assert!(matches!(checkpoint.load("w", DType::F16), Err(WeightsError::Tensor { .. })));
    assert_eq!(checkpoint.load("w", DType::F32).unwrap().to_f32(), [1e6]);
}

#[test]
fn other_element_types_are_named_when_read_as_floats() {
    for (name, n_bytes) in [("F64", 8), ("I8", 1), ("F8_E4M3", 1), ("I64", 8), ("BOOL", 1), ("U8", 1)] {
        let checkpoint = memory(tensors(&[("w.weight", name, &[1], vec![0; n_bytes])]), "{}");
        for result in
            [checkpoint.load("w.weight", DType::F32).err(), checkpoint.stored_dtype("w.weight").err()]
        {
            let message = result.unwrap().to_string();
            assert!(message.contains(&format!("is stored as {name}, which is not supported")), "{message}");
        }
        assert_eq!(checkpoint.tensor("w.weight").unwrap().file_dtype().name(), name);
    }
}

#[test]
fn five_dimensions_are_refused_when_asked_for_and_not_before() {
    let checkpoint = memory(tensors(&[("w", "F32", &[1, 1, 1, 1, 1], f32_bytes(&[1.0]))]), "{}");
    assert_eq!(checkpoint.n_parameters(), 1);
    assert!(checkpoint.load("w", DType::F32).unwrap_err().to_string().contains("5 dimensions"));
}
