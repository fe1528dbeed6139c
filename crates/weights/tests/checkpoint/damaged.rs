//! Every way in which a safetensors file can be wrong gives an error that names the fault.

use std::borrow::Cow;

use hala_weights::{Checkpoint, HeaderFault, WeightsError};

use crate::build::{f32_bytes, file, folder, tensors};

/// The fault of a model.safetensors of these bytes, opened from a folder and from memory.
fn fault(bytes: &[u8]) -> HeaderFault {
    let folder = folder(&[("model.safetensors", bytes), ("config.json", b"{}")]);
    let error = Checkpoint::open(folder.path()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("model.safetensors") && message.contains("download it again"), "{message}");
    let files = vec![("model.safetensors".to_owned(), Cow::Owned(bytes.to_vec()))];
    let in_memory = Checkpoint::from_files(files).unwrap_err();
    match (error, in_memory) {
        (WeightsError::Damaged { fault, .. }, WeightsError::Damaged { fault: same, .. }) => {
            assert_eq!(fault, same);
            fault
        }
        (other, _) => panic!("{other}"),
    }
}

fn entry(name: &str, dtype: &str, shape: &str, start: u64, end: u64) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
}

#[test]
fn an_empty_file() {
    assert_eq!(fault(b""), HeaderFault::Empty);
}

#[test]
fn a_file_too_short_for_a_length() {
    assert_eq!(fault(&[1, 0, 0, 0, 0]), HeaderFault::NoLength { found: 5 });
}

#[test]
fn a_header_longer_than_the_file() {
    let mut bytes = file("{}", &[]);
    bytes[0] = 200;
    assert_eq!(fault(&bytes), HeaderFault::HeaderBeyondFile { found: 2, expected: 200 });
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(fault(&bytes), HeaderFault::HeaderBeyondFile { found: 2, expected: u64::MAX });
}

#[test]
fn a_file_cut_off_anywhere() {
    let whole =
        tensors(&[("a", "F32", &[2, 2], f32_bytes(&[1.0; 4])), ("b", "F32", &[1], f32_bytes(&[2.0]))]);
    let expected = whole.len() as u64;
    let n_header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for cut in 8 + n_header..whole.len() {
        assert_eq!(fault(&whole[..cut]), HeaderFault::Truncated { found: cut as u64, expected });
    }
    for cut in 0..8 + n_header {
        fault(&whole[..cut]);
    }
}

#[test]
fn bytes_behind_the_last_tensor() {
    let mut bytes = tensors(&[("a", "F32", &[1], f32_bytes(&[1.0]))]);
    bytes.extend([0; 3]);
    let found = bytes.len() as u64;
    assert_eq!(fault(&bytes), HeaderFault::Trailing { found, expected: found - 3 });
}

#[test]
fn tensors_that_overlap_or_leave_a_gap() {
    for start in [2, 6] {
        let entries = [entry("a", "F32", "[1]", 0, 4), entry("b", "F32", "[1]", start, start + 4)];
        let bytes = file(&format!("{{{}}}", entries.join(",")), &[0; 10]);
        let expected = HeaderFault::Offsets { name: "b".to_owned(), start, end: start + 4, expected: 4 };
        assert_eq!(fault(&bytes), expected);
    }
}

#[test]
fn a_first_tensor_that_does_not_start_at_the_first_byte() {
    let bytes = file(&format!("{{{}}}", entry("a", "U8", "[2]", 1, 3)), &[0; 3]);
    assert!(matches!(fault(&bytes), HeaderFault::Offsets { start: 1, expected: 0, .. }));
}

#[test]
fn an_end_before_its_start_and_offsets_near_the_limit() {
    let bytes = file(&format!("{{{}}}", entry("a", "U8", "[2]", 0, u64::MAX)), &[0; 3]);
    assert!(matches!(fault(&bytes), HeaderFault::TensorBytes { found: u64::MAX, .. }));
    let entries = [entry("a", "U8", "[2]", 0, 2), entry("b", "U8", "[2]", 2, 1)];
    let bytes = file(&format!("{{{}}}", entries.join(",")), &[0; 3]);
    assert!(matches!(fault(&bytes), HeaderFault::Offsets { start: 2, end: 1, .. }));
}

#[test]
fn a_shape_that_needs_other_bytes_than_the_offsets_give() {
    let bytes = file(&format!("{{{}}}", entry("a", "BF16", "[3, 5]", 0, 28)), &[0; 28]);
    let message = fault(&bytes).to_string();
    assert!(message.contains("`a` (BF16 [3, 5]) is given 28 bytes, where 30 are expected"), "{message}");
    // Refused before anything is reserved for it.
    for shape in ["[18446744073709551615, 3]", "[4294967296, 4294967296, 4]", "[99999999]"] {
        let bytes = file(&format!("{{{}}}", entry("a", "F32", shape, 0, 4)), &[0; 4]);
        assert!(matches!(fault(&bytes), HeaderFault::TensorBytes { .. }), "{shape}");
    }
}

#[test]
fn a_name_that_stands_twice() {
    let entries = [entry("a", "U8", "[1]", 0, 1), entry("a", "U8", "[1]", 1, 2)];
    let bytes = file(&format!("{{{}}}", entries.join(",")), &[0; 2]);
    assert_eq!(fault(&bytes), HeaderFault::Duplicate { name: "a".to_owned() });
}

#[test]
fn an_element_type_that_does_not_exist() {
    let bytes = file(&format!("{{{}}}", entry("a", "F31", "[1]", 0, 4)), &[0; 4]);
    let expected = HeaderFault::UnknownDType { name: "a".to_owned(), dtype: "F31".to_owned() };
    assert_eq!(fault(&bytes), expected);
}

#[test]
fn a_header_that_is_no_json_or_lacks_a_field() {
    for header in [
        "",
        "{",
        "[]",
        "\u{1}",
        r#"{"a":{}}"#,
        r#"{"a":3}"#,
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    ] {
        assert!(matches!(fault(&file(header, &[0; 4])), HeaderFault::NotJson { .. }), "{header}");
    }
    let message = fault(&file(r#"{"w":{"dtype":"F32","shape":[1]}}"#, &[0; 4])).to_string();
    assert!(message.contains("the entry of tensor `w`: missing field `data_offsets`"), "{message}");
    let not_text = [&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat();
    assert!(matches!(fault(&not_text), HeaderFault::NotJson { .. }));
    let deep = "[".repeat(100_000);
    assert!(matches!(fault(&file(&format!(r#"{{"a":{deep}"#), &[])), HeaderFault::NotJson { .. }));
}

#[test]
fn every_single_byte_of_a_header_may_be_wrong_without_a_panic() {
    let whole = tensors(&[("ab", "F32", &[2, 2], f32_bytes(&[1.0; 4])), ("c", "F16", &[1], vec![0, 0])]);
    let n_header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for i in 0..8 + n_header {
        for byte in [0, b'"', b'0', b'9', b'}', 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[i] = byte;
            let files = vec![("model.safetensors".to_owned(), Cow::Owned(bytes))];
            if let Ok(checkpoint) = Checkpoint::from_files(files) {
                let names: Vec<String> = checkpoint.tensor_names().map(str::to_owned).collect();
                for name in names {
                    drop(checkpoint.load(&name, hala_tensor::DType::F32));
                }
            }
        }
    }
}
