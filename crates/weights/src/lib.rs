//! Checkpoints: safetensors files, tensors by name, the dialects of config.json, and the Hub.
//!
//! A [`Checkpoint`] is a folder in Hugging Face layout, one `.safetensors` or GGUF file, or files held as bytes. Its
//! tensors are looked up by name and loaded in any [`DType`](hala_tensor::DType), converted a few rows at a
//! time so that memory holds the result and little else. [`Config`] reads config.json under all the names that
//! its values go by. [`SafetensorsWriter`] writes what [`Checkpoint`] reads.

mod bytes;
mod check;
mod checkpoint;
mod codes;
mod config;
#[cfg(all(feature = "hub", not(target_family = "wasm")))]
pub mod download;
mod error;
mod file_dtype;
#[cfg(not(target_family = "wasm"))]
mod gguf;
mod header;
#[cfg(all(feature = "hub", not(target_family = "wasm")))]
pub mod hub;
mod layout;
mod load;
mod nearest;
mod quantisation;
mod reader;
mod rows;
mod scales;
mod shards;
mod source;
mod stored;
mod view;
#[cfg(not(target_family = "wasm"))]
mod whole_file;
mod writer;

pub use checkpoint::Checkpoint;
pub use config::Config;
pub use error::WeightsError;
pub use file_dtype::FileDType;
#[cfg(not(target_family = "wasm"))]
pub use gguf::{GgufFault, LFM2_SPLIT, gguf_name};
pub use header::{HeaderFault, SafetensorsHeader, TensorInfo, header_length};
pub use layout::{Placed, SafetensorsLayout};
pub use nearest::nearest;
pub use quantisation::{INPUT_SCALE, PACKED_SUFFIX, SCALE_SUFFIX, SHAPE_SUFFIX, int8_quantization_config};
pub use reader::Reader;
pub use rows::Rows;
pub use shards::{INDEX_FILE, WEIGHTS_FILE};
pub use view::TensorView;
#[cfg(not(target_family = "wasm"))]
pub use whole_file::{WholeFile, without_temporary_name};
pub use writer::SafetensorsWriter;

// Elements are copied between files, which are little-endian, and memory as they are.
const _: () = assert!(cfg!(target_endian = "little"), "only little-endian machines are supported");
