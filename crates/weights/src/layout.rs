//! The header of a safetensors file that is to be written, and where in the file each tensor goes.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::json;

use crate::error::WeightsError;
use crate::file_dtype::FileDType;

/// The header's length is padded to this many bytes, so that the tensors behind it are aligned.
const ALIGNMENT: usize = 8;

/// The tensors of a safetensors file by name, type and dimensions; equal declarations give equal layouts.
#[derive(Debug, Default, Clone)]
pub struct SafetensorsLayout {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, (FileDType, Vec<usize>)>,
}

/// Where everything goes.
#[derive(Debug, Clone)]
pub struct Placed {
    /// What the file begins with: the header's length and the header, padded.
    pub head: Vec<u8>,
    /// The bytes of each tensor, counted from the start of the file.
    pub places: BTreeMap<String, Range<u64>>,
    /// Bytes of the file.
    pub n_bytes: u64,
}

impl SafetensorsLayout {
    /// A file of no tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry to the file's `__metadata__`, such as `format` = `pt`.
    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.insert(key.to_owned(), value.to_owned());
    }

    /// Adds a tensor.
    ///
    /// # Errors
    /// The name is taken, or its elements do not fill whole bytes.
    pub fn declare(&mut self, name: &str, dtype: FileDType, dims: &[usize]) -> Result<(), WeightsError> {
        let refuse = |reason: String| Err(WeightsError::Unwritable { name: name.to_owned(), reason });
        if name == "__metadata__" || self.tensors.contains_key(name) {
            return refuse("the name is taken".to_owned());
        }
        if dtype.is_blocks() {
            return refuse(format!("safetensors files have no {dtype}"));
        }
        let n_bits = dims.iter().try_fold(dtype.n_bits(), |n, &d| n.checked_mul(d as u64));
        if n_bits.is_none_or(|n| n % 8 != 0) {
            return refuse(format!("{dtype} {dims:?} does not fill whole bytes"));
        }
        self.tensors.insert(name.to_owned(), (dtype, dims.to_vec()));
        Ok(())
    }

    /// Whether a tensor of this name was declared.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Lays the file out: wide elements first, so that every tensor is aligned to its elements; then by name.
    pub fn place(&self) -> Placed {
        let mut order: Vec<_> = self.tensors.iter().collect();
        order.sort_by_key(|(_, (dtype, _))| std::cmp::Reverse(dtype.n_bits()));
        let mut entries = Vec::new();
        if !self.metadata.is_empty() {
            entries.push(format!("\"__metadata__\":{}", json!(self.metadata)));
        }
        let mut offsets = BTreeMap::new();
        let mut end = 0;
        for (name, (dtype, dims)) in order {
            let start = end;
            end += dims.iter().product::<usize>() as u64 * dtype.n_bits() / 8;
            let (key, dims) = (json!(name), json!(dims));
            entries.push(format!(
                "{key}:{{\"dtype\":\"{dtype}\",\"shape\":{dims},\"data_offsets\":[{start},{end}]}}"
            ));
            offsets.insert(name.clone(), start..end);
        }
        let mut header = format!("{{{}}}", entries.join(",")).into_bytes();
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        let mut head = (header.len() as u64).to_le_bytes().to_vec();
        head.extend(header);
        let first = head.len() as u64;
        let places = offsets.into_iter().map(|(name, o)| (name, first + o.start..first + o.end)).collect();
        Placed { head, places, n_bytes: first + end }
    }
}
