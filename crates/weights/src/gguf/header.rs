//! The header of a GGUF file: its metadata and its tensors' names, types, shapes and places, checked before any is read.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3, little-endian.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use hala_tensor::counted;
use half::{bf16, f16};

use super::fault::{GgufFault, wrong};
use crate::file_dtype::FileDType;

/// What a GGUF file begins with.
pub(super) const MAGIC: [u8; 4] = *b"GGUF";

/// Bytes to a multiple of which tensors are placed, where the metadata says nothing else.
const ALIGNMENT: u64 = 32;

/// The most dimensions that the format has.
const MAX_DIMS: u32 = 4;

/// Lists in lists are followed so deep.
const MAX_DEPTH: usize = 4;

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i128),
    Float(f64),
    Bool(bool),
    Text(String),
    List(Vec<Self>),
}

impl Value {
    /// A number of either kind.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            Self::Bool(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Bool(on) => write!(f, "{on}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(values) => write!(f, "a list of {}", values.len()),
        }
    }
}

/// A tensor as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: FileDType,
    /// Outermost first, the other way round than in the file.
    pub(crate) dims: Vec<usize>,
    pub(crate) range: Range<usize>,
}

impl Tensor {
    /// The elements of which `bytes` are the tensor's, where they are floats.
    pub(crate) fn floats(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        let words = || bytes.as_chunks::<2>().0.iter().copied();
        match self.dtype {
            FileDType::F32 => {
                Some(bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect())
            }
            FileDType::F16 => Some(words().map(|word| f16::from_le_bytes(word).to_f32()).collect()),
            FileDType::BF16 => Some(words().map(|word| bf16::from_le_bytes(word).to_f32()).collect()),
            _ => None,
        }
    }
}

/// A header whose every tensor lies inside its file.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) metadata: BTreeMap<String, Value>,
    pub(crate) tensors: Vec<Tensor>,
}

impl Header {
    /// Reads the header of a file of `n_bytes`, of which `file` is the start, or all.
    pub(crate) fn parse(file: &[u8], n_bytes: usize) -> Result<Self, GgufFault> {
        let mut reader = Reader { file, at: 0 };
        if reader.array::<4>("the magic number")? != MAGIC {
            return Err(GgufFault::Magic);
        }
        let found = reader.u32("the version")?;
        if (1..=3).contains(&found.swap_bytes()) {
            return Err(GgufFault::BigEndian);
        }
        if !(2..=3).contains(&found) {
            return Err(GgufFault::Version { found });
        }
        let (n_tensors, n_values) =
            (reader.u64("the number of tensors")?, reader.u64("the number of values")?);
        let mut metadata = BTreeMap::new();
        for i in 0..n_values {
            let key = reader.text(&format!("the name of value {i}"))?;
            let value = reader.value(&key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(wrong(&key, "it is there twice"));
            }
        }
        let mut tensors = Vec::new();
        let mut names = BTreeSet::new();
        for i in 0..n_tensors {
            let tensor = reader.tensor(i)?;
            if !names.insert(tensor.name.clone()) {
                return Err(wrong(&tensor.name, "a tensor of this name is there twice"));
            }
            tensors.push(tensor);
        }
        check_whole(&metadata)?;
        let alignment = match metadata.get("general.alignment") {
            None => ALIGNMENT,
            Some(Value::Integer(n @ 1..=0x10_0000)) => *n as u64,
            Some(_) => return Err(wrong("general.alignment", "it is no small number from 1")),
        };
        let data_start = (reader.at as u64).next_multiple_of(alignment);
        let tensors =
            tensors.into_iter().map(|raw| raw.place(data_start, n_bytes)).collect::<Result<_, _>>()?;
        Ok(Self { metadata, tensors })
    }
}

/// A model may be split into several files, of which one alone is none.
fn check_whole(metadata: &BTreeMap<String, Value>) -> Result<(), GgufFault> {
    let count = |key: &str| match metadata.get(key) {
        Some(Value::Integer(n)) => u64::try_from(*n).unwrap_or(0),
        _ => 0,
    };
    match count("split.count") {
        n_parts @ 2.. => Err(GgufFault::Split { part: count("split.no") + 1, n_parts }),
        _ => Ok(()),
    }
}

/// A tensor before its place is known.
struct RawTensor {
    name: String,
    dims: Vec<u64>,
    type_id: u32,
    offset: u64,
}

impl RawTensor {
    fn place(self, data_start: u64, found: usize) -> Result<Tensor, GgufFault> {
        let Self { name, dims, type_id, offset } = self;
        let Some(dtype) = FileDType::from_ggml(type_id) else {
            return Err(GgufFault::UnknownType { name, id: type_id });
        };
        let n_elements = dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
        let (n_block, n_block_bytes) = dtype.block();
        let row = dims.first().copied().unwrap_or(1);
        if row % n_block as u64 != 0 {
            return Err(wrong(
                &name,
                &format!("rows of {} are no whole blocks of {dtype}", counted(row, "element")),
            ));
        }
        let n_bytes = n_elements.and_then(|n| (n / n_block as u64).checked_mul(n_block_bytes as u64));
        let start = data_start.checked_add(offset);
        let (Some(start), Some(n_bytes)) = (start, n_bytes) else {
            return Err(wrong(&name, "its shape or place is larger than any file"));
        };
        let end = start.saturating_add(n_bytes);
        if end > found as u64 {
            return Err(GgufFault::Beyond { name, start, end, found });
        }
        // Within the file, so they fit.
        let dims = dims.iter().rev().map(|d| *d as usize).collect();
        Ok(Tensor { name, dtype, dims, range: start as usize..end as usize })
    }
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, n: usize, what: &str) -> Result<&'a [u8], GgufFault> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.file.len());
        let end =
            end.ok_or_else(|| GgufFault::Truncated { found: self.file.len(), what: what.to_owned() })?;
        let bytes = &self.file[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufFault> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N, what)?);
        Ok(array)
    }

    fn u32(&mut self, what: &str) -> Result<u32, GgufFault> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64, GgufFault> {
        self.array(what).map(u64::from_le_bytes)
    }

    fn text(&mut self, what: &str) -> Result<String, GgufFault> {
        let n = self.u64(what)?;
        let bytes = self.bytes(usize::try_from(n).unwrap_or(usize::MAX), what)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| wrong(what, "it is not valid UTF-8"))
    }

    fn value(&mut self, key: &str) -> Result<Value, GgufFault> {
        let kind = self.u32(key)?;
        self.value_of(kind, key, 0)
    }

    /// A value of one of the format's 13 types.
    fn value_of(&mut self, kind: u32, key: &str, depth: usize) -> Result<Value, GgufFault> {
        Ok(match kind {
            0 => Value::Integer(i128::from(u8::from_le_bytes(self.array(key)?))),
            1 => Value::Integer(i128::from(i8::from_le_bytes(self.array(key)?))),
            2 => Value::Integer(i128::from(u16::from_le_bytes(self.array(key)?))),
            3 => Value::Integer(i128::from(i16::from_le_bytes(self.array(key)?))),
            4 => Value::Integer(i128::from(self.u32(key)?)),
            5 => Value::Integer(i128::from(i32::from_le_bytes(self.array(key)?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array(key)?))),
            7 => Value::Bool(u8::from_le_bytes(self.array(key)?) != 0),
            8 => Value::Text(self.text(key)?),
            9 if depth < MAX_DEPTH => {
                let (kind, n) = (self.u32(key)?, self.u64(key)?);
                // Each takes a byte at least, so a wrong length ends soon and reserves nothing.
                let values = (0..n).map(|_| self.value_of(kind, key, depth + 1));
                Value::List(values.collect::<Result<_, _>>()?)
            }
            10 => Value::Integer(i128::from(self.u64(key)?)),
            11 => Value::Integer(i128::from(i64::from_le_bytes(self.array(key)?))),
            12 => Value::Float(f64::from_le_bytes(self.array(key)?)),
            _ => {
                return Err(wrong(
                    key,
                    &format!("a value has the type {kind}, which the format does not define"),
                ));
            }
        })
    }

    fn tensor(&mut self, i: u64) -> Result<RawTensor, GgufFault> {
        let name = self.text(&format!("the name of tensor {i}"))?;
        let n_dims = self.u32(&name)?;
        if n_dims > MAX_DIMS {
            return Err(wrong(
                &name,
                &format!("it has {n_dims} dimensions, and at most {MAX_DIMS} are allowed"),
            ));
        }
        let dims = (0..n_dims).map(|_| self.u64(&name)).collect::<Result<_, _>>()?;
        let (type_id, offset) = (self.u32(&name)?, self.u64(&name)?);
        Ok(RawTensor { name, dims, type_id, offset })
    }
}
