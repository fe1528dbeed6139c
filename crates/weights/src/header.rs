//! The header of a safetensors file: its tensors' names, types, shapes and places, checked before any is read.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. Eight bytes little-endian give the length of a
//! JSON object; the tensors' bytes follow it without gaps. The reference crate is not used because it drops
//! duplicate names silently and its errors carry no byte counts.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

use hala_tensor::counted;
use serde::Deserialize;
use serde::de::{Error, MapAccess, Visitor};

use crate::file_dtype::FileDType;

/// The longest header that the reference implementation accepts, in bytes.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Bytes that hold the header's length.
pub(crate) const LENGTH_BYTES: u64 = 8;

/// What is wrong with a safetensors file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Nothing is in it.
    #[error("the file is empty, where at least 8 bytes are expected")]
    Empty,
    /// Too short for the length of a header.
    #[error("the file has {}, where at least 8 are expected", counted(*found, "byte"))]
    NoLength {
        /// Bytes in the file.
        found: u64,
    },
    /// The header ends behind the file's end.
    #[error("the header is said to take {}, and the file has {} after its length", counted(*expected, "byte"), counted(*found, "byte"))]
    HeaderBeyondFile {
        /// Bytes after the length field.
        found: u64,
        /// Bytes that the header is said to have.
        expected: u64,
    },
    /// The header is longer than any real one.
    #[error("the header is said to take {found} bytes, and at most {MAX_HEADER_BYTES} are allowed")]
    HeaderTooLong {
        /// Bytes that the header is said to have.
        found: u64,
    },
    /// The header is not the JSON that the format asks for.
    #[error("the header of {} cannot be read: {detail}", counted(*header_bytes, "byte"))]
    NotJson {
        /// Bytes in the header.
        header_bytes: u64,
        /// What the JSON reader says, with line and column.
        detail: String,
    },
    /// A name stands twice in the header.
    #[error("the header names `{name}` twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// An element type that the format does not define.
    #[error("tensor `{name}` has the element type {dtype:?}, which the format does not define")]
    UnknownDType {
        /// The tensor.
        name: String,
        /// The type's name in the file.
        dtype: String,
    },
    /// Shape and element type ask for another number of bytes than the offsets give.
    #[error("tensor `{name}` ({dtype} {shape:?}) is given {}, where {expected} are expected", counted(*found, "byte"))]
    TensorBytes {
        /// The tensor.
        name: String,
        /// Its element type.
        dtype: FileDType,
        /// Its shape.
        shape: Vec<u64>,
        /// Bytes between its offsets.
        found: u64,
        /// Bytes that shape and type need, as a number or a word for one too large.
        expected: String,
    },
    /// A tensor does not start where the one before it ends.
    #[error(
        "tensor `{name}` is placed at bytes {start}..{end}, where a start at byte {expected} is expected"
    )]
    Offsets {
        /// The tensor.
        name: String,
        /// First byte.
        start: u64,
        /// Byte after the last.
        end: u64,
        /// End of the tensor before it.
        expected: u64,
    },
    /// The file ends before its tensors do.
    #[error("the file is cut off: it has {}, where {expected} are expected", counted(*found, "byte"))]
    Truncated {
        /// Bytes in the file.
        found: u64,
        /// Bytes that the header describes.
        expected: u64,
    },
    /// Bytes that belong to no tensor.
    #[error("the file has {found} bytes, where {expected} are expected: the rest belongs to no tensor")]
    Trailing {
        /// Bytes in the file.
        found: u64,
        /// Bytes that the header describes.
        expected: u64,
    },
}

/// One tensor of a safetensors file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// How its elements are stored.
    pub dtype: FileDType,
    /// Its dimensions, outermost first.
    pub dims: Vec<usize>,
    /// Its place in the file, in bytes.
    pub(crate) range: Range<usize>,
}

impl TensorInfo {
    /// Bytes in the file.
    pub fn n_bytes(&self) -> usize {
        self.range.len()
    }

    /// The product of the dimensions, which the header's check has shown to fit.
    pub fn n_elements(&self) -> usize {
        self.dims.iter().product()
    }
}

/// A header whose every tensor lies inside its file.
#[derive(Debug)]
pub struct SafetensorsHeader {
    /// In the order of their places.
    pub tensors: Vec<TensorInfo>,
    /// The `__metadata__` of the file.
    pub metadata: BTreeMap<String, String>,
}

impl SafetensorsHeader {
    /// Reads the header of a whole file and checks that its tensors fill the rest exactly.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, HeaderFault> {
        let n_header = header_length(file, file.len() as u64)?;
        Self::parse_text(&file[LENGTH_BYTES as usize..][..n_header as usize], file.len() as u64)
    }

    /// Reads a header's JSON and checks that its tensors fill the rest of a file of `n_file_bytes` exactly.
    ///
    /// # Errors
    /// No such JSON, or tensors that do not fill the file.
    pub fn parse_text(text: &[u8], n_file_bytes: u64) -> Result<Self, HeaderFault> {
        let header_bytes = text.len() as u64;
        let raw: RawHeader = serde_json::from_slice(text)
            .map_err(|e| HeaderFault::NotJson { header_bytes, detail: e.to_string() })?;
        if let Some(name) = raw.duplicate {
            return Err(HeaderFault::Duplicate { name });
        }
        let mut raw_tensors = raw.tensors;
        raw_tensors.sort_by_key(|(_, tensor)| tensor.data_offsets);
        let data_start = LENGTH_BYTES + header_bytes;
        let mut tensors = Vec::with_capacity(raw_tensors.len());
        let mut end = 0;
        for (name, tensor) in raw_tensors {
            let (info, next) = place(name, tensor, end, data_start)?;
            tensors.push(info);
            end = next;
        }
        let (found, expected) = (n_file_bytes, data_start.saturating_add(end));
        match found.cmp(&expected) {
            std::cmp::Ordering::Less => Err(HeaderFault::Truncated { found, expected }),
            std::cmp::Ordering::Greater => Err(HeaderFault::Trailing { found, expected }),
            std::cmp::Ordering::Equal => Ok(Self { tensors, metadata: raw.metadata }),
        }
    }
}

/// Bytes of the header's JSON, as the `first` 8 bytes of a file of `n_file_bytes` say.
///
/// # Errors
/// More than the file has, or than any header.
pub fn header_length(first: &[u8], n_file_bytes: u64) -> Result<u64, HeaderFault> {
    if n_file_bytes == 0 {
        return Err(HeaderFault::Empty);
    }
    let Some(length) = first.first_chunk::<{ LENGTH_BYTES as usize }>() else {
        return Err(HeaderFault::NoLength { found: n_file_bytes });
    };
    let (expected, found) = (u64::from_le_bytes(*length), n_file_bytes - LENGTH_BYTES);
    if expected > found {
        return Err(HeaderFault::HeaderBeyondFile { found, expected });
    }
    if expected > MAX_HEADER_BYTES {
        return Err(HeaderFault::HeaderTooLong { found: expected });
    }
    Ok(expected)
}

/// Checks one tensor against its shape and the end of the one before it; returns it with its own end.
///
/// Offsets may still lie behind the file's end: the caller compares the last end with the file's length, and
/// reads nothing before that.
fn place(
    name: String,
    raw: RawTensor,
    expected: u64,
    data_start: u64,
) -> Result<(TensorInfo, u64), HeaderFault> {
    let (start, end) = raw.data_offsets;
    let Some(dtype) = FileDType::from_name(&raw.dtype) else {
        return Err(HeaderFault::UnknownDType { name, dtype: raw.dtype });
    };
    if start != expected || end < start {
        return Err(HeaderFault::Offsets { name, start, end, expected });
    }
    let n_bits = raw.shape.iter().try_fold(dtype.n_bits(), |n, &d| n.checked_mul(d));
    let dims: Option<Vec<usize>> = raw.shape.iter().map(|&d| usize::try_from(d).ok()).collect();
    let range = (data_start.checked_add(start), data_start.checked_add(end));
    match (n_bits, dims, range) {
        (Some(n_bits), Some(dims), (Some(first), Some(last)))
            if n_bits == (end - start).saturating_mul(8) =>
        {
            let range =
                usize::try_from(first).unwrap_or(usize::MAX)..usize::try_from(last).unwrap_or(usize::MAX);
            Ok((TensorInfo { name, dtype, dims, range }, end))
        }
        (n_bits, ..) => {
            let expected = n_bits.map_or_else(|| "more than 2^61".to_owned(), |n| n.div_ceil(8).to_string());
            Err(HeaderFault::TensorBytes { name, dtype, shape: raw.shape, found: end - start, expected })
        }
    }
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The header as it stands in the file, with the first name that it holds twice.
struct RawHeader {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, RawTensor)>,
    duplicate: Option<String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one entry a tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let mut header = RawHeader { metadata: BTreeMap::new(), tensors: Vec::new(), duplicate: None };
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) && header.duplicate.is_none() {
                header.duplicate = Some(name.clone());
            }
            if name == "__metadata__" {
                header.metadata = map.next_value::<Option<_>>()?.unwrap_or_default();
            } else {
                let tensor = map
                    .next_value()
                    .map_err(|e| A::Error::custom(format_args!("the entry of tensor `{name}`: {e}")))?;
                header.tensors.push((name, tensor));
            }
        }
        Ok(header)
    }
}
