//! Checkpoints to run, and copies of one to damage.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::TempDir;

/// A fixture of two layers, without a tokenizer.
pub(crate) fn two_layer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lfm2/two-layer")
}

/// Ids in the vocabulary of [`two_layer`].
pub(crate) const N_VOCAB: u32 = 113;

/// A copy of [`two_layer`] that ends with the test.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "model.safetensors"] {
            std::fs::write(folder.path().join(name), std::fs::read(two_layer().join(name)).unwrap()).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn weights(&self) -> PathBuf {
        self.path().join("model.safetensors")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("config.json")
    }

    /// Sets one entry of config.json.
    pub(crate) fn set(self, key: &str, value: impl Into<Value>) -> Self {
        let text = std::fs::read_to_string(self.config()).unwrap();
        let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap();
        config.insert(key.to_owned(), value.into());
        std::fs::write(self.config(), serde_json::to_string(&config).unwrap()).unwrap();
        self
    }

    /// Changes the bytes of the weights file.
    pub(crate) fn change_bytes(self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = std::fs::read(self.weights()).unwrap();
        change(&mut bytes);
        std::fs::write(self.weights(), bytes).unwrap();
        self
    }

    /// Changes the header of the weights file and the data after it.
    pub(crate) fn change(self, change: impl FnOnce(&mut Header, &mut Vec<u8>)) -> Self {
        self.change_bytes(|bytes| {
            let n_header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let mut header = Header(serde_json::from_slice(&bytes[8..8 + n_header]).unwrap());
            let mut data = bytes.split_off(8 + n_header);
            change(&mut header, &mut data);
            let header = serde_json::to_vec(&header.0).unwrap();
            *bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header);
            bytes.extend(data);
        })
    }
}

/// The header of a safetensors file.
pub(crate) struct Header(Map<String, Value>);

impl Header {
    /// Sets one field of a tensor's entry.
    pub(crate) fn set(&mut self, tensor: &str, field: &str, value: impl Into<Value>) {
        self.0[tensor][field] = value.into();
    }

    /// Where a tensor's bytes begin and end in the data.
    pub(crate) fn range(&self, tensor: &str) -> std::ops::Range<usize> {
        let offset = |i: usize| self.0[tensor]["data_offsets"][i].as_u64().unwrap() as usize;
        offset(0)..offset(1)
    }

    /// Gives a tensor other bytes and moves those after it, so that the file is whole.
    pub(crate) fn replace(&mut self, tensor: &str, bytes: &[u8], data: &mut Vec<u8>) {
        let range = self.range(tensor);
        for entry in self.0.values_mut().filter_map(|entry| entry.get_mut("data_offsets")) {
            for offset in entry.as_array_mut().unwrap() {
                let at = offset.as_u64().unwrap() as usize;
                if at >= range.end {
                    *offset = (at - range.len() + bytes.len()).into();
                }
            }
        }
        data.splice(range, bytes.iter().copied());
    }

    /// Takes a tensor out, so that the file is whole without it.
    pub(crate) fn remove(&mut self, tensor: &str, data: &mut Vec<u8>) {
        self.replace(tensor, &[], data);
        self.0.remove(tensor);
    }
}
