//! The header of a GGUF file that is to be written.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, version 3.

use std::collections::BTreeMap;

use hala_weights::Placed;

use super::format::FloatFormat;

/// Bytes to a multiple of which tensors are placed.
const ALIGNMENT: u64 = 32;

/// Values in the order in which they are set.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    n_values: u64,
    bytes: Vec<u8>,
}

impl Metadata {
    pub(super) fn u32(&mut self, key: &str, value: u32) {
        self.key(key, 4);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn f32(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn bool(&mut self, key: &str, value: bool) {
        self.key(key, 7);
        self.bytes.push(u8::from(value));
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        text(&mut self.bytes, value);
    }

    pub(super) fn i32s(&mut self, key: &str, values: &[i32]) {
        self.list(key, 5, values.len());
        values.iter().for_each(|value| self.bytes.extend(value.to_le_bytes()));
    }

    pub(super) fn texts<S: AsRef<str>>(&mut self, key: &str, values: &[S]) {
        self.list(key, 8, values.len());
        values.iter().for_each(|value| text(&mut self.bytes, value.as_ref()));
    }

    fn key(&mut self, key: &str, kind: u32) {
        self.n_values += 1;
        text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    fn list(&mut self, key: &str, kind: u32, n: usize) {
        self.key(key, 9);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((n as u64).to_le_bytes());
    }

    /// The whole header, and where each tensor goes.
    pub(super) fn place(&self, tensors: &[Tensor]) -> Placed {
        let mut head = b"GGUF".to_vec();
        head.extend(3u32.to_le_bytes());
        head.extend((tensors.len() as u64).to_le_bytes());
        head.extend(self.n_values.to_le_bytes());
        head.extend(&self.bytes);
        let mut offsets = BTreeMap::new();
        let mut end = 0u64;
        for tensor in tensors {
            text(&mut head, &tensor.name);
            head.extend((tensor.dims.len() as u32).to_le_bytes());
            tensor.dims.iter().rev().for_each(|d| head.extend((*d as u64).to_le_bytes()));
            // Every format has one.
            head.extend(tensor.format.file_dtype().ggml_id().unwrap_or_default().to_le_bytes());
            let start = end.next_multiple_of(ALIGNMENT);
            head.extend(start.to_le_bytes());
            end = start + tensor.n_bytes();
            offsets.insert(tensor.name.clone(), start..end);
        }
        head.resize(head.len().next_multiple_of(ALIGNMENT as usize), 0);
        let first = head.len() as u64;
        let places = offsets.into_iter().map(|(name, o)| (name, first + o.start..first + o.end)).collect();
        Placed { head, places, n_bytes: first + end.next_multiple_of(ALIGNMENT) }
    }
}

/// A tensor to be written.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub(super) name: String,
    /// Outermost first.
    pub(super) dims: Vec<usize>,
    pub(super) format: FloatFormat,
}

impl Tensor {
    fn n_bytes(&self) -> u64 {
        let (n_block, n_bytes) = self.format.file_dtype().block();
        (self.dims.iter().product::<usize>() / n_block * n_bytes) as u64
    }
}

/// llama.cpp's number of a file's format.
pub(super) fn file_type(format: FloatFormat) -> u32 {
    match format {
        FloatFormat::F32 => 0,
        FloatFormat::F16 => 1,
        FloatFormat::Q8_0 => 7,
        FloatFormat::BF16 => 32,
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}
