//! GGUF files made of a few settings and tensors.

use std::path::PathBuf;

use hala_weights::{Checkpoint, WeightsError};
use tempfile::TempDir;

/// A file while it is put together: version 3, tensors in f32.
#[derive(Clone)]
pub(crate) struct File {
    settings: Vec<u8>,
    n_settings: u64,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl File {
    /// A file of an architecture, with sizes that each family has.
    pub(crate) fn new(architecture: &str) -> Self {
        let mut file = Self { settings: Vec::new(), n_settings: 0, tensors: Vec::new() };
        file.text("general.architecture", architecture);
        let key = |key: &str| format!("{architecture}.{key}");
        for (name, n) in [("block_count", 2), ("context_length", 4096), ("embedding_length", 256)] {
            file.integer(&key(name), n);
        }
        file.integer(&key("attention.head_count"), 4);
        for i in 0..2 {
            file.tensor(&format!("blk.{i}.attn_norm.weight"), &[2], &[1.5, 0.25]);
        }
        file
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key, 8);
        text(&mut self.settings, value);
        self
    }

    pub(crate) fn integer(&mut self, key: &str, value: u32) -> &mut Self {
        self.key(key, 4);
        self.settings.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn float(&mut self, key: &str, value: f32) -> &mut Self {
        self.key(key, 6);
        self.settings.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn bool(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key, 7);
        self.settings.push(u8::from(value));
        self
    }

    pub(crate) fn bools(&mut self, key: &str, values: &[bool]) -> &mut Self {
        self.list(key, 7, values.len());
        self.settings.extend(values.iter().map(|on| u8::from(*on)));
        self
    }

    pub(crate) fn integers(&mut self, key: &str, values: &[u32]) -> &mut Self {
        self.list(key, 4, values.len());
        values.iter().for_each(|x| self.settings.extend(x.to_le_bytes()));
        self
    }

    pub(crate) fn floats(&mut self, key: &str, values: &[f32]) -> &mut Self {
        self.list(key, 6, values.len());
        values.iter().for_each(|x| self.settings.extend(x.to_le_bytes()));
        self
    }

    pub(crate) fn texts(&mut self, key: &str, values: &[&str]) -> &mut Self {
        self.list(key, 8, values.len());
        values.iter().for_each(|value| text(&mut self.settings, value));
        self
    }

    /// Adds a tensor, its outermost dimension first.
    pub(crate) fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> &mut Self {
        self.tensors.push((name.to_owned(), dims.to_vec(), values.to_vec()));
        self
    }

    fn key(&mut self, key: &str, kind: u32) {
        self.n_settings += 1;
        text(&mut self.settings, key);
        self.settings.extend(kind.to_le_bytes());
    }

    fn list(&mut self, key: &str, kind: u32, n: usize) {
        self.key(key, 9);
        self.settings.extend(kind.to_le_bytes());
        self.settings.extend((n as u64).to_le_bytes());
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_settings.to_le_bytes());
        bytes.extend(&self.settings);
        let mut data: Vec<u8> = Vec::new();
        for (name, dims, values) in &self.tensors {
            text(&mut bytes, name);
            bytes.extend((dims.len() as u32).to_le_bytes());
            dims.iter().rev().for_each(|d| bytes.extend((*d as u64).to_le_bytes()));
            bytes.extend(0u32.to_le_bytes());
            data.resize(data.len().next_multiple_of(32), 0);
            bytes.extend((data.len() as u64).to_le_bytes());
            values.iter().for_each(|x| data.extend(x.to_le_bytes()));
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(data);
        bytes
    }

    /// Writes the file under a name in a folder of its own.
    pub(crate) fn written(&self, name: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, self.bytes()).unwrap();
        (folder, path)
    }

    pub(crate) fn open(&self) -> Result<Checkpoint, WeightsError> {
        Checkpoint::open(&self.written("model.gguf").1)
    }

    /// The message of opening it.
    pub(crate) fn refusal(&self) -> String {
        self.open().unwrap_err().to_string()
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}
