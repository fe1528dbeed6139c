//! What can be wrong with a GGUF file.

use hala_tensor::counted;

use crate::file_dtype::FileDType;

/// What is wrong with a GGUF file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GgufFault {
    /// It begins with something else.
    #[error("the file does not begin with `GGUF`: it is of another format")]
    Magic,
    /// Its numbers are the other way round.
    #[error(
        "the file is big-endian, and only little-endian files are read: convert the model again on a little-endian machine"
    )]
    BigEndian,
    /// A version that is not read.
    #[error("the file has version {found} of GGUF; 2 and 3 are read: convert the model again")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// It ends within its header.
    #[error("the file of {} ends within its header, at {what}", counted(*found as u64, "byte"))]
    Truncated {
        /// Bytes in the file.
        found: usize,
        /// What was being read.
        what: String,
    },
    /// Something in the header that the format does not define.
    #[error("the header is wrong at {what}: {detail}")]
    Wrong {
        /// What was being read.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An element type that is not read.
    #[error(
        "the tensor `{name}` is stored as ggml's type {id}{}, which is not supported; {} are: use another quantisation of the model",
        type_name(*id), FileDType::ggml_names()
    )]
    UnknownType {
        /// The tensor.
        name: String,
        /// The type's number.
        id: u32,
    },
    /// A tensor lies outside of the file.
    #[error(
        "the tensor `{name}` is placed at bytes {start}..{end} of a file of {}: the file is cut off",
        counted(*found as u64, "byte")
    )]
    Beyond {
        /// The tensor.
        name: String,
        /// First byte.
        start: u64,
        /// Byte after the last.
        end: u64,
        /// Bytes in the file.
        found: usize,
    },
    /// One of several files that a model is split into.
    #[error(
        "the file is part {part} of {n_parts} of a model, and one file is read: join them with llama.cpp's `llama-gguf-split --merge`"
    )]
    Split {
        /// Which one, from 1.
        part: u64,
        /// How many there are.
        n_parts: u64,
    },
    /// A setting with a value that is not computed here.
    #[error("`{key}` is {found}, and {supported}: use the checkpoint that the file was made from")]
    Setting {
        /// The key in the metadata, or a tensor's name.
        key: String,
        /// Its value.
        found: String,
        /// What is supported, as a clause.
        supported: String,
    },
}

/// The error for something that the format does not define, or that does not fit the rest of the file.
pub(super) fn wrong(what: &str, detail: &str) -> GgufFault {
    GgufFault::Wrong { what: format!("`{what}`"), detail: detail.to_owned() }
}

/// The names of types that are not read, for messages.
fn type_name(id: u32) -> &'static str {
    match id {
        9 => " (Q8_1)",
        15 => " (Q8_K)",
        16 => " (IQ2_XXS)",
        17 => " (IQ2_XS)",
        18 => " (IQ3_XXS)",
        19 => " (IQ1_S)",
        21 => " (IQ3_S)",
        22 => " (IQ2_S)",
        24 => " (I8)",
        25 => " (I16)",
        26 => " (I32)",
        27 => " (I64)",
        28 => " (F64)",
        29 => " (IQ1_M)",
        34 => " (TQ1_0)",
        35 => " (TQ2_0)",
        39 => " (MXFP4)",
        40 => " (NVFP4)",
        _ => "",
    }
}
