//! Checkpoints made of checkpoints, tensor by tensor in bounded memory: FP8, int8 and int4 compression, and merging.
//!
//! [`compress`] writes folders in the words of compressed-tensors, which vLLM, transformers and Hala load. A [`Recipe`] says which
//! modules get which [`Scheme`]; a [`Report`] says how far the result is from what it was made from. [`merge`] takes mergekit's files.

mod chunks;
mod codes;
mod compress;
mod convert;
mod error;
mod float;
mod folder;
mod gptq;
mod job;
mod merge;
mod picture;
mod recipe;
mod report;
mod scheme;
mod smooth;
mod threads;

pub use compress::{Calibration, Run, compress};
pub use convert::{FloatFormat, to_folder, to_gguf};
pub use error::CompressError;
pub use gptq::add_products;
pub use job::{OnProgress, Progress};
pub use merge::{MergeConfig, Merged, merge};
pub use recipe::Recipe;
pub use report::{ModuleError, Report};
pub use scheme::Scheme;
pub use smooth::{DEFAULT_STRENGTH, NormedInputs};
