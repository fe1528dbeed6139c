//! Data: rows of files become documents (ids and the weight of each as a label), and documents become batches.

mod batch;
mod document;

pub use batch::{Batch, IGNORE};
pub use document::Document;
