//! Written files are read back by this crate and by the format's own, and failures leave nothing behind.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hala_tensor::{DType, Shape, Tensor, TensorBuilder};
use hala_weights::{Checkpoint, SafetensorsWriter, WeightsError};

fn tensor(shape: Shape, dtype: DType) -> Tensor {
    let mut builder = TensorBuilder::new(shape, dtype).unwrap();
    for row in 0..shape.n_rows() {
        let values: Vec<f32> = (0..shape.n_columns()).map(|c| (row * 7 + c) as f32 / 8.0 - 3.0).collect();
        builder.push_row(&values).unwrap();
    }
    builder.finish().unwrap()
}

fn sample() -> BTreeMap<String, Tensor> {
    let odd = Shape::matrix(3, 67);
    [
        ("bf", tensor(odd, DType::BF16)),
        ("a", tensor(Shape::vector(5), DType::F16)),
        ("صفّ \"q\"", tensor(Shape::cube(2, 1, 3), DType::F32)),
        ("scalar", tensor(Shape::new(&[]).unwrap(), DType::F32)),
        ("x.weight", tensor(odd, DType::Int8 { group: 64 })),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into()
}

fn names_in(folder: &std::path::Path) -> Vec<String> {
    folder.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_is_read_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut writer = SafetensorsWriter::new();
    writer.metadata("format", "pt");
    writer.write_all(&path, &sample()).unwrap();
    let config = serde_json::json!({ "quantization_config": hala_weights::int8_quantization_config(64) });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.metadata()["format"], "pt");
    for (name, tensor) in sample() {
        let stored = checkpoint.stored_dtype(&name).unwrap();
        assert_eq!((stored, checkpoint.load(&name, stored).unwrap()), (tensor.dtype(), tensor));
    }
}

#[test]
fn the_reference_reader_agrees_and_finds_every_tensor_aligned() {
    let mut writer = SafetensorsWriter::new();
    let tensors = sample();
    for (name, tensor) in &tensors {
        writer.declare(name, tensor.shape(), tensor.dtype()).unwrap();
    }
    let bytes = writer.to_bytes(|name| Ok(Cow::Borrowed(&tensors[name]))).unwrap();
    let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(reference.len(), 6);
    for (name, view) in reference.iter() {
        let width = view.dtype().bitsize() / 8;
        assert_eq!((view.data().as_ptr() as usize - bytes.as_ptr() as usize) % width, 0, "{name}");
    }
    let codes = reference.tensor("x.weight").unwrap();
    assert_eq!((codes.dtype(), codes.shape()), (safetensors::Dtype::I8, &[3, 67][..]));
    let scales = reference.tensor("x.weight_scale").unwrap();
    assert_eq!((scales.dtype(), scales.shape()), (safetensors::Dtype::F32, &[3, 2][..]));
    assert!(reference.tensor("صفّ \"q\"").is_ok());
}

#[test]
fn equal_input_gives_equal_bytes_whatever_the_order_of_declaration() {
    let tensors = sample();
    let bytes = |names: Vec<&String>| {
        let mut writer = SafetensorsWriter::new();
        for name in names {
            writer.declare(name, tensors[name].shape(), tensors[name].dtype()).unwrap();
        }
        writer.to_bytes(|name| Ok(Cow::Borrowed(&tensors[name]))).unwrap()
    };
    assert_eq!(bytes(tensors.keys().collect()), bytes(tensors.keys().rev().collect()));
}

#[test]
fn a_failure_half_way_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    std::fs::write(&path, b"old").unwrap();
    let mut writer = SafetensorsWriter::new();
    writer.declare("a", Shape::vector(1), DType::F32).unwrap();
    writer.declare("b", Shape::vector(1), DType::F32).unwrap();
    let result = writer.write(&path, |name| match name {
        "a" => Ok(Cow::Owned(tensor(Shape::vector(1), DType::F32))),
        _ => Ok(Cow::Owned(tensor(Shape::vector(2), DType::F32))),
    });
    let message = result.unwrap_err().to_string();
    assert!(message.contains("`b`") && message.contains("[2]") && message.contains("[1]"), "{message}");
    assert_eq!(
        (std::fs::read(&path).unwrap(), names_in(folder.path())),
        (b"old".to_vec(), vec!["out.safetensors".to_owned()])
    );
}

#[test]
fn unwritable_output_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no/such/out.safetensors");
    for path in [nowhere.as_path(), folder.path()] {
        let error = SafetensorsWriter::new().write_all(path, &sample()).unwrap_err();
        assert!(matches!(error, WeightsError::Io { action: "write", .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    assert!(names_in(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn a_device_is_not_replaced_by_a_file() {
    let error = SafetensorsWriter::new().write_all(std::path::Path::new("/dev/null"), &sample()).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
    assert!(!std::path::Path::new("/dev/null").is_file());
}

#[test]
fn names_and_types_that_cannot_be_written_are_refused() {
    let matrix = Shape::matrix(2, 2);
    let int8 = DType::Int8 { group: 64 };
    let mut writer = SafetensorsWriter::new();
    writer.declare("x.weight", matrix, int8).unwrap();
    for (name, shape, dtype) in [
        ("x.weight", matrix, DType::F32),
        ("x.weight_scale", matrix, DType::F32),
        ("__metadata__", matrix, DType::F32),
        ("bias", matrix, int8),
        ("y.weight", Shape::vector(4), int8),
        ("z", matrix, DType::E4M3),
        ("ids", matrix, DType::U32),
    ] {
        let error = writer.declare(name, shape, dtype).unwrap_err();
        assert!(matches!(error, WeightsError::Unwritable { .. }), "{name}: {error}");
    }
}
